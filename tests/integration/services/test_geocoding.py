"""get_geocoding_data and suggestions: the wire is faked, the cache is real."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import redis.asyncio

from clients.ban import GeocodingOutcome, geocoding_outcome
from clients.errors import PartnerError, PartnerRejected, PartnerUnavailable
from tests.integration.country import fill_table
from tests.integration.places import Places, faked_places
from tests.unit.clients.ban import METZ_STREET, collection, feature

EMPTY = httpx.Response(200, json=collection())


@pytest.fixture
async def places(database: object, valkey: redis.asyncio.Redis) -> AsyncIterator[Places]:
    async with faked_places(valkey) as places:
        yield places


async def outcome_of(places: Places, address: str | None, post_code: str | None = None) -> GeocodingOutcome:
    with pytest.raises(PartnerError) as caught:
        await places.geocoding.get_geocoding_data(address, post_code)
    return geocoding_outcome(caught.value)


async def test_an_address_becomes_a_place(places: Places):
    found = await places.geocoding.get_geocoding_data(METZ_STREET, post_code="57000")

    assert found == {
        "address": "12 Rue des Tilleuls Inventés",
        "latitude": 49.119309,
        "longitude": 6.175619,
        "score": 0.9729,
        "city": "Metz",
        "post_code": "57000",
        "insee_code": "57463",
        "number": "12",
        "lane": "Rue des Tilleuls Inventés",
        "label": "12 Rue des Tilleuls Inventés 57000 Metz",
    }
    assert places.ban_queries == [{"q": METZ_STREET, "limit": "1", "autocomplete": "0", "postcode": "57000"}]


async def test_the_same_question_is_asked_once_a_day(places: Places):
    first = await places.geocoding.get_geocoding_data(METZ_STREET)
    again = await places.geocoding.get_geocoding_data(f"  {METZ_STREET.upper().replace(' ', '  ')} ")

    assert again == first
    assert len(places.ban_queries) == 1
    assert "postcode" not in places.ban_queries[0]


async def test_no_key_in_the_cache_tells_the_address(places: Places, valkey: redis.asyncio.Redis):
    await places.geocoding.get_geocoding_data(METZ_STREET, "57000")
    await places.geocoding.suggestions("12 rue des Till")

    keys = b" ".join(await valkey.keys()).lower()

    assert keys.count(b"lookup:") == 2
    assert b"till" not in keys
    assert b"57000" not in keys


@pytest.mark.parametrize("address", [None, "", "ab", "  a b"[:4], ", rue", "x" * 201])
async def test_what_is_no_address_is_not_asked_for(places: Places, address: str | None):
    outcome = await outcome_of(places, address)

    assert outcome is GeocodingOutcome.INVALID_ADDRESS
    assert places.ban_queries == []


async def test_a_post_code_of_four_digits_is_not_asked_for(places: Places):
    assert await outcome_of(places, METZ_STREET, "5700") is GeocodingOutcome.INVALID_ADDRESS
    assert places.ban_queries == []


async def test_nothing_found_is_remembered(places: Places):
    places.search.mock(side_effect=[EMPTY])

    outcomes = [await outcome_of(places, METZ_STREET, "75010") for _ in range(2)]

    assert outcomes == [GeocodingOutcome.ADDRESS_NOT_FOUND] * 2
    assert len(places.ban_queries) == 1


async def test_overseas_the_post_code_is_left_out_the_second_time(places: Places):
    overseas = feature(citycode="97801", city="Saint-Martin", postcode="97150")
    places.search.mock(side_effect=[EMPTY, httpx.Response(200, json=collection(overseas))])

    found = await places.geocoding.get_geocoding_data("4 rue Inventée, Saint-Martin", "97150")

    assert found["insee_code"] == "97801"
    assert [query.get("postcode") for query in places.ban_queries] == ["97150", None]


async def test_nothing_found_overseas_takes_exactly_two_calls(places: Places):
    places.search.mock(side_effect=[EMPTY, EMPTY])

    assert await outcome_of(places, "4 rue Inventée", "98999") is GeocodingOutcome.ADDRESS_NOT_FOUND
    assert len(places.ban_queries) == 2


async def test_an_outage_is_not_taken_for_nothing_found(places: Places):
    places.search.mock(side_effect=httpx.ConnectError)

    outcome = await outcome_of(places, "4 rue Inventée", "97400")

    assert outcome is GeocodingOutcome.GEOCODING_UNAVAILABLE
    assert [query["postcode"] for query in places.ban_queries] == ["97400", "97400"]


async def test_an_outage_is_not_remembered(places: Places):
    places.search.mock(side_effect=httpx.ConnectError)
    with pytest.raises(PartnerUnavailable):
        await places.geocoding.get_geocoding_data(METZ_STREET)
    places.search.mock(return_value=httpx.Response(200, json=collection(feature())))

    found = await places.geocoding.get_geocoding_data(METZ_STREET)

    assert found["city"] == "Metz"


async def test_a_refusal_of_the_service_is_about_the_address_and_final(places: Places):
    places.search.mock(return_value=httpx.Response(400, json={"code": 400, "message": "Failed parsing query"}))

    with pytest.raises(PartnerRejected) as caught:
        await places.geocoding.get_geocoding_data(METZ_STREET)

    assert geocoding_outcome(caught.value) is GeocodingOutcome.INVALID_ADDRESS
    assert len(places.ban_queries) == 1


async def test_the_post_code_of_a_commune_without_one_is_its_first(places: Places):
    metz = feature(type="municipality", name="Metz", label="Metz", postcode=None, housenumber=None, street=None)
    places.search.mock(return_value=httpx.Response(200, json=collection(metz)))

    found = await places.geocoding.get_geocoding_data("Metz")

    assert (found["post_code"], found["number"], found["lane"]) == ("57000", None, None)


async def test_the_post_code_of_such_a_commune_is_that_of_the_local_table(places: Places):
    await fill_table()
    metz = feature(type="municipality", name="Metz", label="Metz", postcode=None, housenumber=None, street=None)
    places.search.mock(return_value=httpx.Response(200, json=collection(metz)))
    places.geo_is_down = True

    found = await places.geocoding.get_geocoding_data("Metz")

    assert (found["post_code"], found["number"], found["lane"]) == ("57000", None, None)
    assert places.geo_paths == []


async def test_without_api_geo_such_a_commune_has_no_post_code(places: Places):
    metz = feature(type="municipality", name="Metz", label="Metz", postcode=None)
    places.search.mock(return_value=httpx.Response(200, json=collection(metz)))
    places.geo_is_down = True

    found = await places.geocoding.get_geocoding_data("Metz")

    assert found["post_code"] is None


async def test_suggestions_begin_with_three_letters(places: Places):
    nothing = await places.geocoding.suggestions("ce")
    something = await places.geocoding.suggestions("cernay")

    assert nothing == ()
    assert [address.city for address in something] == ["Metz"]
    assert places.ban_queries == [{"q": "cernay", "limit": "5", "autocomplete": "1"}]


async def test_suggestions_near_a_point_are_shared_with_the_neighbours(places: Places):
    await places.geocoding.suggestions("cernay", near=(49.119309, 6.175619))
    await places.geocoding.suggestions("cernay", near=(49.1199, 6.1799))

    assert [(query["lat"], query["lon"]) for query in places.ban_queries] == [("49.120000", "6.180000")]
