"""Geocoding one address and suggesting some: what is sent, and what each answer becomes."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from clients.ban import FoundAddress, GeocodingOutcome, Position, geocoding_outcome
from clients.errors import Delivery, PartnerError, PartnerRejected, PartnerUnavailable
from tests.unit.clients.ban import METZ_STREET, Geocoder, collection, feature, geocoder_within, in_turn
from tests.unit.clients.partner_faults import FAULTS, Fault

EMPTY = httpx.Response(200, json=collection())


@pytest.fixture
async def geocoder() -> AsyncIterator[Geocoder]:
    async with geocoder_within() as geocoder:
        yield geocoder


async def outcome_of(geocoder: Geocoder, address: str | None = METZ_STREET, **kwargs: Any) -> GeocodingOutcome:
    with pytest.raises(PartnerError) as caught:
        await geocoder.client.geocode(address, **kwargs)
    return geocoding_outcome(caught.value)


async def test_an_address_with_its_post_code_is_found_in_one_call(geocoder: Geocoder):
    found = await geocoder.client.geocode(METZ_STREET, post_code="57000")

    assert found == FoundAddress(
        id="57463_0001_00012",
        label="12 Rue des Tilleuls Inventés 57000 Metz",
        name="12 Rue des Tilleuls Inventés",
        number="12",
        lane="Rue des Tilleuls Inventés",
        post_code="57000",
        city="Metz",
        insee_code="57463",
        context="57, Moselle, Grand Est",
        position=Position(latitude=49.119309, longitude=6.175619),
        score=0.9729,
        kind="housenumber",
    )
    assert geocoder.queries == [{"q": METZ_STREET, "limit": "1", "autocomplete": "0", "postcode": "57000"}]
    assert geocoder.pacer.waits == ["ban:geocoding"]


@pytest.mark.parametrize("post_code", [None, "", "  "])
async def test_without_a_post_code_the_search_is_not_narrowed(geocoder: Geocoder, post_code: str | None):
    await geocoder.client.geocode(METZ_STREET, post_code=post_code)

    assert geocoder.queries == [{"q": METZ_STREET, "limit": "1", "autocomplete": "0"}]


async def test_spaces_and_line_breaks_of_an_address_are_single_spaces_in_the_query(geocoder: Geocoder):
    await geocoder.client.geocode("  12 rue\n des  Tilleuls ")

    assert geocoder.queries[0]["q"] == "12 rue des Tilleuls"


async def test_an_overseas_address_is_searched_once_more_without_its_post_code(geocoder: Geocoder):
    saint_martin = feature(citycode="97801", postcode="97150", city="Saint-Martin")
    geocoder.search.mock(side_effect=in_turn(EMPTY, httpx.Response(200, json=collection(saint_martin))))

    found = await geocoder.client.geocode("1 rue Inventée, 97150 Saint-Martin", post_code="97150")

    assert found.insee_code == "97801"
    assert [query.get("postcode") for query in geocoder.queries] == ["97150", None]


@pytest.mark.parametrize(("post_code", "calls"), [("98999", 2), ("75010", 1), (None, 1)])
async def test_nothing_found_is_not_found_and_only_overseas_costs_a_second_call(
    geocoder: Geocoder, post_code: str | None, calls: int
):
    geocoder.search.mock(return_value=EMPTY)

    outcome = await outcome_of(geocoder, post_code=post_code)

    assert outcome is GeocodingOutcome.ADDRESS_NOT_FOUND
    assert geocoder.search.call_count == calls


@pytest.mark.parametrize("address", [None, "", "ab", "  a ", "- rue", "?!.", "x" * 201])
async def test_what_the_service_would_refuse_is_not_sent(geocoder: Geocoder, address: str | None):
    with pytest.raises(PartnerRejected) as caught:
        await geocoder.client.geocode(address)

    assert (caught.value.code, caught.value.delivery) == ("INVALID_ADDRESS", Delivery.NOT_SENT)
    assert geocoder.search.call_count == 0


@pytest.mark.parametrize("post_code", ["5700", "570000", "2A004", "５７０００", "57 000"])
async def test_a_malformed_post_code_is_not_sent(geocoder: Geocoder, post_code: str):
    assert await outcome_of(geocoder, post_code=post_code) is GeocodingOutcome.INVALID_ADDRESS
    assert geocoder.search.call_count == 0


async def test_an_address_that_the_service_refuses_is_invalid_and_not_repeated(geocoder: Geocoder):
    body = {"code": 400, "message": "Failed parsing query", "detail": ["q: must contain between 3 and 200 chars"]}
    geocoder.search.respond(400, json=body)

    assert await outcome_of(geocoder) is GeocodingOutcome.INVALID_ADDRESS
    assert geocoder.search.call_count == 1


async def test_a_result_without_properties_is_a_failed_lookup(geocoder: Geocoder):
    bare = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [6.1, 49.1]}}
    geocoder.search.respond(200, json=collection(bare))

    assert await outcome_of(geocoder) is GeocodingOutcome.ADDRESS_LOOKUP_FAILED


async def test_too_many_calls_wait_as_long_as_asked_and_are_repeated_once(geocoder: Geocoder):
    geocoder.search.mock(
        side_effect=in_turn(
            httpx.Response(429, headers={"Retry-After": "5"}), httpx.Response(200, json=collection(feature()))
        )
    )

    found = await geocoder.client.geocode(METZ_STREET)

    assert found.city == "Metz"
    assert geocoder.pauses == [5]
    assert geocoder.pacer.holds == [("ban:geocoding", 5)]


async def test_no_connection_twice_is_unavailable_and_never_searched_without_post_code(geocoder: Geocoder):
    geocoder.search.mock(side_effect=httpx.ConnectError)

    outcome = await outcome_of(geocoder, "3 rue Inventée, 97400 Saint-Denis", post_code="97400")

    assert outcome is GeocodingOutcome.GEOCODING_UNAVAILABLE
    assert [query["postcode"] for query in geocoder.queries] == ["97400", "97400"]
    assert geocoder.pauses == [0.5]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_of_the_service_is_repeated_once_or_not_and_has_its_outcome(fault: Fault):
    async with geocoder_within(fault.deadline_seconds) as geocoder:
        geocoder.search.mock(**fault.answers())

        with pytest.raises(PartnerUnavailable) as caught:
            await geocoder.client.geocode(METZ_STREET, post_code="57000")

        assert geocoder.search.call_count == (2 if fault.is_repeated else 1)
    error = caught.value
    assert (type(error), error.code, error.http_status) == (fault.kind, fault.code, fault.http_status)
    is_unreadable = fault.code in {"invalid_json", "unexpected_shape"}
    assert geocoding_outcome(error) is (
        GeocodingOutcome.GEOCODING_BAD_RESPONSE if is_unreadable else GeocodingOutcome.GEOCODING_UNAVAILABLE
    )


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_other_refusals_say_nothing_about_the_address(geocoder: Geocoder, status: int):
    geocoder.search.respond(status)

    assert await outcome_of(geocoder) is GeocodingOutcome.GEOCODING_UNAVAILABLE


@pytest.mark.parametrize(
    "changes",
    [
        {"citycode": None},
        {"city": None},
        {"score": None},
        {"score": "high"},
        {"score": "NaN"},
        {"label": None},
        {"citycode": "Metz"},
        {"citycode": "57463\n"},
    ],
)
async def test_a_result_that_lacks_what_it_always_has_is_a_bad_response(geocoder: Geocoder, changes: dict[str, Any]):
    geocoder.search.respond(200, json=collection(feature(**changes)))

    assert await outcome_of(geocoder) is GeocodingOutcome.GEOCODING_BAD_RESPONSE


async def test_coordinates_that_lie_nowhere_are_a_bad_response(geocoder: Geocoder):
    lambert = feature() | {"geometry": {"type": "Point", "coordinates": [932_000.1, 6_895_000.2]}}
    geocoder.search.respond(200, json=collection(lambert))

    assert await outcome_of(geocoder) is GeocodingOutcome.GEOCODING_BAD_RESPONSE


async def test_a_commune_may_have_neither_post_code_nor_number_nor_street(geocoder: Geocoder):
    commune = feature(type="municipality", name="Metz", label="Metz", postcode="", housenumber=None, street=None)
    geocoder.search.respond(200, json=collection(commune))

    found = await geocoder.client.geocode("Metz Inventée")

    assert (found.insee_code, found.post_code, found.number, found.lane) == ("57463", None, None, None)


async def test_a_kind_of_result_that_is_new_is_kept_as_it_came(geocoder: Geocoder):
    geocoder.search.respond(200, json=collection(feature(type="hamlet")))

    assert (await geocoder.client.geocode(METZ_STREET)).kind == "hamlet"


@pytest.mark.parametrize("text", ["", "ce", " c  ", "  ", "- cernay"])
async def test_too_little_to_suggest_anything_costs_no_call(geocoder: Geocoder, text: str):
    assert await geocoder.client.suggest(text) == []
    assert geocoder.search.call_count == 0


async def test_suggestions_tell_communes_of_one_name_apart(geocoder: Geocoder):
    names = [("68063", "68, Haut-Rhin, Grand Est"), ("28064", "28, Eure-et-Loir, Centre-Val de Loire")]
    communes = [
        feature(type="municipality", label="Cernay", name="Cernay", citycode=code, context=context)
        for code, context in names
    ]
    geocoder.search.respond(200, json=collection(*communes, feature()))

    found = await geocoder.client.suggest("cernay", limit=3)

    assert [address.choice_label for address in found] == [
        "Cernay (68, Haut-Rhin, Grand Est)",
        "Cernay (28, Eure-et-Loir, Centre-Val de Loire)",
        "12 Rue des Tilleuls Inventés 57000 Metz",
    ]
    assert geocoder.queries == [{"q": "cernay", "limit": "3", "autocomplete": "1"}]


async def test_suggestions_near_a_point_send_both_coordinates(geocoder: Geocoder):
    await geocoder.client.suggest("rue des tilleuls", near=Position(latitude=49.1, longitude=0.00001))

    assert geocoder.queries == [
        {"q": "rue des tilleuls", "limit": "5", "autocomplete": "1", "lat": "49.100000", "lon": "0.000010"}
    ]


async def test_no_suggestion_is_an_empty_list(geocoder: Geocoder):
    geocoder.search.mock(return_value=EMPTY)

    assert await geocoder.client.suggest("cernay") == []


@pytest.mark.parametrize("limit", [0, 21, -1])
async def test_a_limit_that_the_service_would_refuse_is_an_error_of_ours(geocoder: Geocoder, limit: int):
    with pytest.raises(ValueError, match="limit of suggestions"):
        await geocoder.client.suggest("cernay", limit=limit)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_nothing_of_an_address_is_logged_raised_or_printed(fault: Fault, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    async with geocoder_within(fault.deadline_seconds) as geocoder:
        found = await geocoder.client.geocode(METZ_STREET)
        geocoder.search.mock(**fault.answers())

        with pytest.raises(PartnerUnavailable) as caught:
            await geocoder.client.geocode(METZ_STREET)

    told = f"{caught.value!r} {caught.value} {vars(caught.value)} {found!r} {caplog.text}"
    assert "Tilleuls" not in told
    assert "57463" not in told
    assert caught.value.__context__ is None
