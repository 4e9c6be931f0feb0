"""The tick that forgets old appointments."""

from __future__ import annotations

from datetime import timedelta

from jobs.context import WorkerContext
from services.appointments.retention import forget_old_appointments
from services.clock import utc_now
from services.runs import exclusive_run

FORGET_APPOINTMENTS = "forget_appointments"


async def forget_appointments(context: WorkerContext) -> None:
    """Tick: delete the appointments whose time is over."""
    async with exclusive_run(FORGET_APPOINTMENTS, every=timedelta(hours=1)) as run:
        if run is not None:
            forgotten = await forget_old_appointments(
                context.appointments_kept,
                now=utc_now(),
                keep_going=lambda: run.is_ours and not context.rounds.stop.is_set(),
            )
            run.summary = {"deleted": forgotten}
