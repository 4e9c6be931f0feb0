"""The ticks that forget: traces by their age, cancellations into statistics, the rest of erased people."""

from __future__ import annotations

from datetime import timedelta

from jobs.context import WorkerContext
from services.clock import utc_now
from services.privacy.erasing import finish_erasures
from services.privacy.retention import count_old_cancellations, forget_traces
from services.runs import exclusive_run

FORGET_TRACES = "forget_traces"
COUNT_CANCELLATIONS = "count_old_cancellations"


async def forget_old_traces(context: WorkerContext) -> None:
    """Tick: delete who read what, what was tried, and the rows of webhooks, by their age."""
    async with exclusive_run(FORGET_TRACES, every=timedelta(hours=1)) as run:
        if run is not None:
            run.summary = await forget_traces(
                context.traces_kept,
                now=utc_now(),
                keep_going=lambda: run.is_ours and not context.rounds.stop.is_set(),
            )


async def count_cancellations(context: WorkerContext) -> None:
    """Tick: replace old cancellations by statistics, then delete what was kept of erased people."""
    async with exclusive_run(COUNT_CANCELLATIONS, every=timedelta(hours=1)) as run:
        if run is not None:
            counted = await count_old_cancellations(
                now=utc_now(), keep_going=lambda: run.is_ours and not context.rounds.stop.is_set()
            )
            run.summary = {"counted": counted, "erasures_finished": await finish_erasures(now=utc_now())}
