"""The doors of certification: ticks of the cron begin rounds, which may last as long as they must."""

from __future__ import annotations

from datetime import timedelta

from jobs.context import WorkerContext
from services.certification import ask_due_questions, certify_due_job_seekers, take_up_unanswered
from services.clock import utc_now
from services.runs import exclusive_run

CERTIFY_DUE = "certify_job_seekers"
ASK_DUE = "ask_api_particulier"
TAKE_UP_UNANSWERED = "take_up_unanswered"
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


async def begin_asking(context: WorkerContext) -> None:
    """Tick: begin the round over the questions that are due at API Particulier."""
    if context.api_particulier is not None:
        context.rounds.start(ASK_DUE, lambda: ask_due(context))


async def ask_due(context: WorkerContext) -> None:
    """One run over what was asked for and has no answer yet."""
    api_particulier = context.api_particulier
    if api_particulier is None:
        return
    async with exclusive_run(ASK_DUE) as run:
        if run is None:
            return
        summary = await ask_due_questions(
            api_particulier=api_particulier, keep_going=lambda: run.is_ours and not context.rounds.stop.is_set()
        )
        run.summary = summary.as_json()


async def take_up_unanswered_questions(context: WorkerContext) -> None:
    """Tick: make due again what was given up a week ago; the next round asks."""
    if context.api_particulier is None:
        return
    async with exclusive_run(TAKE_UP_UNANSWERED, every=timedelta(hours=1)) as run:
        if run is not None:
            run.summary = {"taken_up": await take_up_unanswered(utc_now())}
