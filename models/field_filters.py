"""The filters of models' fields (`end_at__gte`), each made when a statement first names it.

Tortoise makes all that a column could ever be compared by, for every column, when its model is declared: 20,000 of
them here, 3 MB a process, of which some dozens are ever asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import tortoise.filters
import tortoise.models
from tortoise.fields.relational import RelationalField
from tortoise.filters import FilterInfoDict
from tortoise.models import MetaInfo

if TYPE_CHECKING:
    from tortoise.fields import Field

_Making = Callable[[str, "Field[Any] | None", str], dict[str, FilterInfoDict]]
_filters_of = cast("_Making", cast("Any", tortoise.filters).get_filters_for_field)
_generate_declared = MetaInfo._generate_filters  # pyright: ignore[reportPrivateUsage]


class FieldFilters(dict[str, FilterInfoDict]):
    """Those that were asked for, and those of relations; a column's are made on the way."""

    def __init__(self, meta: MetaInfo) -> None:
        super().__init__(meta.filters)
        self._meta = meta

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (isinstance(key, str) and self._make(key) is not None)

    def __missing__(self, key: str) -> FilterInfoDict:
        made = self._make(key)
        if made is None:
            raise KeyError(key)
        return made

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def _make(self, key: str) -> FilterInfoDict | None:
        """Make and keep the filter of that name; None where no column has it."""
        name = key.partition("__")[0]
        column = cast("Field[Any] | None", self._meta.fields_map.get(self._meta.pk_attr if name == "pk" else name))
        if column is None or isinstance(column, RelationalField):
            return None
        source = column.source_field or column.model_field_name
        made = _filters_of(name, column, source).get(key)
        if made is not None:
            executor = cast("Any", self._meta.db.executor_class)
            # PostgreSQL has its own operators for some.
            made["operator"] = executor.get_overridden_filter_func(made["operator"], made) or made["operator"]
            self[key] = made
        return made


def _declared_filters(field_name: str, field: Field[Any] | None, source_field: str) -> dict[str, FilterInfoDict]:
    """Only what cannot be made later: filters of relations, and of annotations, which have no field."""
    if field is None or isinstance(field, RelationalField):
        return _filters_of(field_name, field, source_field)
    return {}


def _generate_filters(self: MetaInfo) -> None:
    _generate_declared(self)
    self.filters = FieldFilters(self)


def install() -> None:
    """Let Tortoise declare models this way. Before the first model is."""
    tortoise.models.get_filters_for_field = _declared_filters  # pyright: ignore[reportPrivateImportUsage]
    MetaInfo._generate_filters = _generate_filters  # pyright: ignore[reportPrivateUsage]
