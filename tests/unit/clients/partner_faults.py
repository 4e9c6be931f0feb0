"""How a partner fails, for the tests of look-up clients: each fault, and what must become of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from clients.errors import PartnerRateLimited, PartnerUnavailable


@dataclass(frozen=True)
class Fault:
    """`answers` gives respx its arguments; they are made anew for each test. `is_repeated`: by whoever repeats.

    `deadline_seconds`: for the client that meets it. Only the one that never ends must be ended soon.
    """

    name: str
    answers: Callable[[], dict[str, Any]]
    kind: type[PartnerUnavailable]
    code: str
    http_status: int | None
    is_repeated: bool
    deadline_seconds: float = 5.0


async def _drip() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(0.005)  # the partner's slowness, not the test's patience


async def _half_a_body() -> AsyncIterator[bytes]:
    yield b'{"fea'
    raise httpx.RemoteProtocolError("peer closed connection")


def _dripping(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=_drip())


def _broken_off(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=_half_a_body())


def _always(**answer: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"return_value": httpx.Response(**answer)}


def _raising(exception: type[httpx.HTTPError]) -> Callable[[], dict[str, Any]]:
    return lambda: {"side_effect": exception}


FAULTS = (
    Fault("timeout", _raising(httpx.ReadTimeout), PartnerUnavailable, "http_error", None, is_repeated=True),
    Fault("no connection", _raising(httpx.ConnectError), PartnerUnavailable, "http_error", None, is_repeated=True),
    Fault("reset", _raising(httpx.ReadError), PartnerUnavailable, "http_error", None, is_repeated=True),
    Fault(
        "drip",
        lambda: {"side_effect": _dripping},
        PartnerUnavailable,
        "http_error",
        200,
        is_repeated=True,
        deadline_seconds=0.1,
    ),
    Fault("half a body", lambda: {"side_effect": _broken_off}, PartnerUnavailable, "http_error", 200, is_repeated=True),
    Fault("500", _always(status_code=500), PartnerUnavailable, "500", 500, is_repeated=True),
    Fault(
        "503 in HTML",
        _always(status_code=503, html="<h1>Maintenance</h1>"),
        PartnerUnavailable,
        "503",
        503,
        is_repeated=True,
    ),
    Fault(
        "429 for an hour",
        _always(status_code=429, headers={"Retry-After": "3600"}),
        PartnerRateLimited,
        "429",
        429,
        is_repeated=False,
    ),
    Fault(
        "truncated JSON",
        _always(status_code=200, content=b'{"features": [{"ty'),
        PartnerUnavailable,
        "invalid_json",
        200,
        is_repeated=False,
    ),
    Fault(
        "HTML with 200",
        _always(status_code=200, html="<h1>Hi</h1>"),
        PartnerUnavailable,
        "invalid_json",
        200,
        is_repeated=False,
    ),
    Fault(
        "wrong shape",
        _always(status_code=200, json={"answer": 42}),
        PartnerUnavailable,
        "unexpected_shape",
        200,
        is_repeated=False,
    ),
    Fault(
        "another list",
        _always(status_code=200, json=[1, 2]),
        PartnerUnavailable,
        "unexpected_shape",
        200,
        is_repeated=False,
    ),
    Fault("redirect", _always(status_code=302), PartnerUnavailable, "302", 302, is_repeated=False),
)
