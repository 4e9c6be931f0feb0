"""The identity provider's keys: kept, refreshed, rotated, and good while the provider is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import respx

from clients.breaker import BreakerPolicy
from clients.http import CallPolicy, PartnerHTTP, build_http_client
from clients.jwks import JWKSClient
from tests.unit.clients.doubles import ManualClock

URL = "https://identity.example/jwks"
OLD = {"kty": "RSA", "kid": "old", "n": "AQAB", "e": "AQAB"}
NEW = {"kty": "RSA", "kid": "new", "n": "AQAB", "e": "AQAB"}
LIFETIME, COOLDOWN = 300.0, 10.0


@pytest.fixture
def provider() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        yield router.get(URL).respond(json={"keys": [OLD]})


@pytest.fixture
async def keys(clock: ManualClock) -> AsyncIterator[JWKSClient]:
    # No breaker here: it has its own clock and tests of its own.
    policy = CallPolicy(deadline_seconds=5, breaker=BreakerPolicy(failures=10_000))
    async with build_http_client(URL) as http:
        yield JWKSClient(
            PartnerHTTP("identity_provider", http, policy), URL, lifetime=LIFETIME, cooldown=COOLDOWN, clock=clock
        )


async def test_a_key_is_fetched_once_and_kept(provider: respx.Route, keys: JWKSClient, clock: ManualClock):
    first = await keys.key("old")
    clock.advance(LIFETIME)
    second = await keys.key("old")

    assert first == second == OLD
    assert provider.call_count == 1


async def test_fifty_tokens_at_once_are_one_fetch(provider: respx.Route, keys: JWKSClient):
    found = await asyncio.gather(*(keys.key("old") for _ in range(50)))

    assert found == [OLD] * 50
    assert provider.call_count == 1


async def test_the_set_is_fetched_again_after_its_lifetime(provider: respx.Route, keys: JWKSClient, clock: ManualClock):
    await keys.key("old")
    provider.respond(json={"keys": [NEW]})

    clock.advance(LIFETIME + 1)

    assert await keys.key("old") is None, "withdrawn by the provider"
    assert await keys.key("new") == NEW
    assert provider.call_count == 2


async def test_a_rotation_is_seen_at_the_first_token_that_names_the_new_key(
    provider: respx.Route, keys: JWKSClient, clock: ManualClock
):
    await keys.key("old")
    provider.respond(json={"keys": [OLD, NEW]})
    clock.advance(COOLDOWN + 1)

    found = await keys.key("new")

    assert found == NEW
    assert await keys.key("old") == OLD
    assert provider.call_count == 2


async def test_invented_key_ids_do_not_become_requests(provider: respx.Route, keys: JWKSClient, clock: ManualClock):
    found = await asyncio.gather(*(keys.key(f"invented-{number}") for number in range(200)))

    assert found == [None] * 200
    assert provider.call_count == 1
    clock.advance(COOLDOWN + 1)
    await asyncio.gather(*(keys.key(f"invented-{number}") for number in range(200)))
    assert provider.call_count == 2


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("silent"),
        httpx.Response(500),
        httpx.Response(503, headers={"Retry-After": "5"}),
        httpx.Response(404),
        httpx.Response(302, headers={"Location": "https://elsewhere.example/jwks"}),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"keys": "none"}),
        httpx.Response(200, json={"keys": [7]}),
    ],
    ids=lambda trouble: type(trouble).__name__ if isinstance(trouble, Exception) else str(trouble.status_code),
)
async def test_known_keys_stay_good_while_the_provider_is_in_trouble(
    provider: respx.Route, keys: JWKSClient, clock: ManualClock, trouble: Any
):
    await keys.key("old")
    provider.mock(side_effect=[trouble] * 10)
    clock.advance(LIFETIME + 1)

    assert await keys.key("old") == OLD
    assert await keys.key("new") is None
    assert provider.call_count == 2, "the second look-up falls into the pause between two tries"


async def test_a_provider_that_comes_back_is_asked_again(provider: respx.Route, keys: JWKSClient, clock: ManualClock):
    provider.mock(side_effect=httpx.ConnectError("refused"))
    assert await keys.key("old") is None
    provider.mock(side_effect=None)
    provider.respond(json={"keys": [OLD]})

    clock.advance(COOLDOWN + 1)

    assert await keys.key("old") == OLD


async def test_entries_without_a_text_for_an_id_are_passed_over(provider: respx.Route, keys: JWKSClient):
    provider.respond(json={"keys": [{"kty": "RSA"}, {"kty": "RSA", "kid": 7}, OLD]})

    assert await keys.key("old") == OLD


async def test_a_slow_refresh_holds_up_one_caller_only(provider: respx.Route, keys: JWKSClient, clock: ManualClock):
    await keys.key("old")
    answered, asked = asyncio.Event(), asyncio.Event()

    async def slowly(_: httpx.Request) -> httpx.Response:
        asked.set()
        await answered.wait()
        return httpx.Response(200, json={"keys": [OLD, NEW]})

    provider.mock(side_effect=slowly)
    clock.advance(LIFETIME + 1)
    refreshing = asyncio.create_task(keys.key("old"))
    await asked.wait()

    meanwhile = await keys.key("old")

    assert meanwhile == OLD
    assert not refreshing.done()
    answered.set()
    assert await refreshing == OLD
    assert await keys.key("new") == NEW
