"""What goes over the wire to a partner, and what each answer or accident becomes."""

import asyncio
import logging
from typing import Any

import httpx
import pytest
import respx

from clients.errors import Delivery, PartnerError, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest
from clients.observer import CallOutcome
from tests.unit.clients.doubles import RecordingObserver, RecordingPacer
from tests.unit.clients.partner import READ, REQUEST, SECRET, Thing, error_of


async def test_a_documented_answer_becomes_a_typed_value(
    partner: PartnerHTTP, things: respx.Route, observer: RecordingObserver, pacer: RecordingPacer
):
    things.respond(200, json={"name": "lamp"})

    thing = await partner.call("get_thing", REQUEST, READ)

    assert thing == Thing(name="lamp")
    assert observer.outcomes == [CallOutcome.OK]
    assert observer.calls[0].http_status == 200
    assert pacer.waits == ["partner:things"]


@pytest.mark.parametrize(
    ("exception", "delivery"),
    [
        (httpx.ConnectError, Delivery.NOT_SENT),
        (httpx.ConnectTimeout, Delivery.NOT_SENT),
        (httpx.PoolTimeout, Delivery.NOT_SENT),
        (httpx.ReadTimeout, Delivery.UNKNOWN),
        (httpx.WriteTimeout, Delivery.UNKNOWN),
        (httpx.ReadError, Delivery.UNKNOWN),
        (httpx.WriteError, Delivery.UNKNOWN),
        (httpx.RemoteProtocolError, Delivery.UNKNOWN),
        (httpx.DecodingError, Delivery.UNKNOWN),
    ],
)
async def test_what_breaks_on_the_wire_is_recoverable_and_says_whether_the_request_may_have_left(
    partner: PartnerHTTP, things: respx.Route, exception: type[httpx.RequestError], delivery: Delivery
):
    things.mock(side_effect=exception)

    error = await error_of(partner)

    assert type(error) is PartnerUnavailable
    assert (error.code, error.http_status, error.delivery) == ("http_error", None, delivery)


@pytest.mark.parametrize(
    ("status", "kind", "delivery"),
    [
        (302, PartnerUnavailable, Delivery.REFUSED),
        (400, PartnerRejected, Delivery.REFUSED),
        (401, PartnerUnavailable, Delivery.REFUSED),
        (403, PartnerUnavailable, Delivery.REFUSED),
        (404, PartnerRejected, Delivery.REFUSED),
        (422, PartnerRejected, Delivery.REFUSED),
        (429, PartnerRateLimited, Delivery.REFUSED),
        (500, PartnerUnavailable, Delivery.UNKNOWN),
        (503, PartnerUnavailable, Delivery.UNKNOWN),
        (201, PartnerUnavailable, Delivery.UNKNOWN),
    ],
)
async def test_each_status_is_recoverable_or_not_and_is_its_own_code(
    partner: PartnerHTTP, things: respx.Route, status: int, kind: type[PartnerError], delivery: Delivery
):
    things.respond(status, html="<h1>No</h1>")

    error = await error_of(partner)

    assert type(error) is kind
    assert (error.code, error.http_status, error.delivery) == (str(status), status, delivery)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("soon", None), (None, None)])
async def test_a_503_tells_how_long_to_wait_if_the_partner_said_so(
    partner: PartnerHTTP, things: respx.Route, header: str | None, seconds: float | None
):
    things.respond(503, headers={"Retry-After": header} if header else {})

    error = await error_of(partner)

    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"content": b'{"name": "la'}, "invalid_json"),
        ({"content": b""}, "invalid_json"),
        ({"content": b'{"name": "\xff"}'}, "invalid_json"),
        ({"html": "<h1>Maintenance</h1>"}, "invalid_json"),
        ({"json": {"nom": "lampe"}}, "unexpected_shape"),
        ({"json": [1]}, "unexpected_shape"),
    ],
)
async def test_a_success_that_cannot_be_read_is_recoverable_and_maybe_delivered(
    partner: PartnerHTTP, things: respx.Route, answer: dict[str, Any], code: str
):
    things.respond(200, **answer)

    error = await error_of(partner)

    assert type(error) is PartnerUnavailable
    assert (error.code, error.http_status, error.delivery) == (code, 200, Delivery.UNKNOWN)


@pytest.mark.parametrize(
    "trouble",
    [
        {"side_effect": httpx.ReadTimeout(SECRET)},
        {"return_value": httpx.Response(200, json={"nir": SECRET})},
        {"return_value": httpx.Response(200, text=SECRET)},
        {"return_value": httpx.Response(500, text=SECRET)},
        {"return_value": httpx.Response(404, text=SECRET)},
        {"return_value": httpx.Response(429, text=SECRET)},
    ],
)
async def test_no_error_holds_or_chains_what_was_sent_or_received(
    partner: PartnerHTTP, things: respx.Route, trouble: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    things.mock(**trouble)

    error = await error_of(partner)

    assert error.__context__ is None
    assert error.__cause__ is None
    assert SECRET not in f"{error!r} {error} {vars(error)} {REQUEST!r} {caplog.text}"


async def test_an_answer_above_the_cap_is_not_read_to_its_end(http: httpx.AsyncClient, things: respx.Route):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 1000

    things.mock(return_value=httpx.Response(200, content=endless()))
    partner = PartnerHTTP("partner", http, CallPolicy(deadline_seconds=5, max_bytes=10_000))

    error = await error_of(partner)

    assert (error.code, error.http_status, error.delivery) == ("too_large", 200, Delivery.UNKNOWN)
    assert sent == 11


async def test_the_deadline_ends_the_whole_call(http: httpx.AsyncClient, things: respx.Route):
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        return httpx.Response(200)

    things.mock(side_effect=never)
    partner = PartnerHTTP("partner", http, CallPolicy(deadline_seconds=0.01))

    error = await error_of(partner)

    assert (error.code, error.delivery) == ("http_error", Delivery.UNKNOWN)


async def test_a_redirect_is_not_followed(partner: PartnerHTTP, things: respx.Route):
    things.respond(302, headers={"Location": "https://elsewhere.example/"})

    error = await error_of(partner)

    assert error.http_status == 302


async def test_no_address_reaches_a_log_whatever_the_level_of_logging(
    http: httpx.AsyncClient, things: respx.Route, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    things.respond(200, json={"name": "lamp"})
    request = PartnerRequest(method="POST", url="/things", params={"nir": SECRET})

    await PartnerHTTP("partner", http, CallPolicy(deadline_seconds=5)).call("get_thing", request, READ)

    assert SECRET in str(things.calls.last.request.url)
    assert SECRET not in f"{caplog.text} {request!r}"
