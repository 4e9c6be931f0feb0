"""The door of mails: one when the bell rings for it, and every minute whatever else is due."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from jobs.context import WorkerContext
from services.mails import send_due_mails
from services.mails import send_mail as send_one
from services.runs import exclusive_run

SEND_MAIL = "send_mail"
SEND_DUE = "send_mails"

# Below the minute between two ticks.
_BETWEEN_RUNS = timedelta(seconds=50)


async def send_mail(context: WorkerContext, mail_id: UUID) -> None:
    """Job: hand one mail over, if it is due."""
    if context.mail is not None:
        await send_one(mail_id, client=context.mail)


async def begin_sending(context: WorkerContext) -> None:
    """Tick: begin the sweep in the background, in this process."""
    context.rounds.start(SEND_DUE, lambda: send_mails(context))


async def send_mails(context: WorkerContext) -> None:
    """One sweep over the mails that are due."""
    client = context.mail
    if client is None:
        return
    async with exclusive_run(SEND_DUE, every=_BETWEEN_RUNS) as run:
        if run is None:
            return
        summary = await send_due_mails(
            client=client, keep_going=lambda: run.is_ours and not context.rounds.stop.is_set()
        )
        run.summary = summary.as_json()
