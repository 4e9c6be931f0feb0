"""Tokens of France Travail: the call, the cache, the renewal."""

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from clients.errors import Delivery, PartnerRateLimited, PartnerUnavailable
from clients.france_travail import FranceTravailClient, FranceTravailConfigurationError
from clients.token_store import TokenStore
from tests.unit.clients.doubles import DownTokenStore, MemoryTokenStore, RecordingPacer
from tests.unit.clients.france_travail import CONFIG, FOUND, QUERY, UPDATE, FakeFranceTravail


def build(http: httpx.AsyncClient, tokens: TokenStore, **changes: Any) -> FranceTravailClient:
    return FranceTravailClient(replace(CONFIG, **changes), http, tokens, RecordingPacer())


def refuse_the_first_token(request: httpx.Request) -> httpx.Response:
    is_first = request.headers["Authorization"] == "Bearer token-1"
    return httpx.Response(401) if is_first else httpx.Response(200, json=FOUND)


async def test_the_token_call_has_the_realm_in_its_query_and_the_credentials_in_its_form(
    client: FranceTravailClient, api: FakeFranceTravail
):
    await client.search_identity(QUERY)

    request = api.token.calls.last.request
    assert request.url.query == b"realm=%2Fpartenaire"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["PAR_tests_01"],
        "client_secret": ["invented-secret"],
        "scope": [
            "application_PAR_tests_01 api_rechercheindividucertifiev1 rechercherIndividuCertifie"
            " api_maj-pass-iaev1 passIAE"
        ],
    }


async def test_a_token_of_1499_seconds_is_kept_1489_and_serves_the_next_call(
    client: FranceTravailClient, api: FakeFranceTravail, tokens: MemoryTokenStore
):
    await client.search_identity(QUERY)
    await client.update_pass_iae(UPDATE)

    assert api.token.call_count == 1
    assert [*tokens.ttls.values()] == [1489]
    assert api.tokens_used(api.search) == api.tokens_used(api.update) == ["Bearer token-1"]


async def test_the_token_type_is_used_as_received(client: FranceTravailClient, api: FakeFranceTravail):
    api.token.respond(200, json={"token_type": "bearer", "access_token": "abc", "expires_in": 100})

    await client.search_identity(QUERY)

    assert api.tokens_used(api.search) == ["bearer abc"]


@pytest.mark.parametrize("expires_in", [5, 10, 0, -1])
async def test_a_token_about_to_expire_is_used_once_and_not_kept(
    client: FranceTravailClient, api: FakeFranceTravail, tokens: MemoryTokenStore, expires_in: int
):
    api.token.respond(200, json={"token_type": "Bearer", "access_token": "short", "expires_in": expires_in})

    await client.search_identity(QUERY)

    assert api.tokens_used(api.search) == ["Bearer short"]
    assert tokens.values == {}


async def test_an_expired_token_is_fetched_anew(
    client: FranceTravailClient, api: FakeFranceTravail, tokens: MemoryTokenStore
):
    await client.search_identity(QUERY)
    tokens.expire()

    await client.search_identity(QUERY)

    assert api.tokens_used(api.search) == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "PAR_other"}, {"scopes": ("passIAE",)}, {"realm": "/agent"}],
    ids=["client", "scopes", "realm"],
)
async def test_another_application_scope_or_realm_never_gets_the_same_token(
    client: FranceTravailClient,
    france_travail_http: httpx.AsyncClient,
    api: FakeFranceTravail,
    tokens: MemoryTokenStore,
    changes: dict[str, Any],
):
    await client.search_identity(QUERY)

    await build(france_travail_http, tokens, **changes).search_identity(QUERY)

    assert api.token.call_count == 2
    assert len(tokens.values) == 2


async def test_the_order_of_the_scopes_does_not_matter_for_the_cache(
    client: FranceTravailClient,
    france_travail_http: httpx.AsyncClient,
    api: FakeFranceTravail,
    tokens: MemoryTokenStore,
):
    await client.search_identity(QUERY)

    await build(france_travail_http, tokens, scopes=CONFIG.scopes[::-1]).search_identity(QUERY)

    assert api.token.call_count == 1


