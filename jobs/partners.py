"""What was seen of partners is kept for a week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jobs.context import WorkerContext
from services.partner_health import forget_old_calls
from services.runs import exclusive_run

FORGET_PARTNER_CALLS = "forget_partner_calls"


async def forget_partner_calls(_: WorkerContext) -> None:
    """Tick: delete the minutes that nobody looks at any more."""
    async with exclusive_run(FORGET_PARTNER_CALLS, every=timedelta(hours=1)) as run:
        if run is not None:
            run.summary = {"deleted": await forget_old_calls(now=datetime.now(UTC))}
