"""Put the cast into a migrated, empty database: one transaction, COPY, a few seconds."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from operator import attrgetter
from typing import Any

import orjson
from tortoise import fields
from tortoise.fields.relational import RelationalField
from tortoise.models import Model

import models
from demo.cast import rows, well_known
from demo.cast.building import Cast
from demo.cast.identifiers import demo_id
from demo.database import connected
from models.database import DatabaseConfig
from models.encryption import EncryptedTextField, KeyRing

_MODELS: dict[type[Any], type[Model]] = {
    rows.UserRow: models.User,
    rows.CompanyRow: models.Company,
    rows.PrescriberOrganizationRow: models.PrescriberOrganization,
    rows.InstitutionRow: models.Institution,
    rows.MembershipRow: models.Membership,
    rows.PartnerClientRow: models.PartnerClient,
    rows.JobSeekerProfileRow: models.JobSeekerProfile,
    rows.ConsentRow: models.Consent,
    rows.IdentityCertificationRow: models.IdentityCertification,
    rows.ApprovalRow: models.Approval,
    rows.CancelledApprovalRow: models.CancelledApproval,
    rows.NotificationAttemptRow: models.NotificationAttempt,
    rows.JobApplicationRow: models.JobApplication,
    rows.SurveyRow: models.Survey,
    rows.InvitationRequestRow: models.InvitationRequest,
    rows.InvitationRow: models.Invitation,
    rows.LocationRow: models.Location,
    rows.AppointmentRow: models.Appointment,
    rows.ParticipationRow: models.Participation,
}
# The link table has no model of its own.
_LINK_TABLE = "partner_client_company"


class DatabaseNotOurs(Exception):
    """A database holds what the demo did not put there. `str()` says what to do."""


class DatabaseContent(Enum):
    """What a database holds before loading."""

    EMPTY = auto()
    DEMO = auto()
    SOMETHING_ELSE = auto()


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    encode: Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Copy:
    """One COPY: the columns of the rows, then those that the models fill with a default."""

    table: str
    columns: tuple[_Column, ...]
    defaults: tuple[tuple[str, Any], ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns] + [name for name, _ in self.defaults]

    def records(self, table_rows: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        read = attrgetter(*(column.name for column in self.columns))
        encoders = [(position, column.encode) for position, column in enumerate(self.columns) if column.encode]
        constants = tuple(value for _, value in self.defaults)
        for row in table_rows:
            values = list(read(row))
            for position, encode in encoders:
                if values[position] is not None:
                    values[position] = encode(values[position])
            yield (*values, *constants)


async def content_of(database_url: str) -> DatabaseContent:
    """Tell whose rows a database holds, by its accounts. Without tables it is empty."""
    async with connected(database_url) as connection:
        if await connection.fetchval("SELECT to_regclass('public.\"user\"')") is None:
            return DatabaseContent.EMPTY
        row = await connection.fetchrow(
            'SELECT EXISTS (SELECT 1 FROM "user") AS has_users,'
            ' EXISTS (SELECT 1 FROM "user" WHERE id = $1) AS has_demo_staff',
            demo_id("user", well_known.staff_subject(well_known.DEMO_STAFF)),
        )
    if not row["has_users"]:
        return DatabaseContent.EMPTY
    return DatabaseContent.DEMO if row["has_demo_staff"] else DatabaseContent.SOMETHING_ELSE


async def empty_database(database_url: str) -> None:
    """Drop every table of a database that holds the demo or nothing. Raises DatabaseNotOurs for any other."""
    if await content_of(database_url) is DatabaseContent.SOMETHING_ELSE:
        raise DatabaseNotOurs("the database of DATABASE_URL holds accounts that are not the demo's; left as it is")
    async with connected(database_url) as connection:
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


async def load_cast(config: DatabaseConfig, cast: Cast, *, on_table: Callable[[str, int], None] | None = None) -> int:
    """Load every row or none and return how many; `on_table` hears each table's name and size when it is in."""
    total = 0
    async with connected(config.url) as connection:
        async with connection.transaction():
            for table_rows in cast.tables():
                await _copy_table(connection, table_rows, config.keys, on_table)
                total += len(table_rows)
        # Without statistics the first pages would be planned as if the tables were empty.
        await connection.execute("ANALYZE")
    return total


async def _copy_table(
    connection: Any, table_rows: Sequence[Any], keys: KeyRing, on_table: Callable[[str, int], None] | None
) -> None:
    copy = _copy_of(typing.cast("type[Any]", type(table_rows[0])), keys)
    names, records = copy.names, copy.records(table_rows)
    if isinstance(table_rows[0], rows.JobSeekerProfileRow):
        names, records = [*names, "nir_fingerprint"], _with_fingerprint(records, table_rows, keys)
    await connection.copy_records_to_table(copy.table, columns=names, records=records)
    if on_table is not None:
        on_table(copy.table, len(table_rows))


def _with_fingerprint(
    records: Iterator[tuple[Any, ...]], profiles: Sequence[rows.JobSeekerProfileRow], keys: KeyRing
) -> Iterator[tuple[Any, ...]]:
    for record, profile in zip(records, profiles, strict=True):
        yield (*record, keys.fingerprint(profile.nir) if profile.nir is not None else None)


def _copy_of(row_type: type[Any], keys: KeyRing) -> _Copy:
    names = [field.name for field in dataclasses.fields(row_type)]
    model = _MODELS.get(row_type)
    if model is None:
        return _Copy(_LINK_TABLE, tuple(_Column(name, None) for name in names), ())
    meta = model._meta  # pyright: ignore[reportPrivateUsage]: Tortoise's own description of a model
    fields_map = typing.cast("dict[str, fields.Field[Any]]", meta.fields_map)
    columns = tuple(_Column(name, _encoder(fields_map.get(name), keys)) for name in names)
    relations = {name for name, field in fields_map.items() if isinstance(field, RelationalField)}
    relation_columns = {f"{name}_id" for name in relations}
    defaults = tuple(
        (name, _default(field))
        for name, field in fields_map.items()
        if name not in names and name not in relations | relation_columns and field.default is not None
    )
    return _Copy(meta.db_table, columns, defaults)


def _default(field: fields.Field[Any]) -> Any:
    value = field.default() if callable(field.default) else field.default
    encode = _encoder(field, None)
    return encode(value) if encode else value


def _encoder(field: fields.Field[Any] | None, keys: KeyRing | None) -> Callable[[Any], Any] | None:
    """Return what turns a Python value into the column's, where asyncpg alone cannot."""
    if isinstance(field, EncryptedTextField) and keys is not None:
        return keys.seal
    if isinstance(field, fields.JSONField):
        return _to_json
    if isinstance(field, fields.TimeDeltaField):
        return _to_microseconds
    return None


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _to_microseconds(value: timedelta) -> int:
    return value // timedelta(microseconds=1)
