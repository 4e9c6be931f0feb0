"""The inbox in a worker: woken by the bell, and looking by itself every few seconds.

No job of the queue does the work: a job is bounded to a minute and a burst is not, and while a job is answered its
bell is deaf. So the job only wakes the loop of its process. Without Valkey nobody rings, and all loops look.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from jobs.bell import PROCESS_WEBHOOKS
from services.clock import utc_now
from services.runs import exclusive_run
from services.tasks import end_tasks
from services.webhooks.engine import work_off
from services.webhooks.redrive import reopen_forgotten
from services.webhooks.retention import purge_bodies
from services.webhooks.silence import alarm_on_silence
from telemetry.tracing import leave_out

if TYPE_CHECKING:
    from jobs.context import WorkerContext

log = structlog.get_logger(__name__)

REOPEN_WEBHOOKS = "reopen_webhook_events"
PURGE_WEBHOOKS = "purge_webhook_bodies"
WATCH_WEBHOOKS = "watch_webhooks"

_LOOK_EVERY = timedelta(seconds=2)
_AFTER_FAILURE = timedelta(seconds=5)
_BETWEEN_SWEEPS = timedelta(minutes=5)


async def wake_inbox(context: WorkerContext, _: UUID) -> None:
    """Job: somebody stored an event."""
    context.inbox.awake.set()


async def process_webhooks(context: WorkerContext) -> None:
    """Work off the inbox whenever there is something in it, until the process is to end."""
    stop = context.rounds.stop
    while not stop.is_set():
        # Before looking: whoever rings while we look is heard afterwards.
        context.inbox.awake.clear()
        pause = _LOOK_EVERY
        try:
            with context.current.tracking(PROCESS_WEBHOOKS):
                summary = await work_off(context.inbox.appliers, keep_going=lambda: not stop.is_set())
                if not summary.total:
                    leave_out()
            if summary.total:
                log.info("webhooks_processed", **summary.as_json())
        except Exception as error:  # noqa: BLE001 - PostgreSQL may be back in a moment; what was claimed is free by then
            # The class alone: the text may hold a piece of an event.
            log.error("webhook_round_failed", error_class=type(error).__name__)  # noqa: TRY400
            context.inbox.awake.clear()
            pause = _AFTER_FAILURE
        await _until_woken(context, pause)


async def reopen_webhooks(context: WorkerContext) -> None:
    """Tick: look again at what was settled before the invitation that it is about was there."""
    async with exclusive_run(REOPEN_WEBHOOKS, every=_BETWEEN_SWEEPS) as run:
        if run is None:
            return
        reopened = await reopen_forgotten(now=utc_now())
        run.summary = {"reopened": reopened}
    if reopened:
        context.inbox.awake.set()


async def purge_webhooks(context: WorkerContext) -> None:
    """Tick: delete the bodies whose time is over."""
    async with exclusive_run(PURGE_WEBHOOKS, every=timedelta(hours=1)) as run:
        if run is not None:
            purged = await purge_bodies(
                context.inbox.retention,
                now=utc_now(),
                keep_going=lambda: run.is_ours and not context.rounds.stop.is_set(),
            )
            run.summary = {"purged": purged}


async def watch_webhooks(context: WorkerContext) -> None:
    """Tick: tell when a partner has fallen silent."""
    async with exclusive_run(WATCH_WEBHOOKS, every=timedelta(minutes=50)) as run:
        if run is not None:
            run.summary = {"silent": await alarm_on_silence(context.inbox.expected, now=utc_now())}


async def _until_woken(context: WorkerContext, pause: timedelta) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in (context.inbox.awake, context.rounds.stop)]
    try:
        await asyncio.wait(waiting, timeout=pause.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_tasks(waiting)
