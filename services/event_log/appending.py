"""Appending to the log of appointments, in the transaction that changes them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime

from models.database import write
from services.clock import Clock
from services.event_log.entries import AppointmentChanged, LogEntry

# A sequence gives its numbers in the order in which they are asked for, not in that of the commits: a reader that saw 8
# would never look for the 7 of a slower transaction. The lock is taken before the first number and held until the
# commit, so a number that can be read has none below it that is still to come. The notification is empty, and so one a
# transaction: it only says that the log is worth reading.
APPEND = """
WITH stream AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended('appointment_event', 0))),
appended AS (
    INSERT INTO appointment_event
        (occurred_at, kind, appointment_id, participation_id, company_id, previous_status, status)
    SELECT $1, entry.kind, entry.appointment_id, entry.participation_id, entry.company_id,
        entry.previous_status, entry.status
    FROM stream CROSS JOIN unnest($2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[])
        WITH ORDINALITY AS entry
        (kind, appointment_id, participation_id, company_id, previous_status, status, ordinality)
    ORDER BY entry.ordinality
    RETURNING position
)
SELECT pg_notify('event_log', '') FROM (SELECT count(*) FROM appended) AS counted
"""

_kept: ContextVar[list[LogEntry] | None] = ContextVar("entries_appended_together", default=None)


@asynccontextmanager
async def appending_together(clock: Clock) -> AsyncGenerator[None, None]:
    """Append at the end of the block, in one statement, what is appended in it. Within one transaction.

    For a transaction of several changes: with the first entry begins the wait of all other writers. Nothing is
    appended when the block raises.
    """
    entries: list[LogEntry] = []
    token = _kept.set(entries)
    try:
        yield
    finally:
        _kept.reset(token)
    await append(entries, now=clock())


async def append(entries: Sequence[LogEntry], *, now: datetime) -> None:
    """Append the entries, in their order. One statement; nothing for none.

    Call it as the last step of the transaction that made the changes: it waits for other writers of the log, and those
    that come after wait for the commit.
    """
    kept = _kept.get()
    if kept is not None:
        kept += entries
        return
    if not entries:
        return
    columns = zip(*(_row(entry) for entry in entries), strict=True)
    await write(APPEND, now, *(list(column) for column in columns))


def _row(entry: LogEntry) -> tuple[object, ...]:
    if isinstance(entry, AppointmentChanged):
        return (entry.kind.value, entry.appointment_id, None, entry.company_id, None, None)
    previous = entry.previous_status
    return (
        None,
        entry.appointment_id,
        entry.participation_id,
        entry.company_id,
        None if previous is None else previous.value,
        entry.status.value,
    )
