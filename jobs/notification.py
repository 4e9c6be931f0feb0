"""The door of notifications: one approval when the bell rings, everything that is due every few minutes.

The run is no cron of arq. It may last longer than a job, its interval is a setting, and it must go on while Valkey is
away: so each worker looks every few seconds whether a run is due, and the row in `cron_run` lets one of them begin.
That row also keeps runs from overlapping, and hands the run of a killed worker on.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from jobs.context import WorkerContext
from services.clock import PARIS, utc_now
from services.notification import notify_batch, notify_one
from services.runs import exclusive_run
from telemetry.tracing import leave_out, trace_id

NOTIFY_APPROVAL = "notify_approval"
NOTIFY_DUE = "notify_approvals"

# Shorter than the bound of a job, so that an attempt that takes too long is recorded and not cut off.
DEADLINE = timedelta(seconds=45)
_LOOKS_AN_INTERVAL = 10
_LONGEST_PAUSE = timedelta(seconds=15)
_SHORTEST_PAUSE = timedelta(seconds=0.2)


async def notify_approval(context: WorkerContext, approval_id: UUID) -> None:
    """Job: announce one approval, or its cancellation, now. Whatever comes of it is on its row."""
    if context.france_travail is None or not context.notification.enabled:
        return
    await notify_one(
        approval_id,
        france_travail=context.france_travail,
        lease=context.notification.lease,
        deadline=DEADLINE,
        trace_id=new_trace_id(),
    )


async def notify_regularly(context: WorkerContext) -> None:
    """Begin the runs of this process, until it is to end."""
    plan = context.notification
    if context.france_travail is None or not plan.enabled:
        return
    pause = min(max(plan.interval / _LOOKS_AN_INTERVAL, _SHORTEST_PAUSE), _LONGEST_PAUSE)
    while not context.rounds.stop.is_set():
        if is_within_hours(utc_now(), last_hour=plan.last_hour):
            context.rounds.start(NOTIFY_DUE, lambda: notify_due(context))
        await context.rounds.pause(pause)


async def notify_due(context: WorkerContext) -> None:
    """One run over everything that is due, unless the last one began less than an interval ago."""
    france_travail, plan = context.france_travail, context.notification
    if france_travail is None:
        return
    async with exclusive_run(NOTIFY_DUE, every=plan.interval, lease=plan.lease) as run:
        if run is None:
            leave_out()
            return
        summary = await notify_batch(
            france_travail=france_travail,
            batch_size=plan.batch_size,
            lease=plan.lease,
            keep_going=lambda: run.is_ours and not context.rounds.stop.is_set(),
            trace_id=new_trace_id(),
        )
        run.summary = summary.as_json()


def is_within_hours(now: datetime, *, last_hour: int) -> bool:
    """Whether a run may start: from midnight in Paris, when that day's approvals begin, to the end of the last hour.

    The last hours of the day are left to France Travail, as the platform has always done; the day is the one that
    approvals are dated in.
    """
    return now.astimezone(PARIS).hour <= last_hour


def new_trace_id() -> str:
    """32 hexadecimal characters, the form of a W3C trace id: the attempts of one run bear the same one.

    Where traces are made it is that of the job or the run, so that an attempt leads to its trace.
    """
    return trace_id() or secrets.token_hex(16)
