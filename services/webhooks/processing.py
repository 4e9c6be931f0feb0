"""Applying the events of resources, in one transaction with their outcomes.

The transaction holds the lock of each resource: of all workers, one at a time applies anything to it. Within it effects
are written and outcomes recorded; a worker that dies leaves both or neither. Whatever waits of a resource goes
together, whoever holds its leases, and the newest state first: the older ones then find nothing left to change.

Resources go a few together, because a commit costs more than what it commits. Where that does not work out, each goes
alone, and whatever is wrong stays with the one event that it is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

import asyncpg
import structlog

from models.database import fetch_all, lock_for_transaction, run_in_transaction, write
from models.encryption import EncryptionError, key_ring
from models.enums import Partner, WebhookEventStatus
from services.clock import Clock
from services.event_log import appending_together
from services.webhooks.claims import Resource
from services.webhooks.outcomes import Applied, Failed, Ignored, Outcome, Unmatched

log = structlog.get_logger(__name__)

WORKER_DIED = "worker_died"
BODY_SEALED = "body_cannot_be_opened"
PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""After the first accident, the second, and so on."""
MAX_ATTEMPTS = len(PAUSES) + 1
EVENTS_TOGETHER = 20
"""Of one resource, in one transaction: bodies are up to a megabyte, and what fails undoes the others' effects."""
DEADLINE = timedelta(seconds=20)
"""For one transaction; above the longest statement, below the lease."""

# Fingerprints are compared byte by byte, as Python does: other collations have other ideas of digits and letters.
NEWEST_FIRST = 'precedence DESC, resource_at DESC NULLS LAST, event_rank DESC NULLS LAST, fingerprint COLLATE "C" DESC'
_DUE = f"""
SELECT id, body, received_at, attempts FROM webhook_event
WHERE source = $1 AND model = $2 AND resource_id = $3 AND status = 'received'
    AND (next_attempt_at IS NULL OR next_attempt_at <= $4)
ORDER BY {NEWEST_FIRST} LIMIT {EVENTS_TOGETHER}
"""
_DUE_OF_SEVERAL = f"""
SELECT event.id, body, received_at, attempts, source FROM webhook_event AS event
JOIN unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS resource (source, model, resource_id, ordinality)
    USING (source, model, resource_id)
WHERE status = 'received' AND (next_attempt_at IS NULL OR next_attempt_at <= $4)
ORDER BY ordinality, {NEWEST_FIRST} LIMIT {EVENTS_TOGETHER}
"""
# In one order, so that nobody waits for somebody who waits for them.
_LOCK_SEVERAL = """
SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM (SELECT unnest($1::text[]) AS key ORDER BY key) AS keys
"""
_SETTLE = """
UPDATE webhook_event AS event SET status = settled.status, error = settled.reason, processed_at = $4,
    next_attempt_at = NULL, lease_token = NULL, lease_until = NULL
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS settled (id, status, reason)
WHERE event.id = settled.id AND event.status = 'received'
RETURNING event.id
"""
_POSTPONE = """
UPDATE webhook_event SET status = $2, error = $3, processed_at = $4, next_attempt_at = $5,
    attempts = greatest(attempts, 1), lease_token = NULL, lease_until = NULL
WHERE id = $1 AND status = 'received' RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingEvent:
    """An event that is about to be applied."""

    id: UUID
    body: bytes = field(repr=False)
    received_at: datetime


Applier = Callable[[PendingEvent, datetime], Awaitable[Outcome]]
"""Writes the effect of an event, given the time. Called in a transaction, with the resource locked."""

Appliers = Mapping[Partner, Applier]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the events, those of one resource newest first."""

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Accident:
    """An event could not be applied, and is tried again later unless `is_final`. `code`: the class of the error."""

    event_id: UUID
    code: str
    is_final: bool


async def process_together(resources: Sequence[Resource], appliers: Appliers, *, clock: Clock) -> Settled | None:
    """Apply what is due of several resources in one transaction. None: it was undone, something is wrong.

    At most EVENTS_TOGETHER events; what is left of the resources is still due. Raises nothing: whoever is told None
    asks for each of them alone, and hears then what it is.
    """
    keys = [resource.lock_key for resource in resources]
    columns = [[r.source.value for r in resources], [r.model for r in resources], [r.id for r in resources]]

    async def apply_and_record() -> Settled:
        await fetch_all(_LOCK_SEVERAL, keys)
        rows = await fetch_all(_DUE_OF_SEVERAL, *columns, clock())
        if not rows:
            return Settled(())
        async with appending_together(clock):
            outcomes = [await _outcome(row, appliers[Partner(row["source"])], clock) for row in rows]
            await _settle(rows, outcomes, clock())
        return Settled(tuple(outcomes))

    try:
        async with asyncio.timeout(DEADLINE.total_seconds()):
            return await run_in_transaction(apply_and_record)
    except Exception as error:  # noqa: BLE001 - of an applier or of PostgreSQL: alone, each tells its own
        # The class alone: the text may hold a piece of an event.
        log.info("webhook_events_apart", resources=len(resources), error_class=type(error).__name__)
        return None


