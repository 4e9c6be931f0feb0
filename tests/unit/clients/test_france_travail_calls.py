"""The two data calls of France Travail: what is sent, and what each answer becomes."""

from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest

from clients.errors import Delivery, PartnerRateLimited, PartnerUnavailable
from clients.france_travail import Endpoint, FranceTravailClient, FranceTravailRejected, SearchOutcome
from clients.observer import CallOutcome
from tests.unit.clients.doubles import RecordingObserver, RecordingPacer
from tests.unit.clients.france_travail import FOUND, QUERY, UPDATE, FakeFranceTravail


async def test_a_search_sends_the_four_documented_keys(client: FranceTravailClient, api: FakeFranceTravail):
    found = await client.search_identity(
        replace(QUERY, last_name="Quesnoy-Perrin", first_name="Maëlle", nir="185052A00403349")
    )

    assert found == "invented-identifier"
    assert api.search_body == {
        "nomNaissance": "QUESNOY-PERRIN",
        "prenom": "MAELLE",
        "dateNaissance": "1970-01-01",
        "nirCertifie": "185052A004033",
    }


async def test_what_is_unknown_of_a_person_is_sent_empty(client: FranceTravailClient, api: FakeFranceTravail):
    await client.search_identity(replace(QUERY, birthdate=None, nir=""))

    assert (api.search_body["dateNaissance"], api.search_body["nirCertifie"]) == ("", "")


@pytest.mark.parametrize("code", ["S001", "PE001"])
@pytest.mark.parametrize("status", [200, 206])
async def test_a_person_found_in_either_dialect_gives_the_identifier(
    client: FranceTravailClient, api: FakeFranceTravail, code: str, status: int
):
    api.search.respond(status, json={"codeSortie": code, "idNationalDE": "x" * 43})

    assert await client.search_identity(QUERY) == "x" * 43


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [
        ({"codeSortie": "S000", "idNationalDE": ""}, "S000", SearchOutcome.NOT_FOUND),
        ({"codeSortie": "PE004"}, "PE004", SearchOutcome.NOT_FOUND),
        ({"codeSortie": "S002"}, "S002", SearchOutcome.AMBIGUOUS),
        ({"codeSortie": "PE008", "idNationalDE": None}, "PE008", SearchOutcome.AMBIGUOUS),
        ({"codeSortie": "R011"}, "R011", SearchOutcome.INVALID_REQUEST),
        ({"codeSortie": "R099"}, "R099", SearchOutcome.INVALID_REQUEST),
        ({"codeSortie": "R100"}, "R100", SearchOutcome.UNKNOWN),
        ({"codeSortie": "Z999"}, "Z999", SearchOutcome.UNKNOWN),
        ({"codeSortie": "Z" * 100}, "Z" * 64, SearchOutcome.UNKNOWN),
        ({"codeSortie": ""}, "missing_code", SearchOutcome.UNKNOWN),
        ({}, "missing_code", SearchOutcome.UNKNOWN),
        ({"codeSortie": "S001", "idNationalDE": ""}, "empty_nir", SearchOutcome.UNKNOWN),
        ({"codeSortie": "PE001"}, "empty_nir", SearchOutcome.UNKNOWN),
        ({"codeSortie": "S000", "idNationalDE": "x"}, "S000", SearchOutcome.NOT_FOUND),
    ],
)
async def test_any_other_business_answer_of_the_search_is_a_rejection_with_its_raw_code(
    client: FranceTravailClient, api: FakeFranceTravail, answer: dict[str, Any], code: str, outcome: SearchOutcome
):
    api.search.respond(200, json=answer)

    with pytest.raises(FranceTravailRejected) as caught:
        await client.search_identity(QUERY)

    error = caught.value
    assert (error.endpoint, error.code, error.outcome) == (Endpoint.SEARCH, code, outcome)
    assert (error.operation, error.http_status, error.delivery) == ("search_identity", 200, Delivery.REFUSED)
    assert api.search.call_count == 1


