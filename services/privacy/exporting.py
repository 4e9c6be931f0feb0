"""A copy of everything that is held about a person (GDPR, articles 15 and 20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from models.database import fetch_all, transaction
from models.encryption import key_ring
from models.enums import UserKind
from services.access_log import record_reads
from services.privacy.holdings import HOLDINGS, PARTNER_NUMBERS, TRACKS, Holding

EXPORTED = "export"
"""What the access log calls an export."""

_FORMAT = 1
_OTHERS_NAMED = f"""
SELECT id FROM webhook_event
WHERE id = ANY($2::uuid[]) AND EXISTS (
    SELECT unnest(partner_user_ids) EXCEPT SELECT number FROM ({PARTNER_NUMBERS}) theirs
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCopy:
    """`content`: JSON values, and times and days, which orjson writes."""

    content: Mapping[str, Any] = field(repr=False)
    rows: int


async def export_person(person_id: UUID, *, exported_by: UUID, request_id: str, now: datetime) -> PersonCopy | None:
    """Return all that is held about the person, as of one instant, and leave a trace of it. None: there is nobody.

    Bodies of webhooks that name somebody else as well are left out: others have rights too (GDPR, article 15(4)).
    """
    # One snapshot: what refers to a row of another table finds it.
    async with transaction(isolation="REPEATABLE READ"):
        tables = {holding.table: await _rows(holding, person_id) for holding in HOLDINGS}
        if not tables["user"]:
            return None
        await _leave_out_others(tables["webhook_event"], person_id)
        tracks = {f"{table}.{column}": await _count(table, column, person_id) for table, column in TRACKS}
        # In the same transaction: no copy without its trace.
        await record_reads(
            [(person_id, EXPORTED)],
            viewer_kind=UserKind.STAFF,
            viewer_id=exported_by,
            organization_id=None,
            request_id=request_id,
            now=now,
        )
    content = {
        "format": _FORMAT,
        "person": str(person_id),
        "exported_at": now,
        "tables": {table: rows for table, rows in tables.items() if rows},
        "acted_on_rows_of_others": {name: number for name, number in tracks.items() if number},
    }
    return PersonCopy(content=content, rows=sum(map(len, tables.values())))


async def _rows(holding: Holding, person_id: UUID) -> list[dict[str, Any]]:
    rows = await fetch_all(f'SELECT * FROM "{holding.table}" WHERE {holding.condition}', person_id)
    return [
        {column: _plain(holding, column, value) for column, value in row.items() if holding.shows(column)}
        for row in rows
    ]


def _plain(holding: Holding, column: str, value: Any) -> Any:
    if value is None:
        return None
    if column in holding.sealed:
        value = key_ring().open(bytes(value))
    if column in holding.documents:
        return orjson.loads(value)
    # asyncpg's UUIDs are a class of their own, which orjson does not know.
    return str(value) if isinstance(value, UUID) else value


async def _leave_out_others(events: list[dict[str, Any]], person_id: UUID) -> None:
    shared = await fetch_all(_OTHERS_NAMED, person_id, [event["id"] for event in events])
    hidden = {str(row["id"]) for row in shared}
    for event in events:
        if event["id"] in hidden:
            event["body"] = None


async def _count(table: str, column: str, person_id: UUID) -> int:
    return (await fetch_all(f'SELECT count(*) AS number FROM "{table}" WHERE {column} = $1', person_id))[0]["number"]
