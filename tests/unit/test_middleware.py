"""What stands between every request and its route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from middleware import AddressLimitMiddleware
from services.rate_limits import Limiter, Policy


def limiter(quota: int = 2) -> Limiter:
    return Limiter(Policy(name="address", quota=quota), clock=lambda: 1_000.0)


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def client_of(limits: Limiter, *, address: str = "192.0.2.17", knows_proxies: bool = True) -> httpx.AsyncClient:
    app = Starlette(
        routes=[Route("/{rest:path}", _hello, methods=["GET", "POST", "DELETE"])],
        middleware=[
            Middleware(
                AddressLimitMiddleware,
                limiter=limits,
                uncounted=("/healthz", "/webhooks/"),
                knows_proxies=knows_proxies,
            )
        ],
    )
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="https://traverse.exemple.test")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(limiter()) as http:
        yield http


async def test_requests_of_an_address_are_counted_together_whatever_their_path(http: httpx.AsyncClient):
    statuses = [
        (await http.request(method, path)).status_code
        for method, path in (("GET", "/graphql"), ("POST", "/oauth/token"), ("DELETE", "/nowhere"), ("GET", "/ops"))
    ]

    assert statuses == [200, 200, 429, 429]


@pytest.mark.parametrize("path", ["/healthz", "/webhooks/tally"])
async def test_paths_with_rules_of_their_own_are_not_counted(http: httpx.AsyncClient, path: str):
    statuses = [(await http.get(path)).status_code for _ in range(5)]

    assert statuses == [200] * 5


async def test_a_refusal_says_when_to_come_back_to_programs_and_to_people(http: httpx.AsyncClient):
    for _ in range(2):
        await http.get("/graphql")

    program = await http.post("/graphql")
    person = await http.get("/ops", headers={"Accept": "text/html"})

    assert program.json() == {
        "errors": [
            {
                "message": "Trop de demandes depuis votre réseau. Réessayez dans 30 secondes.",
                "extensions": {"code": "RATE_LIMITED", "retryAfterSeconds": 30},
            }
        ]
    }
    assert person.text == "Trop de demandes depuis votre réseau. Réessayez dans 30 secondes."
    assert person.headers["content-type"] == "text/plain; charset=utf-8"
    for answer in (program, person):
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "30"
        assert answer.headers["ratelimit-policy"] == '"address";q=2;qu="requests";w=60'
        assert answer.headers["cache-control"] == "no-store"


async def test_addresses_are_counted_apart_and_those_of_an_ipv6_network_together():
    limits = limiter(quota=1)
    statuses: list[int] = []

    for address in ("192.0.2.1", "192.0.2.2", "2001:db8:0:7::1", "2001:db8:0:7::2"):
        async with client_of(limits, address=address) as http:
            statuses.append((await http.get("/graphql")).status_code)

    assert statuses == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("extensions", "told"),
    [
        ({"websocket.http.response": {}}, "websocket.http.response.start"),
        ({}, "websocket.close"),
    ],
)
async def test_a_handshake_is_refused_by_http_where_the_server_can(extensions: dict[str, Any], told: str):
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def never(*_: Any) -> None:
        raise AssertionError("let through")

    limits = limiter(quota=1)
    limits.take("address 192.0.2.17")
    scope: dict[str, Any] = {"type": "websocket", "path": "/graphql", "headers": [], "client": ("192.0.2.17", 1)}

    await AddressLimitMiddleware(never, limiter=limits)({**scope, "extensions": extensions}, receive, send)

    assert sent[0]["type"] == told
    if extensions:
        assert sent[0]["status"] == 429
        assert (b"retry-after", b"60") in sent[0]["headers"]


async def test_a_proxy_that_nobody_told_of_is_reported_once():
    with structlog.testing.capture_logs() as logs:
        async with client_of(limiter(quota=10), knows_proxies=False) as http:
            await http.get("/graphql")
            for _ in range(3):
                await http.get("/graphql", headers={"X-Forwarded-For": "203.0.113.9"})

    assert [line["event"] for line in logs] == ["proxy_not_trusted"]
    assert "203.0.113.9" not in str(logs)
