"""`traverse geocode`: what it shows while addresses are geocoded in bulk, and what it says in the end."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clients.ban import BANClient
from services.address_book import BATCH_SIZE, GeocodingSummary, count_missing, geocode_due, geocode_missing


async def geocode_with_progress(
    ban: BANClient, console: Console, *, with_missing: bool, batch_size: int = BATCH_SIZE
) -> bool:
    """Geocode what is due and, if wanted, every address without coordinates. False: the geocoder went away."""
    summary = await geocode_due(ban=ban, batch_size=batch_size)
    _tell(console, "Changed addresses", summary)
    if with_missing and summary.stopped_by is None:
        summary = await _geocode_missing(ban, console, batch_size)
        _tell(console, "Addresses without coordinates", summary)
    return summary.stopped_by is None


async def _geocode_missing(ban: BANClient, console: Console, batch_size: int) -> GeocodingSummary:
    with Progress(
        TextColumn("Geocoding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    ) as progress:
        bar = progress.add_task("geocoding", total=await count_missing())
        return await geocode_missing(
            ban=ban, batch_size=batch_size, on_progress=lambda sums: progress.update(bar, completed=sums.answered)
        )


def _tell(console: Console, what: str, summary: GeocodingSummary) -> None:
    console.print(
        f"{what}: {summary.placed:,} placed, {summary.kept:,} left as they were (nothing better was found),"
        f" {summary.not_found:,} not found, {summary.changed_meanwhile:,} changed meanwhile."
    )
    if summary.stopped_by is not None:
        console.print(
            f"The Base Adresse Nationale gave no answer ({summary.stopped_by}): {summary.postponed:,} are to be tried"
            " again. What was done stays; run the command again later."
        )