async def test_an_update_sends_the_documented_keys(client: FranceTravailClient, api: FakeFranceTravail):
    await client.update_pass_iae(replace(UPDATE, approval_number="99999 00 00017", prescriber_kind=""))

    assert api.update_body == {
        "idNational": "invented-identifier",
        "numPassIAE": "999990000017",
        "dateDebutPassIAE": "2026-03-02",
        "dateFinPassIAE": "2028-02-29",
        "statutReponsePassIAE": "A",
        "numSIRETsiae": "90210000900019",
        "typeSIAE": 836,
        "origineCandidature": "PRES",
    }


async def test_a_cancellation_ends_on_the_day_it_starts_and_is_still_accepted(
    client: FranceTravailClient, api: FakeFranceTravail
):
    await client.update_pass_iae(replace(UPDATE, is_cancelled=True))

    body = api.update_body
    assert (body["dateDebutPassIAE"], body["dateFinPassIAE"]) == ("2026-03-02", "2026-03-02")
    assert body["statutReponsePassIAE"] == "A"


@pytest.mark.parametrize("kind", ["OPCS", "", "aci", "ZZZ"])
async def test_a_structure_without_a_number_is_refused_before_any_call(
    client: FranceTravailClient, api: FakeFranceTravail, kind: str
):
    with pytest.raises(FranceTravailRejected) as caught:
        await client.update_pass_iae(replace(UPDATE, siae_kind=kind))

    assert (caught.value.code, caught.value.delivery) == ("INVALID_SIAE_KIND", Delivery.NOT_SENT)
    assert client.type_siae(kind) is None
    assert not api.token.called
    assert not api.update.called


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"codeSortie": "S022"}, "S022"),
        ({"codeSortie": "S015"}, "S015"),
        ({"codeSortie": "S001"}, "S001"),
        ({"codeSortie": "E_ERR_EX042_PROBLEME_DECHIFFREMEMENT"}, "E_ERR_EX042_PROBLEME_DECHIFFREMEMENT"),
        ({"codeSortie": "never seen"}, "never seen"),
        ({"message": "Pass IAE prescrit"}, "missing_code"),
    ],
)
async def test_an_update_without_the_one_success_code_is_a_rejection(
    client: FranceTravailClient, api: FakeFranceTravail, answer: dict[str, str], code: str
):
    api.update.respond(200, json=answer)

    with pytest.raises(FranceTravailRejected) as caught:
        await client.update_pass_iae(UPDATE)

    assert (caught.value.endpoint, caught.value.code, caught.value.outcome) == (Endpoint.UPDATE, code, None)
    assert caught.value.operation == "update_pass_iae"


@pytest.mark.parametrize("status", [302, 400, 403, 404, 409, 410, 422, 500, 502, 503, 504])
async def test_every_http_failure_is_recoverable(client: FranceTravailClient, api: FakeFranceTravail, status: int):
    api.update.respond(status, json={"codeErreur": "X", "codeHttp": status, "message": "non"})

    with pytest.raises(PartnerUnavailable) as caught:
        await client.update_pass_iae(UPDATE)

    assert (caught.value.code, caught.value.http_status) == (str(status), status)
    assert api.update.call_count == 1


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ({"side_effect": httpx.ConnectTimeout}, "http_error"),
        ({"side_effect": httpx.ReadTimeout}, "http_error"),
        ({"side_effect": httpx.PoolTimeout}, "http_error"),
        ({"side_effect": httpx.RemoteProtocolError}, "http_error"),
        ({"return_value": httpx.Response(204)}, "empty_response"),
        ({"return_value": httpx.Response(200, html="<h1>Maintenance</h1>")}, "invalid_json"),
        ({"return_value": httpx.Response(200, content=b'{"codeSortie": "S0')}, "invalid_json"),
        ({"return_value": httpx.Response(200, json=[])}, "unexpected_shape"),
        ({"return_value": httpx.Response(200, json={"codeSortie": 1})}, "unexpected_shape"),
    ],
)
async def test_an_exchange_that_says_nothing_is_recoverable(
    client: FranceTravailClient, api: FakeFranceTravail, trouble: dict[str, Any], code: str
):
    api.update.mock(**trouble)

    with pytest.raises(PartnerUnavailable) as caught:
        await client.update_pass_iae(UPDATE)

    assert caught.value.code == code


