"""The door of invitations: every minute, whatever outcome is to be looked for."""

from __future__ import annotations

from datetime import timedelta

from jobs.context import WorkerContext
from services.appointments.reconciling import reconcile_due_attempts
from services.runs import exclusive_run

RECONCILE_DUE = "reconcile_invitations"

# Below the minute between two ticks.
_BETWEEN_RUNS = timedelta(seconds=50)


async def begin_reconciling(context: WorkerContext) -> None:
    """Tick: begin the sweep in the background, in this process."""
    context.rounds.start(RECONCILE_DUE, lambda: reconcile_invitations(context))


async def reconcile_invitations(context: WorkerContext) -> None:
    """One sweep over the invitations of which nobody knows whether they left."""
    client = context.rdv_insertion
    if client is None:
        return
    async with exclusive_run(RECONCILE_DUE, every=_BETWEEN_RUNS) as run:
        if run is None:
            return
        summary = await reconcile_due_attempts(
            client=client, keep_going=lambda: run.is_ours and not context.rounds.stop.is_set()
        )
        run.summary = summary.as_json()
