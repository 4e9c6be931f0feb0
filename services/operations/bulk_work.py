"""A worker goes through the rows of a run, some at a time; each batch is one transaction with its traces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import structlog

from models.database import run_in_transaction, write
from models.enums import AuditAction, NotificationStatus, OperationKind, WebhookEventStatus
from models.states import NotificationEvent, next_notification_status
from services.clock import Clock, utc_now
from services.leases import DEFAULT_LEASE, Lease, LeasedTable
from services.operations.audit import AuditSubject, SubjectType, record
from services.operations.runs import RunFilter, conditions_for, filter_of

log = structlog.get_logger(__name__)

BATCH_SIZE = 100
MOST_FAILURES = 5
"""Batches that break one after the other; then the run is given up, and somebody must look."""
AFTER_FAILURE = timedelta(minutes=1)

_CLAIM = """
UPDATE operation_run SET state = 'running', started_at = coalesce(started_at, $1), lease_token = $2,
    lease_until = clock_timestamp() + $3::interval
WHERE id = (
    SELECT id FROM operation_run
    WHERE next_attempt_at <= $1 AND (lease_until IS NULL OR lease_until < clock_timestamp())
    ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, criteria, author_id, reason
"""
_TAKE = """
DELETE FROM operation_run_item WHERE id IN (
    SELECT id FROM operation_run_item WHERE run_id = $1 ORDER BY id LIMIT $2
)
RETURNING subject_type, subject_id
"""
_NOTE = """
UPDATE operation_run SET changed = changed + $3, skipped = skipped + $4, failures = 0, error_class = NULL
WHERE id = $1 AND lease_token = $2 AND lease_until > clock_timestamp() RETURNING id
"""
_FINISH = """
UPDATE operation_run SET state = 'finished', finished_at = $3, next_attempt_at = NULL, lease_token = NULL,
    lease_until = NULL
WHERE id = $1 AND lease_token = $2 RETURNING changed, skipped, total
"""
_BROKEN = """
UPDATE operation_run SET failures = failures + 1, error_class = $3, lease_token = NULL, lease_until = NULL,
    state = CASE WHEN failures + 1 >= $4 THEN 'failed' ELSE 'running' END,
    finished_at = CASE WHEN failures + 1 >= $4 THEN $5::timestamptz END,
    next_attempt_at = CASE WHEN failures + 1 < $4 THEN $6::timestamptz END
WHERE id = $1 AND lease_token = $2 RETURNING state
"""
# Locked and read before, changed after: what was there is for the record. What another worker holds is left to it.
_REARM = """
WITH before AS (
    SELECT id, pe_notification_status AS status, pe_notification_exit_code AS code FROM {table}
    WHERE id = ANY ({ids}::uuid[]) AND (lease_until IS NULL OR lease_until < clock_timestamp()) AND {where}
    FOR UPDATE SKIP LOCKED
)
UPDATE {table} AS rearmed SET pe_notification_status = '{pending}', next_attempt_at = NULL
FROM before WHERE rearmed.id = before.id
RETURNING rearmed.id, before.status, before.code
"""
_REPLAY = """
WITH before AS (
    SELECT id, status, error, attempts FROM {table}
    WHERE id = ANY ({ids}::uuid[]) AND (lease_until IS NULL OR lease_until < clock_timestamp()) AND {where}
    FOR UPDATE SKIP LOCKED
)
UPDATE {table} AS replayed SET status = 'received', attempts = 0, error = NULL, processed_at = NULL,
    next_attempt_at = NULL
FROM before WHERE replayed.id = before.id
RETURNING replayed.id, before.status, before.error, before.attempts
"""


@dataclass(slots=True, kw_only=True)
class BulkSummary:
    """What one round did, over all runs."""

    runs: int = 0
    changed: int = 0
    skipped: int = 0
    broken: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A run that is ours, as it was confirmed."""

    lease: Lease
    id: UUID
    kind: OperationKind
    filter: RunFilter
    author_id: UUID
    reason: str


class _LeaseLost(Exception):
    """Takes the batch back: another worker goes on, or the run was cancelled. Never leaves this module."""


async def work_through_runs(
    *,
    clock: Clock = utc_now,
    batch_size: int = BATCH_SIZE,
    lease: timedelta = DEFAULT_LEASE,
    keep_going: Callable[[], bool] = lambda: True,
) -> BulkSummary:
    """Go through every run that is due, until none is left. Safe in any number of workers: each run is held by one.

    `keep_going` is asked before each batch; what is left is taken up by another worker.
    """
    summary = BulkSummary()
    while keep_going():
        held = await _claim(clock(), lease)
        if held is None:
            break
        summary.runs += 1
        async with held.lease.kept():
            await _work_through(held, summary, clock, batch_size, keep_going)
    return summary


async def _work_through(
    held: _Held, summary: BulkSummary, clock: Clock, batch_size: int, keep_going: Callable[[], bool]
) -> None:
    while keep_going():
        try:
            outcome = await run_in_transaction(lambda: _batch(held, batch_size, clock()))
        except _LeaseLost:
            return
        except Exception as error:  # noqa: BLE001 - one broken run must not keep the others from their turn
            summary.broken += 1
            await _broken(held, error, clock())
            return
        if outcome is None:
            await _finish(held, clock())
            return
        changed, skipped = outcome
        summary.changed += changed
        summary.skipped += skipped
    await held.lease.release()


async def _batch(held: _Held, size: int, now: datetime) -> tuple[int, int] | None:
    """Return how many rows were changed, and how many left alone; None: there are none left."""
    items = await write(_TAKE, held.id, size)
    if not items:
        return None
    subjects: list[AuditSubject] = []
    for table in dict.fromkeys(SubjectType(item["subject_type"]) for item in items):
        ids = [item["subject_id"] for item in items if item["subject_type"] == table.value]
        subjects += await _change(held, table, ids)
    if subjects:
        action = (
            AuditAction.NOTIFICATION_RETRIED
            if held.kind is OperationKind.RETRY_NOTIFICATIONS
            else AuditAction.WEBHOOK_REPLAYED
        )
        await record(action, *subjects, by=held.author_id, now=now, reason=held.reason, run_id=held.id)
    skipped = len(items) - len(subjects)
    if not await write(_NOTE, held.id, held.lease.token, len(subjects), skipped):
        raise _LeaseLost
    return len(subjects), skipped


async def _change(held: _Held, table: SubjectType, ids: Sequence[UUID]) -> list[AuditSubject]:
    """Change the rows that still match what was confirmed. What has moved on since is none of the operator's choice."""
    conditions = conditions_for(held.filter, table)
    conditions.values.append(list(ids))
    statement = _REARM if held.kind is OperationKind.RETRY_NOTIFICATIONS else _REPLAY
    rows = await write(
        statement.format(
            table=table.value, ids=f"${len(conditions.values)}", where=conditions.where, pending=_after_retry()
        ),
        *conditions.values,
    )
    return [_subject(table, row) for row in rows]


def _subject(table: SubjectType, row: dict[str, Any]) -> AuditSubject:
    before = {name: value for name, value in row.items() if name != "id"}
    if table is SubjectType.WEBHOOK_EVENT:
        after = {"status": WebhookEventStatus.RECEIVED.value, "error": None, "attempts": 0}
    else:
        after = {"status": _after_retry(), "code": before["code"]}
    return AuditSubject(type=table, id=str(row["id"]), before=before, after=after)


def _after_retry() -> str:
    # The same from every status; the table of transitions is where that is said.
    following = next_notification_status(NotificationStatus.ERROR, NotificationEvent.RETRIED)
    return (following or NotificationStatus.PENDING).value


async def _claim(now: datetime, lease: timedelta) -> _Held | None:
    token = uuid4()
    rows = await write(_CLAIM, now, token, lease)
    if not rows:
        return None
    row = rows[0]
    kind = OperationKind(row["kind"])
    return _Held(
        lease=Lease(table=LeasedTable.OPERATION_RUN, key=row["id"], token=token, duration=lease),
        id=row["id"],
        kind=kind,
        filter=filter_of(kind, orjson.loads(row["criteria"])),
        author_id=row["author_id"],
        reason=row["reason"],
    )


async def _finish(held: _Held, now: datetime) -> None:
    rows = await write(_FINISH, held.id, held.lease.token, now)
    if rows:
        log.info("operation_run_finished", run_id=str(held.id), kind=held.kind.value, **rows[0])


async def _broken(held: _Held, error: Exception, now: datetime) -> None:
    # The class alone: the text may hold what a row held.
    name = type(error).__name__[:64]
    rows = await write(_BROKEN, held.id, held.lease.token, name, MOST_FAILURES, now, now + AFTER_FAILURE)
    state = rows[0]["state"] if rows else None
    log.error("operation_run_broken", run_id=str(held.id), kind=held.kind.value, error_class=name, state=state)
