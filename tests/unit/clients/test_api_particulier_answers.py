"""What each answer of API Particulier becomes: the six outcomes."""

import logging
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx
import pytest

from clients.api_particulier import (
    ApiParticulierMisconfigured,
    ApiParticulierUnavailable,
    BenefitRight,
    Certification,
    Criterion,
    Outcome,
    outcome_of,
)
from clients.breaker import BreakerState
from clients.errors import Delivery, PartnerError, PartnerRateLimited, PartnerUnavailable
from clients.observer import CallOutcome
from tests.unit.clients.api_particulier import BENEFICIARY, PERSON, RSA_URL, TRACES, Api, api_with, refusal
from tests.unit.clients.partner_faults import FAULTS, Fault


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with api_with() as api:
        yield api


async def certify(api: Api) -> Certification:
    return await api.client.certify(Criterion.RSA, PERSON)


async def error_of(api: Api) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await certify(api)
    return caught.value


async def test_a_beneficiary_is_certified_with_the_first_day_of_the_right(api: Api):
    api.rsa.respond(200, json=BENEFICIARY, headers={"X-Request-ID": "3f1c-42"})

    answer = await certify(api)

    assert answer == Certification(
        outcome=Outcome.CERTIFIED,
        benefit=BenefitRight(is_beneficiary=True, has_increase=False, started_on=date(2025, 11, 1)),
        http_status=200,
        request_id="3f1c-42",
    )
    assert (answer.proves_identity, answer.is_beneficiary) == (True, True)


async def test_somebody_without_the_benefit_has_a_certified_identity_all_the_same(api: Api):
    data = {"est_beneficiaire": False, "avec_majoration": None, "date_debut_droit": None}
    api.rsa.respond(200, json={"data": data})

    answer = await certify(api)

    assert (answer.outcome, answer.proves_identity, answer.is_beneficiary) == (Outcome.CERTIFIED, True, False)


async def test_what_the_scopes_of_the_token_hide_is_unknown_and_not_no(api: Api):
    api.rsa.respond(200, json={"data": {}})

    answer = await certify(api)

    assert (answer.outcome, answer.proves_identity, answer.is_beneficiary) == (Outcome.CERTIFIED, True, None)
    assert answer.benefit == BenefitRight(is_beneficiary=None, has_increase=None, started_on=None)


@pytest.mark.parametrize(
    ("status", "code", "outcome", "proves_identity", "is_beneficiary"),
    [
        (404, "10003", Outcome.IDENTITY_ONLY, True, False),
        (404, "23003", Outcome.IDENTITY_ONLY, True, False),
        (404, "35003", Outcome.IDENTITY_ONLY, True, False),
        (404, "37003", Outcome.IDENTITY_ONLY, True, False),
        (422, "00366", Outcome.IDENTITY_NOT_FOUND, False, None),
        (502, "37999", Outcome.PROVIDER_UNKNOWN, False, None),
        (502, "36999", Outcome.PROVIDER_UNKNOWN, False, None),
    ],
)
async def test_these_refusals_are_answers(
    api: Api, status: int, code: str, outcome: Outcome, proves_identity: bool, is_beneficiary: bool | None
):
    api.rsa.respond(status, json=refusal(code, provider="CNAV"), headers={"X-Request-ID": "abc"})

    answer = await certify(api)

    assert answer == Certification(outcome=outcome, http_status=status, code=code, provider="CNAV", request_id="abc")
    assert (answer.proves_identity, answer.is_beneficiary) == (proves_identity, is_beneficiary)
    assert api.rsa.call_count == 1


SEVERAL = {"errors": [*refusal("37999")["errors"], *refusal("37001", retry_in=30)["errors"]]}


@pytest.mark.parametrize(
    ("status", "body", "retry_after"),
    [
        (404, refusal("35003", title="Erreur inattendue"), None),
        (404, refusal("99999"), None),
        (409, refusal("00015"), 60),
        (409, {}, 60),
        (500, refusal("00000"), None),
        (502, refusal("12345"), None),
        (502, SEVERAL, 30),
        (502, {"errors": []}, None),
        (503, refusal("00000"), None),
        (504, refusal("00501", retry_in=10), 10),
        (504, refusal("37001"), None),
        (504, refusal("37008", retry_in=3600), 3600),
        (504, refusal("37002", retry_in="soon"), None),
        (504, refusal("37002", retry_in=-1), None),
        (504, refusal("37002", retry_in=10**9), None),
        (422, {"message": "from a proxy"}, None),
        (301, {}, None),
        (204, {}, None),
    ],
)
async def test_these_may_be_others_later(api: Api, status: int, body: dict[str, Any], retry_after: float | None):
    api.rsa.respond(status, json=body, headers={"X-Request-ID": "abc"})

    error = await error_of(api)

    assert type(error) is ApiParticulierUnavailable
    assert outcome_of(error) is Outcome.RETRYABLE
    assert (error.http_status, error.retry_after, error.request_id) == (status, retry_after, "abc")
    assert api.rsa.call_count == 1


async def test_a_503_may_say_when_it_is_over(api: Api):
    api.rsa.respond(503, html="<h1>Maintenance</h1>", headers={"Retry-After": "1800"})

    assert (await error_of(api)).retry_after == 1800