async def process_due(resource: Resource, appliers: Appliers, *, clock: Clock) -> Settled | Accident | None:
    """Apply what is due of the resource. None: nothing is, or another worker is long at it.

    Whatever an applier raises becomes an accident of that event, and the others are still due. Raises only what the
    absence of PostgreSQL does.
    """
    at_work: list[asyncpg.Record] = []

    async def apply_and_record() -> Settled | None:
        at_work.clear()
        await lock_for_transaction(resource.lock_key)
        # After the lock, in a statement of its own: it sees what the last holder of the lock committed.
        rows = await fetch_all(_DUE, resource.source.value, resource.model, resource.id, clock())
        outcomes: list[Outcome] = []
        for row in rows:
            at_work[:] = [row]
            outcomes.append(await _outcome(row, appliers[resource.source], clock))
        if not outcomes:
            return None
        await _settle(rows, outcomes, clock())
        return Settled(tuple(outcomes))

    try:
        async with asyncio.timeout(DEADLINE.total_seconds()):
            settled = await run_in_transaction(apply_and_record)
    except Exception as error:
        if at_work:
            # One bad event must not keep others from their turn. Where PostgreSQL is what is missing, this raises too.
            return await _postpone(resource, at_work[0], type(error).__name__, now=clock())
        if isinstance(error, asyncpg.LockNotAvailableError):
            return None
        raise
    return settled


async def _outcome(row: asyncpg.Record, apply: Applier, clock: Clock) -> Outcome:
    if row["attempts"] > MAX_ATTEMPTS:
        # No attempt ended, not even badly: it takes its worker with it.
        return _told(row, Failed(WORKER_DIED))
    try:
        body = key_ring().open(bytes(row["body"])).encode()
    except EncryptionError:
        return _told(row, Failed(BODY_SEALED))
    return _told(row, await apply(PendingEvent(id=row["id"], body=body, received_at=row["received_at"]), clock()))


def _told(row: asyncpg.Record, outcome: Outcome) -> Outcome:
    if isinstance(outcome, Failed):
        log.error("webhook_event_failed", event_id=str(row["id"]), code=outcome.code)
    return outcome


async def _settle(rows: Sequence[asyncpg.Record], outcomes: Sequence[Outcome], now: datetime) -> None:
    written = [_written(outcome) for outcome in outcomes]
    await write(
        _SETTLE,
        [row["id"] for row in rows],
        [status.value for status, _ in written],
        [reason for _, reason in written],
        now,
    )


def _written(outcome: Outcome) -> tuple[WebhookEventStatus, str | None]:
    match outcome:
        case Applied():
            return WebhookEventStatus.PROCESSED, None
        case Ignored():
            return WebhookEventStatus.IGNORED, outcome.reason
        case Unmatched():
            return WebhookEventStatus.UNMATCHED, outcome.reason
        case Failed():
            return WebhookEventStatus.FAILED, outcome.code
        case _:
            assert_never(outcome)


async def _postpone(resource: Resource, row: asyncpg.Record, code: str, *, now: datetime) -> Accident:
    """Record an accident, by the class of the error, outside the transaction that it undid."""
    attempts = max(int(row["attempts"]), 1)
    is_final = attempts >= MAX_ATTEMPTS
    status = WebhookEventStatus.FAILED if is_final else WebhookEventStatus.RECEIVED
    next_attempt_at = None if is_final else now + PAUSES[attempts - 1]
    await write(_POSTPONE, row["id"], status.value, code, now if is_final else None, next_attempt_at)
    # The class alone: the text may hold a piece of the event.
    log.error(
        "webhook_event_given_up" if is_final else "webhook_event_postponed",
        event_id=str(row["id"]),
        source=resource.source.value,
        model=resource.model,
        error_class=code,
        attempts=attempts,
    )
    return Accident(row["id"], code, is_final)