async def test_fifty_calls_at_once_without_a_token_make_one_token_call(
    client: FranceTravailClient, api: FakeFranceTravail
):
    await asyncio.gather(*(client.search_identity(QUERY) for _ in range(50)))

    assert api.token.call_count == 1


async def test_fifty_refused_calls_at_once_make_one_token_call(
    client: FranceTravailClient, api: FakeFranceTravail, tokens: MemoryTokenStore
):
    await client.search_identity(QUERY)
    api.search.mock(side_effect=refuse_the_first_token)

    found = await asyncio.gather(*(client.search_identity(QUERY) for _ in range(50)))

    assert found == ["invented-identifier"] * 50
    assert api.token.call_count == 2
    assert [*tokens.values.values()] == ["Bearer token-2"]


async def test_two_processes_refused_at_once_make_one_token_call(
    client: FranceTravailClient,
    france_travail_http: httpx.AsyncClient,
    api: FakeFranceTravail,
    tokens: MemoryTokenStore,
):
    await client.search_identity(QUERY)
    other_process = build(france_travail_http, tokens)
    api.search.mock(side_effect=refuse_the_first_token)

    await asyncio.gather(*(each.search_identity(QUERY) for each in [client, other_process] * 10))

    assert api.token.call_count == 2


async def test_a_call_refused_with_a_token_that_somebody_renewed_meanwhile_uses_theirs(
    client: FranceTravailClient, api: FakeFranceTravail, tokens: MemoryTokenStore
):
    await client.search_identity(QUERY)
    key = next(iter(tokens.values))

    def renewed_elsewhere_during_the_call(request: httpx.Request) -> httpx.Response:
        is_old = request.headers["Authorization"] == "Bearer token-1"
        tokens.values[key] = "Bearer from-elsewhere"
        return httpx.Response(401) if is_old else httpx.Response(200, json=FOUND)

    api.search.mock(side_effect=renewed_elsewhere_during_the_call)

    await client.search_identity(QUERY)

    assert api.token.call_count == 1
    assert api.tokens_used(api.search)[-1] == "Bearer from-elsewhere"


async def test_a_dead_cache_costs_a_token_call_and_nothing_else(
    france_travail_http: httpx.AsyncClient, api: FakeFranceTravail
):
    client = build(france_travail_http, DownTokenStore())

    found = [await client.search_identity(QUERY) for _ in range(2)]

    assert found == ["invented-identifier"] * 2
    assert api.token.call_count == 2


