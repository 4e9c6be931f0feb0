"""What one client may ask over sockets and event streams: counted with what it asks over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from schema.admission import Admission, Introspectors
from schema.streams.sessions import Session
from schema.streams.transports import TransportConfig
from services.rate_limits import Quotas, WaysIn, ways_in
from tests.factories import make_company, make_employer
from tests.integration.schema.client import token_for
from tests.integration.streams.harness import DROPS, Server, ask, events, hear, running, subscribe


@asynccontextmanager
async def guarded(
    quotas: Quotas, introspectors: Introspectors = Introspectors.EVERYONE
) -> AsyncGenerator[tuple[Server, WaysIn]]:
    limits = ways_in(quotas, clock=lambda: 1_000.0)
    config = TransportConfig(admission=Admission(limits, introspectors, most_cost=20_000), drain_window_seconds=0.1)
    async with running(config) as server:
        yield server, limits


async def test_operations_of_a_socket_are_counted_and_the_socket_goes_on():
    async with guarded(Quotas(anonymous_points=2)) as (server, limits), server.ready() as client:
        for number in range(2):
            await ask(client, "{ hello }", str(number))
        await subscribe(client, "{ hello }", "late")
        refused = await hear(client)
        await subscribe(client, DROPS, "later")
        refused_too = await hear(client)

        assert refused == {
            "id": "late",
            "type": "error",
            "payload": [
                {
                    "message": "Trop de demandes en peu de temps. Réessayez dans 30 secondes.",
                    "extensions": {"code": "RATE_LIMITED", "retryAfterSeconds": 30},
                }
            ],
        }
        assert (refused_too["id"], refused_too["payload"][0]["extensions"]["code"]) == ("later", "RATE_LIMITED")
        assert limits.anonymous.look("address 127.0.0.1").remaining == 0
        assert server.tap.listeners == set()


async def test_events_of_a_subscription_that_was_let_begin_cost_nothing():
    async with guarded(Quotas(anonymous_points=1)) as (server, _), server.ready() as client:
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(1)
        for number in range(5):
            server.tap.emit(f"drop {number}")

        heard = [await hear(client) for _ in range(5)]

    assert [message["type"] for message in heard] == ["next"] * 5


async def test_a_cost_is_told_over_a_socket_too():
    async with guarded(Quotas(anonymous_points=5)) as (server, _), server.ready() as client:
        await client.send('{"id":"1","type":"subscribe","payload":{"query":"{ hello }","extensions":{"cost":true}}}')
        answer = await hear(client)

    assert answer["payload"]["extensions"]["cost"] == {
        "fields": 1,
        "most": 20_000,
        "points": 1,
        "pointsLeft": 4,
        "allPointsInSeconds": 12,
    }


async def test_an_event_stream_is_refused_by_429_before_it_opens():
    async with guarded(Quotas(anonymous_points=1)) as (server, _):
        async with events(server, "{ hello }") as first:
            standing = first.response.headers["ratelimit"]
            status = first.response.status_code
        async with events(server, DROPS) as second:
            body = await second.response.aread()

    assert (status, standing) == (200, '"anonymous";r=0;t=60')
    assert second.response.status_code == 429
    assert second.response.headers["retry-after"] == "60"
    assert b'"RATE_LIMITED"' in body


async def test_an_account_is_one_client_over_all_transports(database: object):
    company = await make_company()
    token = token_for(await make_employer(company), company)
    async with guarded(Quotas(account_points=2)) as (server, limits):
        async with server.ready(token) as client:
            await ask(client, "{ hello }")
        async with events(server, "{ hello }", token) as stream:
            assert stream.response.status_code == 200
        async with server.ready(token) as client:
            await subscribe(client, "{ hello }", "late")
            refused = await hear(client)

    assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert limits.anonymous.look("address 127.0.0.1").remaining == limits.anonymous.policy.quota


@pytest.mark.parametrize("query", ["{ __schema { queryType { name } } }", '{ __type(name: "Query") { name } }'])
async def test_the_schema_is_told_over_streams_to_whom_it_is_told_over_http(query: str):
    async with guarded(Quotas(), Introspectors.STAFF) as (server, _):
        async with server.ready() as client:
            await subscribe(client, query)
            by_socket = await hear(client)
        async with events(server, query) as stream:
            _, by_stream = await stream.next()

    assert by_socket["payload"][0]["extensions"]["code"] == "FORBIDDEN"
    assert by_stream["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_streams_of_one_ipv6_customer_count_as_one():
    # An address of its own for each connection costs a customer nothing.
    sessions = [
        Session(None, None, client_address=f"2001:db8:0:7::{number}")  # pyright: ignore[reportArgumentType]: neither is asked here
        for number in range(1, 4)
    ]

    assert {session.client for session in sessions} == {"network 2001:db8:0:7::/64"}


async def test_a_query_of_a_stream_has_the_deadline_of_one_over_http():
    async with running(TransportConfig(deadline_seconds=0.05, drain_window_seconds=0.1)) as server:
        async with server.ready() as client:
            await subscribe(client, "{ slow }")
            by_socket = (await hear(client))["payload"]
        async with events(server, "{ slow }") as stream:
            by_stream = (await stream.next())[1]["errors"]

    for errors in (by_socket, by_stream):
        assert errors[0]["message"] == "operation: not finished within 0.05 seconds; ask for less"
        assert errors[0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert server.tap.waiting == 0
