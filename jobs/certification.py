"""The door of the hourly certification: the tick of the cron begins a round, which may last as long as it must."""

from __future__ import annotations

from datetime import timedelta

from jobs.context import WorkerContext
from services.certification import certify_due_job_seekers
from services.runs import exclusive_run

CERTIFY_DUE = "certify_job_seekers"
# Below the hour between two ticks. Workers also tick when they start: those of one deployment must not all run.
_BETWEEN_RUNS = timedelta(minutes=50)


async def begin_certification(context: WorkerContext) -> None:
    """Tick: begin the round in the background, in this process."""
    context.rounds.start(CERTIFY_DUE, lambda: certify_due(context))


async def certify_due(context: WorkerContext) -> None:
    """One run over the job seekers that France Travail has not recognised yet."""
    france_travail = context.france_travail
    if france_travail is None:
        return
    async with exclusive_run(CERTIFY_DUE, every=_BETWEEN_RUNS) as run:
        if run is None:
            return
        summary = await certify_due_job_seekers(
            france_travail=france_travail,
            batch_size=context.certification_batch_size,
            keep_going=lambda: run.is_ours and not context.rounds.stop.is_set(),
        )
        run.summary = summary.as_json()
