"""`traverse communes sync`, and the state of the table as the doctor tells it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from rich.console import Console

from models import CronRun
from ops.communes import describe_table, synchronise_with_words
from services.commune_synchronisation import RUN
from services.runs import exclusive_run
from tests.conftest import NOW
from tests.integration.country import Country, faked_country, fill_table


@pytest.fixture
async def country(database: object) -> AsyncIterator[Country]:
    async with faked_country() as country:
        yield country


async def run_command(country: Country) -> tuple[bool, str]:
    console = Console(record=True, width=200)
    went_well = await synchronise_with_words(country.client, console)
    return went_well, " ".join(console.export_text().split())


async def test_the_command_says_what_it_did(country: Country):
    assert await run_command(country) == (
        True,
        "1,245 communes and arrondissements: 1,245 new, 0 changed, 0 not listed any more.",
    )


async def test_the_command_says_why_it_did_nothing(country: Country):
    country.keeps = 12

    went_well, words = await run_command(country)

    assert not went_well
    assert words.startswith("Nothing was changed: api_geo country: fewer communes than France has")


async def test_the_command_leaves_a_round_under_way_alone(country: Country):
    async with exclusive_run(RUN):
        went_well, words = await run_command(country)

    assert not went_well
    assert words.startswith("Another process is at it")
    assert country.route.call_count == 0


@pytest.mark.usefixtures("database")
async def test_an_empty_table_is_described_as_such():
    assert await describe_table(NOW) == (0, "none is loaded")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("age", "succeeded", "problem"),
    [
        (timedelta(hours=25), True, ""),
        (timedelta(hours=1), None, ""),
        (timedelta(hours=1), False, "the last round failed"),
        (timedelta(days=8), True, "not brought up to date for more than 7 days"),
    ],
)
async def test_a_table_is_described_by_its_last_round(age: timedelta, succeeded: bool | None, problem: str):
    await fill_table()
    await CronRun.create(name=RUN, started_at=NOW - age, succeeded=succeeded)

    number, found = await describe_table(NOW)

    assert (number > 100, found) == (True, problem)
