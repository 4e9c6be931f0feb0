"""The table of communes is made to say what API Géo says: everything, or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from clients.errors import PartnerUnavailable
from models import Commune
from models.database import fetch_all
from services.commune_synchronisation import ImplausibleCountryError, Synchronisation, synchronise_communes
from services.commune_table import find_communes, is_loaded
from tests.conftest import NOW
from tests.integration.country import SIZE, Country, faked_country

ARRONDISSEMENTS = 45
ALL = SIZE + ARRONDISSEMENTS
LATER = NOW + timedelta(days=1)


@pytest.fixture
async def country(database: object) -> AsyncIterator[Country]:
    async with faked_country() as country:
        yield country


async def everything() -> list[Any]:
    """Every row with the transaction that wrote it last."""
    return [dict(row) for row in await fetch_all("SELECT *, xmin::text AS written_by FROM commune ORDER BY insee_code")]


async def test_an_empty_table_gets_every_commune_and_every_arrondissement(country: Country):
    done = await synchronise_communes(country.client, now=NOW)

    assert done == Synchronisation(received=ALL, added=ALL, changed=0, removed=0)
    assert await is_loaded()
    assert await Commune.filter(parent_code__isnull=False).count() == ARRONDISSEMENTS
    metz = await Commune.get(insee_code="57463")
    assert (metz.name, metz.search_name, metz.post_codes) == ("Metz", "metz", ["57000", "57050", "57070"])
    assert (metz.latitude, metz.longitude, metz.population) == (49.1081, 6.1955, 121_000)
    assert (await Commune.get(insee_code="91228")).former_codes == ["91182"]


async def test_what_has_not_changed_is_not_written_again(country: Country):
    await synchronise_communes(country.client, now=NOW)
    before = await everything()

    done = await synchronise_communes(country.client, now=LATER)

    assert done == Synchronisation(received=ALL, added=0, changed=0, removed=0)
    assert await everything() == before


async def test_changes_are_taken_over_and_what_is_gone_is_marked(country: Country):
    await synchronise_communes(country.client, now=NOW)
    country.changes = {
        "57463": {"nom": "Metz-la-Neuve", "anciensCodes": ["57672"]},
        "57672": None,
    }
    country.extra = [{"nom": "Zorville", "code": "57998", "codesPostaux": ["57999"]}]

    done = await synchronise_communes(country.client, now=LATER)

    assert done == Synchronisation(received=ALL, added=1, changed=1, removed=1)
    changed, gone = await Commune.get(insee_code="57463"), await Commune.get(insee_code="57672")
    assert (changed.name, changed.search_name, changed.updated_at) == ("Metz-la-Neuve", "metz la neuve", LATER)
    assert (gone.name, gone.removed_at) == ("Thionville", LATER)
    assert (await find_communes(["57672"]))["57672"].name == "Metz-la-Neuve"


async def test_a_commune_that_comes_back_is_live_again(country: Country):
    await synchronise_communes(country.client, now=NOW)
    await Commune.filter(insee_code="57672").update(removed_at=NOW)

    done = await synchronise_communes(country.client, now=LATER)

    assert (done.added, done.changed, done.removed) == (0, 1, 0)
    assert (await Commune.get(insee_code="57672")).removed_at is None


async def test_a_row_corrected_by_hand_stays_as_it_is(country: Country):
    await synchronise_communes(country.client, now=NOW)
    await Commune.filter(insee_code="57463").update(name="Metz corrigée", is_manual=True)
    await Commune.filter(insee_code="57672").update(is_manual=True)
    country.changes = {"57672": None}

    done = await synchronise_communes(country.client, now=LATER)

    assert (done.changed, done.removed) == (0, 0)
    assert (await Commune.get(insee_code="57463")).name == "Metz corrigée"
    assert (await Commune.get(insee_code="57672")).removed_at is None


async def test_a_code_of_no_french_department_is_left_out(country: Country):
    country.extra = [{"nom": "Monaco", "code": "98000", "codesPostaux": ["98000"]}]

    done = await synchronise_communes(country.client, now=NOW)

    assert done.received == ALL
    assert not await Commune.exists(insee_code="98000")


async def test_twelve_communes_change_nothing(country: Country):
    await synchronise_communes(country.client, now=NOW)
    before = await everything()
    country.keeps = 12

    with pytest.raises(PartnerUnavailable, match="fewer communes than France has"):
        await synchronise_communes(country.client, now=LATER)

    assert await everything() == before


async def test_a_country_without_one_of_its_departments_changes_nothing(country: Country):
    country.without = frozenset({"57"})

    with pytest.raises(ImplausibleCountryError, match="none of them in department 57"):
        await synchronise_communes(country.client, now=NOW)

    assert not await Commune.exists()


async def test_a_country_that_lost_one_commune_in_ten_changes_nothing(country: Country):
    await synchronise_communes(country.client, now=NOW)
    before = await everything()
    country.changes = dict.fromkeys([row["insee_code"] for row in before if row["parent_code"] is None][::10])

    with pytest.raises(ImplausibleCountryError, match=rf"[0-9]+ of {ALL} known communes are missing, 5% at most"):
        await synchronise_communes(country.client, now=LATER)

    assert await everything() == before


async def test_an_outage_changes_nothing(country: Country):
    await synchronise_communes(country.client, now=NOW)
    before = await everything()
    country.route.mock(side_effect=httpx.ConnectTimeout("no answer"))

    with pytest.raises(PartnerUnavailable):
        await synchronise_communes(country.client, now=LATER)

    assert await everything() == before
