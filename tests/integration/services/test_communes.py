"""Communes: from the table once it is loaded; before that few calls for many codes, old answers in an outage."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from clients.errors import PartnerUnavailable
from sandbox.gazetteer import COMMUNES
from services.communes import CommuneSearch, commune_search, insee_code_of
from services.lookups import Answer
from tests.integration.country import fill_table
from tests.integration.places import Places, faked_places


@pytest.fixture
async def places(database: object, valkey: redis.asyncio.Redis) -> AsyncIterator[Places]:
    async with faked_places(valkey) as places:
        yield places


async def names(places: Places, *codes: str) -> list[str | None]:
    found = await places.communes.by_code.many(codes)
    return [
        outcome.value.name if isinstance(outcome, Answer) and outcome.value is not None else None
        for outcome in found.values()
    ]


async def test_a_code_is_asked_for_once(places: Places):
    assert await names(places, "57463") == ["Metz"]
    assert await names(places, "57463") == ["Metz"]
    assert places.geo_paths == ["/communes/57463"]


async def test_codes_of_one_department_share_a_call(places: Places):
    assert await names(places, "57463", "57672", "69123") == ["Metz", "Thionville", "Lyon"]
    assert sorted(places.geo_paths) == ["/communes", "/communes/69123"]


async def test_a_former_code_gives_the_commune_of_today(places: Places):
    assert await names(places, "57463", "57999") == ["Metz", "Metz"]


async def test_an_unknown_code_is_none_and_remembered(places: Places):
    assert await names(places, "01999") == [None]
    assert await names(places, "01999") == [None]
    assert places.geo_paths == ["/communes/01999", "/communes"]


async def test_in_an_outage_a_department_is_asked_for_once_and_not_code_by_code(places: Places):
    places.geo_is_down = True

    found = await places.communes.by_code.many(["57463", "57672", "57001"])

    assert all(isinstance(outcome, PartnerUnavailable) for outcome in found.values())
    assert places.geo_paths == ["/communes"]


async def test_a_post_code_finds_the_arrondissement_before_its_city(places: Places):
    search = commune_search("Paris", "75008", 10)
    assert search is not None

    answer = await places.communes.by_search.one(search)

    assert [commune.insee_code for commune in answer.value or ()] == ["75108", "75056"]


async def test_a_search_by_name_is_asked_for_once_whatever_its_case(places: Places):
    for name in ("Thionville", " THIONVILLE "):
        search = commune_search(name, None, 10)
        assert search is not None
        answer = await places.communes.by_search.one(search)
        assert [commune.name for commune in answer.value or ()] == ["Thionville"]

    assert len(places.geo_queries) == 1
    assert places.geo_queries[0]["boost"] == "population"


async def test_a_loaded_table_answers_without_a_call(places: Places):
    await fill_table()
    places.geo_is_down = True

    assert await names(places, "57463", "91182", "75108") == ["Metz", "Évry-Courcouronnes", "Paris 8e Arrondissement"]
    assert places.geo_paths == []


async def test_a_loaded_table_is_searched_without_a_call(places: Places):
    await fill_table()
    places.geo_is_down = True

    for name, post_code, found in (("Thion", None, "57672"), ("Paris", "75008", "75108"), (None, "97150", "97801")):
        search = commune_search(name, post_code, 10)
        assert search is not None
        answer = await places.communes.by_search.one(search)
        assert next(commune.insee_code for commune in answer.value or ()) == found
    assert places.geo_paths == []


async def test_a_search_that_a_loaded_table_knows_nothing_for_asks_nobody(places: Places):
    await fill_table()
    search = commune_search("qsdfgh", None, 10)
    assert search is not None

    answer = await places.communes.by_search.one(search)

    assert (answer.value, places.geo_paths) == (None, [])


async def test_a_code_that_a_loaded_table_lacks_is_asked_for(places: Places):
    await fill_table(commune for commune in COMMUNES if commune.code != "57463")

    assert await names(places, "57463", "57672") == ["Metz", "Thionville"]
    assert places.geo_paths == ["/communes/57463"]


async def test_in_an_outage_a_code_that_a_loaded_table_lacks_is_none(places: Places):
    await fill_table()
    places.geo_is_down = True

    found = await places.communes.by_code.many(["01999"])

    assert [(outcome.value, outcome.is_stale) for outcome in found.values() if isinstance(outcome, Answer)] == [
        (None, True)
    ]


@pytest.mark.parametrize(
    ("given", "code"),
    [("57463", "57463"), ("2b033", "2B033"), (" 97801 ", "97801"), ("98000", None), ("99100", None), ("5746", None)],
)
def test_a_code_that_lies_in_no_department_is_no_code(given: str, code: str | None):
    assert insee_code_of(given) == code


@pytest.mark.parametrize(("name", "post_code"), [(None, None), ("  ", ""), ("Metz", "5700"), (None, "ABCDE")])
def test_nothing_to_search_by_is_no_search(name: str | None, post_code: str | None):
    assert commune_search(name, post_code, 10) is None


def test_a_search_is_written_in_one_way():
    assert commune_search("  Saint   AUBIN ", " 35250", 5) == CommuneSearch("saint aubin", "35250", 5)
