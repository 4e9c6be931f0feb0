"""The door of surveys: every minute, what recent hirings call for."""

from __future__ import annotations

from datetime import timedelta

from jobs.context import WorkerContext
from services.runs import exclusive_run
from services.surveys import link_late_answers, offer_and_send

SEND_SURVEYS = "send_surveys"

# Below the minute between two ticks.
_BETWEEN_RUNS = timedelta(seconds=50)


async def begin_surveys(context: WorkerContext) -> None:
    """Tick: begin the sweep in the background, in this process."""
    context.rounds.start(SEND_SURVEYS, lambda: send_surveys(context))


async def send_surveys(context: WorkerContext) -> None:
    """One sweep: surveys that are missing, answers that waited for theirs, mails that are due."""
    plan = context.surveys
    if plan is None:
        return
    async with exclusive_run(SEND_SURVEYS, every=_BETWEEN_RUNS) as run:
        if run is None:
            return
        linked = await link_late_answers()
        summary = await offer_and_send(plan, keep_going=lambda: run.is_ours and not context.rounds.stop.is_set())
        run.summary = {**summary.as_json(), "linked": linked}
