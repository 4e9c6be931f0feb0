"""The door of runs over many rows: begun when an operator confirms one, and every minute whatever is left of them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from jobs.context import WorkerContext
from services.operations.bulk_work import work_through_runs
from services.runs import exclusive_run

RUN_OPERATIONS = "run_operations"

# Below the minute between two ticks. The runs have leases of their own: workers may be at several at once.
_BETWEEN_RUNS = timedelta(seconds=50)


async def wake_operations(context: WorkerContext, _: UUID) -> None:
    """Job: somebody confirmed a run."""
    context.rounds.start(RUN_OPERATIONS, lambda: run_operations(context))


async def begin_operations(context: WorkerContext) -> None:
    """Tick: take up what a worker left behind."""
    context.rounds.start(RUN_OPERATIONS, lambda: sweep_operations(context))


async def sweep_operations(context: WorkerContext) -> None:
    """One sweep over the runs that are not over."""
    async with exclusive_run(RUN_OPERATIONS, every=_BETWEEN_RUNS) as run:
        if run is not None:
            summary = await work_through_runs(keep_going=lambda: run.is_ours and not context.rounds.stop.is_set())
            run.summary = summary.as_json()
            _wake(context, summary.changed)


async def run_operations(context: WorkerContext) -> None:
    """Go through the runs that wait, now."""
    summary = await work_through_runs(keep_going=lambda: not context.rounds.stop.is_set())
    _wake(context, summary.changed)


def _wake(context: WorkerContext, changed: int) -> None:
    if changed:
        context.inbox.awake.set()  # webhooks that were made due need not wait for the next look
