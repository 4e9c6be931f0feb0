"""Reading the logs from a position on, and knowing whether everything after it is still there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg import Record

from models.database import fetch_all
from models.enums import AppointmentEventKind, ParticipationStatus
from services.event_log.entries import (
    AnyEntry,
    AppointmentChanged,
    ApprovalNotificationChanged,
    LogEvent,
    ParticipationStatusChanged,
    Stream,
)

Fetch = Callable[..., Awaitable[Sequence[Record]]]


class CursorExpired(Exception):
    """What came after the cursor cannot be told any more: read the present state, and follow it from there."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a log. `epoch` tells one log from another: of a database that was set up anew, say."""

    epoch: UUID
    position: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Events after a cursor, oldest first, and the cursor to go on from, which may lie beyond the last of them."""

    events: Sequence[LogEvent]
    cursor: Cursor
    is_last: bool


# The state of the log and its entries in one statement, and so from one snapshot: that nothing was deleted after the
# cursor holds for exactly the entries that are returned. $1 name, $2 position, $3 limit, $4 companies or null.
_READ = """
SELECT stream.epoch, stream.purged_through, greatest(stream.purged_through, head.position) AS head, entry.*
FROM event_stream AS stream
CROSS JOIN LATERAL (SELECT coalesce(max(position), 0) AS position FROM {table}) AS head
LEFT JOIN LATERAL (
    SELECT {columns} FROM {table}
    WHERE position > $2 AND ($4::uuid[] IS NULL OR {company})
    ORDER BY position LIMIT $3
) AS entry ON TRUE
WHERE stream.name = $1
ORDER BY entry.position
"""
_READS = {
    Stream.APPOINTMENTS: _READ.format(
        table=Stream.APPOINTMENTS,
        columns="position, occurred_at, kind, appointment_id, participation_id, company_id, previous_status, status",
        company="company_id = ANY($4)",
    ),
    # Approvals belong to no company: whoever asks for companies gets nothing.
    Stream.APPROVALS: _READ.format(
        table=Stream.APPROVALS, columns="position, occurred_at, approval_id", company="FALSE"
    ),
}
_KNOW = """
INSERT INTO event_stream (name, epoch) VALUES ($1, gen_random_uuid()) ON CONFLICT (name) DO NOTHING
"""
_LATEST = """
SELECT coalesce(min(position), 0) AS position FROM
    (SELECT position FROM {table} ORDER BY position DESC LIMIT $1) AS latest
"""


async def know_stream(stream: Stream, *, fetch: Fetch = fetch_all) -> None:
    """Give a log its identity, once for ever. One without had no reader yet."""
    await fetch(_KNOW, stream.value)


async def read_head(stream: Stream, *, fetch: Fetch = fetch_all) -> Cursor:
    """Return the cursor of the newest entry."""
    rows = await fetch(_READS[stream], stream.value, 0, 0, None)
    if not rows:
        await know_stream(stream, fetch=fetch)
        rows = await fetch(_READS[stream], stream.value, 0, 0, None)
    return Cursor(rows[0]["epoch"], rows[0]["head"])


async def read_tail(stream: Stream, number: int, *, fetch: Fetch = fetch_all) -> tuple[Cursor, Batch]:
    """Return the newest entries, at most `number`, and the cursor before them."""
    head = await read_head(stream, fetch=fetch)
    oldest = (await fetch(_LATEST.format(table=stream), number))[0]["position"]
    before = Cursor(head.epoch, max(oldest - 1, 0))
    try:
        return before, await read_after(stream, before, limit=number, fetch=fetch)
    except CursorExpired:  # all that was there has been deleted by age
        return head, Batch((), head, is_last=True)


async def read_after(
    stream: Stream,
    cursor: Cursor,
    *,
    limit: int,
    company_ids: Collection[UUID] | None = None,
    fetch: Fetch = fetch_all,
) -> Batch:
    """Return what comes after a cursor. One statement. Raises CursorExpired."""
    companies = None if company_ids is None else list(company_ids)
    rows = await fetch(_READS[stream], stream.value, cursor.position, limit, companies)
    if not rows:
        raise CursorExpired(f"{stream}: the log has no identity; it was emptied")
    state = rows[0]
    if state["epoch"] != cursor.epoch or not state["purged_through"] <= cursor.position <= state["head"]:
        raise CursorExpired(f"{stream}: position {cursor.position} is not, or no longer, in the log")
    events = [LogEvent(stream, row["position"], row["occurred_at"], _entry(row)) for row in rows if row["position"]]
    is_last = len(events) < limit
    position = state["head"] if is_last else events[-1].position
    return Batch(events, Cursor(cursor.epoch, position), is_last)


def _entry(row: Any) -> AnyEntry:
    if "approval_id" in row:
        return ApprovalNotificationChanged(approval_id=row["approval_id"])
    if row["kind"] is not None:
        return AppointmentChanged(
            kind=AppointmentEventKind(row["kind"]),
            appointment_id=row["appointment_id"],
            company_id=row["company_id"],
        )
    previous = row["previous_status"]
    return ParticipationStatusChanged(
        participation_id=row["participation_id"],
        appointment_id=row["appointment_id"],
        company_id=row["company_id"],
        previous_status=None if previous is None else ParticipationStatus(previous),
        status=ParticipationStatus(row["status"]),
    )
