"""A run of notifications: what is due, in the order of the rules, up to the size of a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog

from clients.france_travail import FranceTravailClient
from models.database import transaction
from models.enums import NotificationStatus as Status
from services.clock import Clock, paris_day, utc_now
from services.leases import DEFAULT_LEASE
from services.notification.announcing import Announcer
from services.notification.claims import Due, Order, Subject, claim_next, count_due, list_due
from services.notification.promotion import Promoted, revive_and_promote
from services.notification.summary import BatchSummary
from services.notification.verdicts import BatchStop

log = structlog.get_logger(__name__)

BATCH_SIZE = 140
_REPLAYS_AFTER_429 = 1


@dataclass(frozen=True, slots=True)
class Pass:
    """Send the due rows of one status in one order, `limit` at most."""

    status: Status
    order: Order
    limit: int


async def notify_batch(
    *,
    france_travail: FranceTravailClient,
    batch_size: int = BATCH_SIZE,
    lease: timedelta = DEFAULT_LEASE,
    clock: Clock = utc_now,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    keep_going: Callable[[], bool] = lambda: True,
    trace_id: str | None = None,
) -> BatchSummary:
    """Announce what is due: approvals first, cancellations with what is left of the batch.

    Safe to run in several workers at once: each row is claimed by one of them, and tried once a run. `keep_going` is
    asked before each record. An alarm is an error-level log, `notification_alarm`.
    """
    started_at = clock()
    promoted = await revive_and_promote(today=paris_day(started_at))
    summary = BatchSummary(batch_size=batch_size, revived=promoted.revived, promoted=promoted.ready)
    announcer = Announcer(
        france_travail=france_travail,
        lease=lease,
        clock=clock,
        sleep=sleep,
        replays=_REPLAYS_AFTER_429,
        trace_id=trace_id,
    )

    def due(status: Status) -> Due:
        return Due(status=status, now=clock(), run_started_at=started_at)

    for subject in Subject:
        for a_pass in await _passes(subject, due, room=summary.room):
            await _send_pass(subject, a_pass, due, announcer, summary, keep_going)
    log.info("notification_run_finished", **summary.as_json())
    if summary.alarm is not None:
        log.error("notification_alarm", reason=summary.alarm.value, **summary.as_json())
    return summary


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPreview:
    """What a run would do now. `due`: the rows it would try, in its order."""

    revived: int
    promoted: int
    due: tuple[tuple[Subject, UUID], ...]


@dataclass(eq=False)
class _Rehearsal(Exception):
    """Rolls the rehearsed run back, and carries out what it saw. Never leaves this module."""

    promoted: Promoted
    due: list[tuple[Subject, UUID]] = field(default_factory=list[tuple[Subject, UUID]])


async def preview_batch(*, batch_size: int = BATCH_SIZE, clock: Clock = utc_now) -> BatchPreview:
    """Tell what `notify_batch` would do, by its own statements, and write nothing: all of it is rolled back."""
    started_at = clock()

    def due(status: Status) -> Due:
        return Due(status=status, now=started_at, run_started_at=started_at)

    try:
        async with transaction():
            rehearsal = _Rehearsal(await revive_and_promote(today=paris_day(started_at)))
            for subject in Subject:
                await _list_passes(subject, due, rehearsal.due, batch_size)
            raise rehearsal
    except _Rehearsal as seen:
        return BatchPreview(revived=seen.promoted.revived, promoted=seen.promoted.ready, due=tuple(seen.due))


async def _passes(subject: Subject, due: Callable[[Status], Due], *, room: int) -> Sequence[Pass]:
    """First what failed before, then what is ready, then the rest of what failed before.

    What fails for ever is retried for ever: while others wait it gets half of the room, and where it does not fit, the
    oldest attempt comes first, so that each has its turn.
    """
    retries = await count_due(subject, due(Status.SHOULD_RETRY))
    ready = await count_due(subject, due(Status.READY))
    share = room // 2 if ready else room
    order = Order.NEWEST_START if retries <= share else Order.OLDEST_ATTEMPT
    return (
        Pass(Status.SHOULD_RETRY, order, share),
        Pass(Status.READY, Order.NEWEST_START, room),
        Pass(Status.SHOULD_RETRY, order, room),
    )


async def _send_pass(
    subject: Subject,
    a_pass: Pass,
    due: Callable[[Status], Due],
    announcer: Announcer,
    summary: BatchSummary,
    keep_going: Callable[[], bool],
) -> None:
    for _ in range(min(a_pass.limit, summary.room)):
        if summary.stopped_by is not None:
            return
        if not keep_going():
            summary.stopped_by = BatchStop.INTERRUPTED
            return
        claim = await claim_next(subject, due(a_pass.status), a_pass.order, lease=announcer.lease)
        if claim is None:
            return
        summary.add(await announcer.announce(claim))


async def _list_passes(
    subject: Subject, due: Callable[[Status], Due], listed: list[tuple[Subject, UUID]], batch_size: int
) -> None:
    for a_pass in await _passes(subject, due, room=batch_size - len(listed)):
        room = min(a_pass.limit, batch_size - len(listed))
        ids = await list_due(subject, due(a_pass.status), a_pass.order, a_pass.limit)
        listed += [(subject, row_id) for row_id in ids if (subject, row_id) not in listed][:room]
