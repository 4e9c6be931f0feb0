"""`traverse geocode`: its sums, and how it ends."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import httpx
import pytest
import redis.asyncio
from rich.console import Console

from models import Company
from ops.geocoding import geocode_with_progress
from tests.factories import NOW, make_company
from tests.integration.places import Places, faked_places

ADDRESS = {"address_line_1": "12 rue Inventée", "post_code": "57000", "city": "Metz"}


@pytest.fixture
async def places(database: object, valkey: redis.asyncio.Redis) -> AsyncIterator[Places]:
    async with faked_places(valkey) as places:
        yield places


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def shown_on(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_what_is_due_is_geocoded_and_what_is_missing_only_when_asked_for(places: Places, console: Console):
    await make_company(**ADDRESS)
    old = await make_company(**ADDRESS, geocoded_at=NOW)

    due_alone = await geocode_with_progress(places.ban, console, with_missing=False)
    before = (await Company.get(id=old.id)).latitude
    with_missing = await geocode_with_progress(places.ban, console, with_missing=True)

    assert due_alone
    assert with_missing
    assert before is None
    assert (await Company.get(id=old.id)).latitude == 49.119309
    assert "Changed addresses: 1 placed" in shown_on(console)
    assert "Addresses without coordinates: 1 placed" in shown_on(console)
    assert "1/1" in shown_on(console)


async def test_an_outage_ends_it_with_what_to_do(places: Places, console: Console):
    await make_company(**ADDRESS)
    places.search.mock(side_effect=httpx.ConnectError)

    went_well = await geocode_with_progress(places.ban, console, with_missing=True)

    assert not went_well
    assert "GEOCODING_UNAVAILABLE" in shown_on(console)
    assert "run the command again later" in shown_on(console)
    assert "12 rue" not in shown_on(console)
