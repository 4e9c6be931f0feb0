"""The gates before the wire: slots, pace, breaker."""

import asyncio
from typing import Any

import httpx
import pytest
import respx

from clients.answers import Reply
from clients.breaker import BreakerState
from clients.errors import Delivery, PartnerRateLimited
from clients.http import CallPolicy, PartnerHTTP
from clients.observer import CallOutcome
from tests.unit.clients.doubles import ClosedPacer, ManualClock, RecordingObserver, RecordingPacer
from tests.unit.clients.partner import POLICY, READ, REQUEST, error_of


async def test_a_full_house_is_our_own_failure_and_nothing_is_sent(
    http: httpx.AsyncClient, things: respx.Route, observer: RecordingObserver
):
    release, both_on_their_way = asyncio.Event(), asyncio.Barrier(3)

    async def slow(request: httpx.Request) -> httpx.Response:
        await both_on_their_way.wait()
        await release.wait()
        return httpx.Response(200, json={"name": "lamp"})

    things.mock(side_effect=slow)
    policy = CallPolicy(deadline_seconds=5, max_concurrency=2, queue_seconds=0.01)
    partner = PartnerHTTP("partner", http, policy, observer=observer)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(partner.call("get_thing", REQUEST, READ))
        await both_on_their_way.wait()

        error = await error_of(partner)

        release.set()
    assert (error.code, error.delivery) == ("busy", Delivery.NOT_SENT)
    assert sorted(observer.outcomes) == [CallOutcome.BUSY, CallOutcome.OK, CallOutcome.OK]
    assert things.call_count == 2


async def test_a_slot_given_back_by_a_failed_call_serves_the_next_one(http: httpx.AsyncClient, things: respx.Route):
    things.mock(side_effect=[httpx.ReadError, httpx.Response(200, json={"name": "lamp"})])
    partner = PartnerHTTP("partner", http, CallPolicy(deadline_seconds=5, max_concurrency=1, queue_seconds=0.05))
    await error_of(partner)

    thing = await partner.call("get_thing", REQUEST, READ)

    assert thing.name == "lamp"


async def test_a_pace_that_stays_closed_ends_the_wait_and_frees_the_slot(http: httpx.AsyncClient, things: respx.Route):
    things.respond(200, json={"name": "lamp"})
    policy = CallPolicy(deadline_seconds=5, max_concurrency=1, queue_seconds=0.01)
    partner = PartnerHTTP("partner", http, policy, pacer=ClosedPacer(), paced={"get_thing": "partner:things"})

    error = await error_of(partner)

    assert (error.code, error.delivery) == ("busy", Delivery.NOT_SENT)
    thing = await partner.call("unpaced", REQUEST, READ)
    assert thing.name == "lamp"


async def test_trouble_inside_the_pacer_is_not_taken_for_a_long_queue(http: httpx.AsyncClient, things: respx.Route):
    class BrokenPacer(ClosedPacer):
        async def wait(self, key: str) -> None:
            raise TimeoutError(f"database, at {key}")

    partner = PartnerHTTP("partner", http, POLICY, pacer=BrokenPacer(), paced={"get_thing": "partner:things"})

    with pytest.raises(TimeoutError, match="database"):
        await partner.call("get_thing", REQUEST, READ)

    assert not things.called


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), (None, 60), ("abc", 60), ("9999", 600), ("Wed, 18 Feb 2026 09:31:30 GMT", 90)],
)
async def test_a_429_closes_the_gate_of_every_operation_of_the_partner(
    partner: PartnerHTTP, things: respx.Route, pacer: RecordingPacer, header: str | None, seconds: float
):
    things.respond(429, text="Too Many Requests", headers={"Retry-After": header} if header else {})

    error = await error_of(partner)

    assert isinstance(error, PartnerRateLimited)
    assert error.retry_after == seconds
    assert pacer.holds == [("partner:things", seconds), ("partner:writes", seconds)]


async def test_a_rate_limit_dressed_as_a_503_closes_the_gates_too_and_spares_the_breaker(
    partner: PartnerHTTP, things: respx.Route, pacer: RecordingPacer
):
    def read(reply: Reply) -> None:
        if b"Trop de" in reply.body:
            raise reply.rate_limited()
        reply.check_status()

    things.respond(503, text="Trop de demandes", headers={"Retry-After": "3"})

    for _ in range(5):
        with pytest.raises(PartnerRateLimited):
            await partner.call("get_thing", REQUEST, read)

    assert pacer.holds[:2] == [("partner:things", 3), ("partner:writes", 3)]
    assert partner.breaker_states() == {"get_thing": BreakerState.CLOSED}


