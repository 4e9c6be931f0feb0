"""The door of geocoding: one address when the bell rings for it, and every minute whatever else is due."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from jobs.context import WorkerContext
from services.address_book import AddressTable, geocode_due, geocode_one
from services.runs import exclusive_run

GEOCODE_JOB_SEEKER = "geocode_job_seeker"
GEOCODE_COMPANY = "geocode_company"
GEOCODE_DUE = "geocode_addresses"

# Below the minute between two ticks.
_BETWEEN_RUNS = timedelta(seconds=50)


async def geocode_job_seeker(context: WorkerContext, job_seeker_id: UUID) -> None:
    """Job: geocode the address of one person, if it is due."""
    await _geocode(context, AddressTable.JOB_SEEKER, job_seeker_id)


async def geocode_company(context: WorkerContext, company_id: UUID) -> None:
    """Job: geocode the address of one company, if it is due."""
    await _geocode(context, AddressTable.COMPANY, company_id)


async def begin_geocoding(context: WorkerContext) -> None:
    """Tick: begin the sweep in the background, in this process."""
    context.rounds.start(GEOCODE_DUE, lambda: geocode_addresses(context))


async def geocode_addresses(context: WorkerContext) -> None:
    """One sweep over the addresses that are due."""
    ban = context.ban
    if ban is None:
        return
    async with exclusive_run(GEOCODE_DUE, every=_BETWEEN_RUNS) as run:
        if run is None:
            return
        summary = await geocode_due(ban=ban, keep_going=lambda: run.is_ours and not context.rounds.stop.is_set())
        run.summary = summary.as_json()


async def _geocode(context: WorkerContext, table: AddressTable, row_id: UUID) -> None:
    if context.ban is not None:
        await geocode_one(table, row_id, ban=context.ban)