async def test_an_identifier_too_long_to_be_one_is_not_taken(client: FranceTravailClient, api: FakeFranceTravail):
    api.search.respond(200, json={"codeSortie": "S001", "idNationalDE": "x" * 49})

    with pytest.raises(PartnerUnavailable) as caught:
        await client.search_identity(QUERY)

    assert caught.value.code == "unexpected_shape"


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), (None, 60), ("abc", 60), ("86400", 600)])
async def test_a_429_with_a_text_body_says_how_long_to_wait_and_closes_both_gates(
    client: FranceTravailClient, api: FakeFranceTravail, pacer: RecordingPacer, header: str | None, seconds: int
):
    api.search.respond(429, text="Too Many Requests", headers={"Retry-After": header} if header else {})

    with pytest.raises(PartnerRateLimited) as caught:
        await client.search_identity(QUERY)

    assert (caught.value.retry_after, caught.value.http_status) == (seconds, 429)
    assert pacer.holds == [
        ("france_travail:search_identity", seconds),
        ("france_travail:update_pass_iae", seconds),
    ]


async def test_a_refused_token_is_replaced_and_the_call_replayed_once(
    client: FranceTravailClient, api: FakeFranceTravail, observer: RecordingObserver
):
    api.search.mock(side_effect=[httpx.Response(401), httpx.Response(200, json=FOUND)])

    found = await client.search_identity(QUERY)

    assert found == "invented-identifier"
    assert api.tokens_used(api.search) == ["Bearer token-1", "Bearer token-2"]
    assert [(call.operation, call.http_status) for call in observer.calls] == [
        ("token", 200),
        ("search_identity", 401),
        ("token", 200),
        ("search_identity", 200),
    ]


async def test_a_second_refusal_is_the_answer(client: FranceTravailClient, api: FakeFranceTravail):
    api.search.respond(401)

    with pytest.raises(PartnerUnavailable) as caught:
        await client.search_identity(QUERY)

    assert (caught.value.code, caught.value.http_status) == ("401", 401)
    assert (api.search.call_count, api.token.call_count) == (2, 2)


async def test_every_data_call_waits_for_its_own_pace_replays_included(
    client: FranceTravailClient, api: FakeFranceTravail, pacer: RecordingPacer
):
    api.search.mock(side_effect=[httpx.Response(401), httpx.Response(200, json=FOUND)])

    await client.search_identity(QUERY)
    await client.update_pass_iae(UPDATE)

    assert pacer.waits == [
        "france_travail:search_identity",
        "france_travail:search_identity",
        "france_travail:update_pass_iae",
    ]


async def test_a_business_refusal_is_observed_as_one_and_not_as_a_fault(
    client: FranceTravailClient, api: FakeFranceTravail, observer: RecordingObserver
):
    api.update.respond(200, json={"codeSortie": "S008"})

    with pytest.raises(FranceTravailRejected):
        await client.update_pass_iae(UPDATE)

    assert observer.outcomes == [CallOutcome.OK, CallOutcome.REJECTED]


@pytest.mark.parametrize(
    "trouble",
    [
        {"side_effect": httpx.ReadTimeout("CLAIRVAL 2700199999001")},
        {"return_value": httpx.Response(200, json=["CLAIRVAL", "2700199999001"])},
        {"return_value": httpx.Response(200, json={"codeSortie": "S002", "nom": "CLAIRVAL 2700199999001"})},
        {"return_value": httpx.Response(500, text="CLAIRVAL 2700199999001")},
    ],
)
async def test_no_personal_datum_leaves_in_an_error_or_in_the_text_of_a_value(
    client: FranceTravailClient, api: FakeFranceTravail, trouble: dict[str, Any]
):
    api.search.mock(**trouble)

    with pytest.raises((PartnerUnavailable, FranceTravailRejected)) as caught:
        await client.search_identity(QUERY)

    text = f"{caught.value!r} {caught.value} {vars(caught.value)} {QUERY!r} {UPDATE!r}".upper()
    for datum in ("CLAIRVAL", "ONDINE", "1970", "27001", "INVENTED-IDENTIFIER"):
        assert datum not in text
    assert caught.value.__context__ is None


async def test_the_url_of_a_search_holds_nothing_of_the_person(client: FranceTravailClient, api: FakeFranceTravail):
    await client.search_identity(replace(QUERY, birthdate=date(1970, 1, 1)))

    assert api.search.calls.last.request.url.query == b""