@pytest.mark.parametrize(
    "trouble",
    [
        {"side_effect": httpx.ReadTimeout},
        {"side_effect": httpx.ConnectError},
        {"return_value": httpx.Response(500)},
    ],
    ids=["timeout", "transport", "5xx"],
)
async def test_the_breaker_opens_after_failures_of_the_partner_and_then_nothing_is_sent(
    partner: PartnerHTTP, things: respx.Route, observer: RecordingObserver, trouble: dict[str, Any]
):
    things.mock(**trouble)
    for _ in range(3):
        await error_of(partner)

    error = await error_of(partner)

    assert (error.code, error.delivery, error.retry_after) == ("breaker_open", Delivery.NOT_SENT, 30)
    assert things.call_count == 3
    assert observer.outcomes[-1] is CallOutcome.BREAKER_OPEN


@pytest.mark.parametrize(
    "trouble",
    [
        {"return_value": httpx.Response(404)},
        {"return_value": httpx.Response(429)},
        {"return_value": httpx.Response(200, text="<html>")},
        {"side_effect": httpx.PoolTimeout},
    ],
    ids=["404", "429", "unreadable", "our own pool"],
)
async def test_refusals_and_troubles_of_our_own_never_open_the_breaker(
    partner: PartnerHTTP, things: respx.Route, trouble: dict[str, Any]
):
    things.mock(**trouble)

    for _ in range(10):
        await error_of(partner)

    assert things.call_count == 10


async def test_the_breaker_of_one_operation_leaves_the_others_alone(partner: PartnerHTTP, things: respx.Route):
    things.respond(500)
    for _ in range(3):
        await error_of(partner, "get_thing")
    things.respond(200, json={"name": "lamp"})

    thing = await partner.call("put_thing", REQUEST, READ)

    assert thing.name == "lamp"
    assert partner.breaker_states() == {"get_thing": BreakerState.OPEN, "put_thing": BreakerState.CLOSED}


async def test_twenty_calls_at_the_half_open_moment_send_one_probe(
    partner: PartnerHTTP, things: respx.Route, clock: ManualClock
):
    things.respond(500)
    for _ in range(3):
        await error_of(partner)
    clock.advance(30)
    started, release = asyncio.Event(), asyncio.Event()

    async def recovered(request: httpx.Request) -> httpx.Response:
        started.set()
        await release.wait()
        return httpx.Response(200, json={"name": "lamp"})

    things.mock(side_effect=recovered)
    probe = asyncio.create_task(partner.call("get_thing", REQUEST, READ))
    await started.wait()

    refused = [await error_of(partner) for _ in range(19)]

    release.set()
    assert (await probe).name == "lamp"
    assert {error.code for error in refused} == {"breaker_open"}
    assert things.call_count == 4
    assert partner.breaker_states() == {"get_thing": BreakerState.CLOSED}


async def test_a_cancelled_probe_does_not_keep_the_breaker_half_open_for_ever(
    partner: PartnerHTTP, things: respx.Route, clock: ManualClock, observer: RecordingObserver
):
    things.respond(500)
    for _ in range(3):
        await error_of(partner)
    clock.advance(30)
    started = asyncio.Event()

    async def never(request: httpx.Request) -> httpx.Response:
        started.set()
        await asyncio.Event().wait()
        return httpx.Response(200)

    things.mock(side_effect=never)
    probe = asyncio.create_task(partner.call("get_thing", REQUEST, READ))
    await started.wait()
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    things.mock(side_effect=None, return_value=httpx.Response(200, json={"name": "lamp"}))

    thing = await partner.call("get_thing", REQUEST, READ)

    assert thing.name == "lamp"
    assert observer.outcomes[-2:] == [CallOutcome.ABORTED, CallOutcome.OK]


async def test_a_5xx_in_which_the_reader_finds_an_answer_is_no_failure_of_the_partner(
    partner: PartnerHTTP, things: respx.Route
):
    things.respond(502, json={"errors": [{"code": "unknown to the provider"}]})

    answers = [await partner.call("get_thing", REQUEST, lambda reply: reply.status) for _ in range(10)]

    assert answers == [502] * 10
    assert partner.breaker_states() == {"get_thing": BreakerState.CLOSED}
