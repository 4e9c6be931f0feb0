"""How far back subscribers may resume: the logs they read are shortened every night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jobs.context import WorkerContext
from services.event_log.retention import purge_logs
from services.runs import exclusive_run

FORGET_EVENTS = "forget_events"


async def forget_events(context: WorkerContext) -> None:
    """Tick: delete what happened before the retention of the logs."""
    async with exclusive_run(FORGET_EVENTS, every=timedelta(hours=1)) as run:
        if run is not None:
            deleted = await purge_logs(before=datetime.now(UTC) - context.events_kept)
            run.summary = {stream.value: number for stream, number in deleted.items()}