@pytest.mark.parametrize("error", ["invalid_client", "invalid_scope", "unsupported_grant_type", "invalid_grant"])
async def test_refused_credentials_are_a_configuration_error_and_no_data_call_is_made(
    client: FranceTravailClient, api: FakeFranceTravail, error: str
):
    api.token.respond(400, json={"error": error, "error_description": "no such client PAR_tests_01"})

    with pytest.raises(FranceTravailConfigurationError) as caught:
        await client.search_identity(QUERY)

    assert (caught.value.error, caught.value.http_status) == (error, 400)
    assert caught.value.delivery is Delivery.NOT_SENT
    assert "PAR_tests_01" not in str(caught.value)
    assert not api.search.called


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("answer", [{"html": "<h1>Forbidden</h1>"}, {"json": {"error": 3}}, {"json": {"error": "A b"}}])
async def test_a_token_call_forbidden_without_an_error_word_is_a_configuration_error_too(
    client: FranceTravailClient, api: FakeFranceTravail, status: int, answer: dict[str, Any]
):
    api.token.respond(status, **answer)

    with pytest.raises(FranceTravailConfigurationError) as caught:
        await client.update_pass_iae(UPDATE)

    assert (caught.value.error, caught.value.code) == (None, str(status))


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ({"side_effect": httpx.ConnectTimeout}, "http_error"),
        ({"side_effect": httpx.ReadError}, "http_error"),
        ({"side_effect": httpx.ReadTimeout}, "http_error"),
        ({"return_value": httpx.Response(500)}, "500"),
        ({"return_value": httpx.Response(503, html="<h1>Maintenance</h1>")}, "503"),
        ({"return_value": httpx.Response(404)}, "404"),
        ({"return_value": httpx.Response(200, html="<h1>Hello</h1>")}, "invalid_json"),
        ({"return_value": httpx.Response(200, json={"access_token": "abc", "expires_in": 9})}, "unexpected_shape"),
        *(
            (
                {
                    "return_value": httpx.Response(
                        200, json={"token_type": "Bearer", "access_token": token, "expires_in": 99}
                    )
                },
                "unexpected_shape",
            )
            for token in ("a\r\nX: y", "a\n")
        ),
    ],
)
async def test_any_other_token_trouble_is_recoverable_and_the_update_has_not_left(
    client: FranceTravailClient, api: FakeFranceTravail, trouble: dict[str, Any], code: str
):
    api.token.mock(**{"side_effect": None, **trouble})

    with pytest.raises(PartnerUnavailable) as caught:
        await client.update_pass_iae(UPDATE)

    assert type(caught.value) is PartnerUnavailable
    assert (caught.value.operation, caught.value.code) == ("token", code)
    assert caught.value.delivery is Delivery.NOT_SENT
    assert not api.update.called


async def test_a_rate_limited_token_call_closes_the_gates_of_the_data_calls(
    client: FranceTravailClient, api: FakeFranceTravail, pacer: RecordingPacer
):
    api.token.respond(429, headers={"Retry-After": "9"})

    with pytest.raises(PartnerRateLimited) as caught:
        await client.search_identity(QUERY)

    assert (caught.value.retry_after, caught.value.delivery) == (9, Delivery.NOT_SENT)
    assert pacer.holds == [("france_travail:search_identity", 9), ("france_travail:update_pass_iae", 9)]


async def test_callers_that_queued_behind_a_failed_token_call_share_its_failure(
    client: FranceTravailClient, api: FakeFranceTravail
):
    started, failing = asyncio.Event(), asyncio.Event()

    async def slow_failure(request: httpx.Request) -> httpx.Response:
        started.set()
        await failing.wait()
        return httpx.Response(500)

    api.token.mock(side_effect=slow_failure)
    calls = [asyncio.create_task(client.search_identity(QUERY)) for _ in range(20)]
    await started.wait()
    failing.set()

    ended = await asyncio.gather(*calls, return_exceptions=True)

    assert {getattr(error, "code", None) for error in ended} == {"500"}
    assert api.token.call_count == 1


async def test_after_a_failure_the_next_caller_tries_again(client: FranceTravailClient, api: FakeFranceTravail):
    grant = api.token.side_effect
    api.token.mock(side_effect=httpx.ReadTimeout)
    with pytest.raises(PartnerUnavailable):
        await client.search_identity(QUERY)
    api.token.mock(side_effect=grant)

    found = await client.search_identity(QUERY)

    assert found == "invented-identifier"


async def test_a_caller_that_goes_away_during_the_token_call_leaves_the_others_to_get_one(
    client: FranceTravailClient, api: FakeFranceTravail
):
    grant, started = api.token.side_effect, asyncio.Event()

    async def never(request: httpx.Request) -> httpx.Response:
        started.set()
        await asyncio.Event().wait()
        return httpx.Response(500)

    api.token.mock(side_effect=never)
    first = asyncio.create_task(client.search_identity(QUERY))
    await started.wait()
    second = asyncio.create_task(client.search_identity(QUERY))
    api.token.mock(side_effect=grant)
    first.cancel()

    found = await second

    assert found == "invented-identifier"
    assert first.cancelled()


def test_the_secret_is_not_in_the_text_of_the_configuration():
    assert "invented-secret" not in repr(CONFIG)
