"""What models share."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import tortoise.models
from tortoise import fields
from tortoise.models import Model as TortoiseModel

from models import field_filters


def _no_comments(_: type[TortoiseModel]) -> dict[str, str]:
    return {}


# Tortoise searches the source of each model for comments that begin with `#:`, which takes a fifth of the time of a
# start. Columns are described by `description` here.
tortoise.models._get_comments = _no_comments  # pyright: ignore[reportPrivateUsage]
field_filters.install()


class Model(TortoiseModel):
    """A row with a UUID. `str()` gives an identifier, never a name: models end up in logs."""

    id: UUID = fields.UUIDField(primary_key=True, default=uuid4)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.pk})"

    __repr__ = __str__


def enum_field(enum_type: type[Any], **options: Any) -> Any:
    """A column for a LabelledEnum: 32 characters whatever the members, so that a longer one needs no ALTER TYPE."""
    return fields.CharEnumField(enum_type, max_length=32, **options)


class PostalAddressMixin:
    """Where somebody lives or works, with what the national address base said of it."""

    address_line_1 = fields.CharField(max_length=255, default="")
    address_line_2 = fields.CharField(max_length=255, default="")
    post_code = fields.CharField(max_length=5, default="")
    city = fields.CharField(max_length=255, default="")
    insee_code = fields.CharField(max_length=5, default="")
    department = fields.CharField(max_length=3, default="", description="department code: 57, 2A, 974")
    latitude = fields.FloatField(null=True)
    longitude = fields.FloatField(null=True)
    geocoding_score = fields.FloatField(null=True)
    geocoded_at = fields.DatetimeField(null=True)
    geocoding_due_at = fields.DatetimeField(
        null=True, description="from when on it may be geocoded; null: nothing to do"
    )