@pytest.mark.parametrize(
    ("status", "body", "code", "must_stop_all"),
    [
        (400, refusal("00201"), "00201", False),
        (400, {}, "400", False),
        (401, refusal("00101"), "00101", True),
        (401, refusal("00103"), "00103", True),
        (401, refusal("00105"), "00105", True),
        (401, {}, "401", True),
        (403, refusal("00100"), "00100", False),
        (404, {}, "404", False),
        (404, {"errors": []}, "404", False),
        (405, {}, "405", False),
        (422, refusal("00203"), "00203", False),
        (422, refusal("00365"), "00365", False),
    ],
)
async def test_these_are_our_own_fault_and_ring_the_alarm(
    api: Api, status: int, body: dict[str, Any], code: str, must_stop_all: bool
):
    api.rsa.respond(status, json=body, headers={"X-Request-ID": "abc"})

    error = await error_of(api)

    assert isinstance(error, ApiParticulierMisconfigured)
    assert outcome_of(error) is Outcome.CONFIG_ERROR
    assert (error.code, error.http_status, error.request_id) == (code, status, "abc")
    assert error.must_stop_all is must_stop_all
    assert api.rsa.call_count == 1


async def test_a_404_in_html_means_that_the_address_is_wrong(api: Api):
    api.rsa.respond(404, html="<h1>Not Found</h1>")

    assert outcome_of(await error_of(api)) is Outcome.CONFIG_ERROR


@pytest.mark.parametrize(
    ("answer", "retry_after"),
    [
        ({"status_code": 429, "json": refusal("00429"), "headers": {"Retry-After": "42"}}, 42),
        ({"status_code": 429, "json": refusal("00429")}, 60),
        ({"status_code": 429, "html": "<h1>Slow down</h1>", "headers": {"Retry-After": "soon"}}, 60),
        ({"status_code": 429, "headers": {"Retry-After": "7200"}}, 7200),
        ({"status_code": 503, "text": "Trop de requêtes", "headers": {"Retry-After": "5"}}, 5),
        ({"status_code": 503, "json": refusal("00429")}, 60),
    ],
)
async def test_too_many_requests_close_the_gate_of_all_criteria(api: Api, answer: dict[str, Any], retry_after: float):
    api.rsa.respond(**answer)

    error = await error_of(api)

    assert isinstance(error, PartnerRateLimited)
    assert (outcome_of(error), error.retry_after) == (Outcome.RETRYABLE, retry_after)
    assert api.pacer.holds == [("api_particulier:identity", retry_after)]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
async def test_every_accident_can_be_tried_again_and_is_not_by_the_client(api: Api, fault: Fault):
    api.rsa.mock(**fault.answers())

    error = await error_of(api)

    assert isinstance(error, fault.kind)
    assert (error.code, error.http_status) == (fault.code, fault.http_status)
    assert outcome_of(error) is Outcome.RETRYABLE
    assert api.rsa.call_count == 1


@pytest.mark.parametrize("odd", [None, 17, ["x"], {"provider": ["x"]}, {"provider": "Mme Quesnoy <b>"}])
async def test_odd_details_do_not_hide_the_code_beside_them(api: Api, odd: Any):
    api.rsa.respond(404, json={"errors": [{"code": 23003, "title": odd, "meta": odd}]})

    answer = await certify(api)

    assert (answer.outcome, answer.code, answer.provider) == (Outcome.IDENTITY_ONLY, "23003", None)


async def test_ten_answers_of_a_lost_provider_do_not_open_the_breaker():
    async with api_with() as api:
        api.rsa.respond(502, json=refusal("37999"))

        answers = [await certify(api) for _ in range(10)]

        assert {answer.outcome for answer in answers} == {Outcome.PROVIDER_UNKNOWN}
        assert api.client.breaker_states() == {"certify_rsa": BreakerState.CLOSED}
        assert set(api.observer.outcomes) == {CallOutcome.OK}


@pytest.mark.parametrize(
    "answer",
    [
        {"return_value": httpx.Response(200, json=BENEFICIARY)},
        {"return_value": httpx.Response(404, json=refusal("23003"))},
        {"return_value": httpx.Response(422, json=refusal("QUESNOY-PERRIN"))},
        {"return_value": httpx.Response(401, json=refusal("00101"))},
        {"return_value": httpx.Response(500, text="QUESNOY-PERRIN MAËLLE 1993")},
        {"return_value": httpx.Response(200, json={"data": "QUESNOY-PERRIN"})},
        {"side_effect": httpx.ReadTimeout(RSA_URL + "?nomNaissance=QUESNOY-PERRIN")},
        {"side_effect": httpx.ConnectError("QUESNOY-PERRIN")},
    ],
)
async def test_no_call_leaves_a_trace_of_the_person_in_logs_errors_or_values(
    api: Api, answer: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    api.rsa.mock(**answer)
    left: list[object] = []

    try:
        left.append(await certify(api))
    except PartnerError as error:
        left.extend((error, repr(error), vars(error), error.__context__, error.__cause__))

    text = f"{left} {caplog.text} {api.observer.calls}".lower()
    for trace in TRACES:
        assert trace not in text
    assert "2025-11-01" not in text


def test_any_other_partner_error_has_an_outcome_too():
    busy = PartnerUnavailable("api_particulier", "certify_rsa", "no free slot", delivery=Delivery.NOT_SENT)

    assert outcome_of(busy) is Outcome.RETRYABLE
