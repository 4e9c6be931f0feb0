"""What each process saw of its partners, written down every few seconds: one row a process, partner and minute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import orjson
import structlog

from models.database import write
from services.partner_health.recording import CallRecorder, CallsOfMinute, Minute
from services.tasks import end_tasks

log = structlog.get_logger(__name__)

INTERVAL = timedelta(seconds=5)
KEPT = timedelta(days=7)

# The whole minute each time, not what was added: a write whose answer got lost may be repeated.
_WRITE = """
INSERT INTO partner_calls (
    id, process_id, role, partner, minute_at, written_at, outcomes, durations, breakers, last_success_at,
    last_failure_at
)
SELECT gen_random_uuid(), $1, $2, seen.partner, seen.minute_at, $3, seen.outcomes, seen.durations, seen.breakers,
    seen.last_success_at, seen.last_failure_at
FROM jsonb_to_recordset($4::jsonb) AS seen (
    partner text, minute_at timestamptz, outcomes jsonb, durations integer[], breakers jsonb,
    last_success_at timestamptz, last_failure_at timestamptz
)
ON CONFLICT (process_id, partner, minute_at) DO UPDATE
SET written_at = excluded.written_at, outcomes = excluded.outcomes, durations = excluded.durations,
    breakers = excluded.breakers, last_success_at = excluded.last_success_at, last_failure_at = excluded.last_failure_at
RETURNING id
"""
_CLOSE = "UPDATE partner_calls SET breakers = '{}' WHERE process_id = $1 AND breakers <> '{}' RETURNING id"
_FORGET = "DELETE FROM partner_calls WHERE minute_at < $1 RETURNING id"


@asynccontextmanager
async def reporting(recorder: CallRecorder, role: str, *, interval: timedelta = INTERVAL) -> AsyncGenerator[UUID, None]:
    """Write down what the recorder sees while the block runs, and the rest at its end. `role`: `api` or `worker`."""
    process_id = uuid4()
    task = asyncio.create_task(_keep_reporting(recorder, process_id, role, interval))
    try:
        yield process_id
    finally:
        await end_tasks([task])
        await _try_to_report(recorder, process_id, role)
        await _leave(process_id)


async def report(recorder: CallRecorder, process_id: UUID, role: str, *, now: datetime) -> int:
    """Write what is not written yet, in at most one statement; returns the number of rows."""
    unwritten = recorder.unwritten()
    if not unwritten:
        return 0
    breakers = recorder.breakers()
    numbers = {minute: calls.outcomes.total() for minute, calls in unwritten.items()}
    rows = [_row(minute, calls, breakers.get(minute.partner, {})) for minute, calls in unwritten.items()]
    await write(_WRITE, process_id, role, now, orjson.dumps(rows).decode())
    recorder.forget(numbers)
    return len(rows)


async def forget_old_calls(*, now: datetime) -> int:
    """Delete the minutes that are older than a week; returns how many rows that were."""
    return len(await write(_FORGET, now - KEPT))


def _row(minute: Minute, calls: CallsOfMinute, breakers: Mapping[str, str]) -> dict[str, object]:
    return {
        "partner": minute.partner,
        "minute_at": minute.at,
        "outcomes": {outcome.value: number for outcome, number in calls.outcomes.items()},
        "durations": calls.durations,
        "breakers": breakers,
        "last_success_at": calls.last_success_at,
        "last_failure_at": calls.last_failure_at,
    }


async def _keep_reporting(recorder: CallRecorder, process_id: UUID, role: str, interval: timedelta) -> None:
    while True:
        await asyncio.sleep(interval.total_seconds())
        await _try_to_report(recorder, process_id, role)


async def _try_to_report(recorder: CallRecorder, process_id: UUID, role: str) -> None:
    try:
        await report(recorder, process_id, role, now=recorder.now())
    except Exception as error:  # noqa: BLE001 - figures must never end a process; the next try writes them
        log.warning("partner_calls_not_written", error_class=type(error).__name__)


async def _leave(process_id: UUID) -> None:
    try:
        await write(_CLOSE, process_id)
    except Exception as error:  # noqa: BLE001 - breakers of a process that is silent count for seconds only
        log.warning("partner_calls_not_signed_off", error_class=type(error).__name__)
