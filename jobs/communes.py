"""The local table of communes is brought up to date once a day; after a failure, within the hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from clients.errors import PartnerError
from jobs.context import WorkerContext
from services.commune_synchronisation import RUN, ImplausibleCountryError, synchronise_communes
from services.runs import exclusive_run, has_succeeded

log = structlog.get_logger(__name__)

# A little less than what the ticks are apart, which are not to the second.
_AFTER_SUCCESS = timedelta(hours=23, minutes=30)
_AFTER_FAILURE = timedelta(minutes=50)


async def begin_synchronising(context: WorkerContext) -> None:
    """Tick: begin the round in the background, in this process."""
    context.rounds.start(RUN, lambda: synchronise(context))


async def synchronise(context: WorkerContext) -> None:
    """One round, unless the last one that succeeded is less than a day ago. What fails leaves the table as it was."""
    client = context.api_geo
    if client is None:
        return
    every = _AFTER_SUCCESS if await has_succeeded(RUN) else _AFTER_FAILURE
    try:
        async with exclusive_run(RUN, every=every) as run:
            if run is not None:
                run.summary = (await synchronise_communes(client, now=datetime.now(UTC))).as_json()
    except PartnerError as error:
        log.error("communes_not_synchronised", partner=error.partner, reason=error.reason)  # noqa: TRY400
    except ImplausibleCountryError as error:
        log.error("communes_not_synchronised", reason=f"{error}")  # noqa: TRY400
