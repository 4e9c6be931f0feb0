"""`traverse communes sync`, and what the doctor says of the local table of communes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rich.console import Console

from clients.api_geo import APIGeoClient
from clients.errors import PartnerError
from models.database import fetch_all
from services.commune_synchronisation import RUN, ImplausibleCountryError, Synchronisation, synchronise_communes
from services.runs import exclusive_run

_STATE = """
SELECT count(*) AS number, max(run.started_at) AS started_at, bool_and(run.succeeded) AS succeeded
FROM commune LEFT JOIN cron_run AS run ON run.name = $1
WHERE removed_at IS NULL
"""
_OLD_AFTER = timedelta(days=7)


async def synchronise_with_words(client: APIGeoClient, console: Console) -> bool:
    """Bring the table up to date now and say what became of it. False: it is as it was."""
    try:
        with console.status("Fetching the communes of France"):
            done = await _synchronise(client)
    except (PartnerError, ImplausibleCountryError) as error:
        console.print(f"Nothing was changed: {error}.")
        return False
    if done is None:
        console.print("Another process is at it right now: nothing was done here.")
        return False
    console.print(
        f"{done.received:,} communes and arrondissements: {done.added:,} new, {done.changed:,} changed,"
        f" {done.removed:,} not listed any more."
    )
    return True


async def describe_table(now: datetime) -> tuple[int, str]:
    """Return how many communes the table has, and what is wrong with it; empty where nothing is."""
    row = (await fetch_all(_STATE, RUN))[0]
    started_at: datetime | None = row["started_at"]
    if not row["number"]:
        return 0, "none is loaded"
    if row["succeeded"] is False:
        return row["number"], "the last round failed"
    if started_at is None or now - started_at > _OLD_AFTER:
        return row["number"], f"not brought up to date for more than {_OLD_AFTER.days} days"
    return row["number"], ""


async def _synchronise(client: APIGeoClient) -> Synchronisation | None:
    async with exclusive_run(RUN) as run:
        if run is None:
            return None
        done = await synchronise_communes(client, now=datetime.now(UTC))
        run.summary = done.as_json()
        return done
