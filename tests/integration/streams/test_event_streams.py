"""GraphQL over server-sent events: the same operations, one a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from schema.streams.events import EventStreamLimits
from schema.streams.transports import TransportConfig
from tests.integration.streams.harness import DROPS, Server, events, running

COMPLETE = ("complete", None)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Server]:
    async with running() as server:
        yield server


async def test_a_subscription_is_streamed_event_by_event_until_it_ends(server: Server):
    async with events(server, DROPS) as stream:
        await server.tap.is_heard_by(1)
        server.tap.emit("one")
        server.tap.emit("two")
        server.tap.emit("end")

        heard = [await stream.next() for _ in range(3)]

    assert [name for name, _ in heard] == ["next", "next", "complete"]
    assert [data["data"]["drops"]["name"] for _, data in heard[:2]] == ["one", "two"]
    assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.response.headers["cache-control"] == "no-store"
    assert stream.response.headers["x-accel-buffering"] == "no"
    await server.has_streams(0)


async def test_the_head_is_sent_long_before_the_first_event(server: Server):
    async with events(server, DROPS) as stream:
        assert stream.response.status_code == 200
        assert await stream.line() == ":"


async def test_a_client_that_leaves_leaves_nothing_behind(server: Server):
    async with events(server, DROPS):
        await server.tap.is_heard_by(1)

    await server.tap.is_heard_by(0)
    await server.has_streams(0)


@pytest.mark.parametrize(
    ("query", "data"),
    [("{ hello }", {"hello": "world"}), ("mutation { __typename }", {"__typename": "Mutation"})],
)
async def test_what_answers_once_is_streamed_too(server: Server, query: str, data: Any):
    async with events(server, query) as stream:
        assert await stream.next() == ("next", {"data": data})
        assert await stream.next() == COMPLETE


@pytest.mark.parametrize(
    "query", ["{ hello ", "{ unknown }", "subscription { drops { unknown } }", "query A($x: Int!) { hello }"]
)
async def test_a_wrong_operation_is_answered_in_the_stream(server: Server, query: str):
    async with events(server, query) as stream:
        name, data = await stream.next()

        assert stream.response.status_code == 200
        assert name == "next"
        assert {error["extensions"]["code"] for error in data["errors"]} == {"BAD_USER_INPUT"}
        assert "data" not in data
        assert await stream.next() == COMPLETE


@pytest.mark.parametrize(("event", "code"), [("over", "RESUME"), ("fail", "INTERNAL")])
async def test_a_stream_that_fails_says_so_and_is_complete(server: Server, event: str, code: str):
    async with events(server, DROPS) as stream:
        await server.tap.is_heard_by(1)
        server.tap.emit(event)

        name, data = await stream.next()

        assert name == "next"
        assert [error["extensions"]["code"] for error in data["errors"]] == [code]
        assert "588" not in str(data)
        assert await stream.next() == COMPLETE


async def test_a_quiet_stream_shows_that_it_lives():
    limits = EventStreamLimits(ping_seconds=0.02)
    async with running(TransportConfig(event_streams=limits)) as server, events(server, DROPS) as stream:
        lines = [await stream.line() for _ in range(6)]

    assert lines == [":", "", ": ping", "", ": ping", ""]


async def test_a_mutation_ends_what_it_began_although_its_client_left(server: Server):
    server.tap.gate.clear()
    before = server.tap.counter
    async with events(server, "mutation { slowBump }"):
        await server.tap.holds(1)

    server.tap.gate.set()
    await server.has_streams(0)

    assert server.tap.counter == before + 1


async def test_a_query_whose_client_left_is_not_answered_to_the_end(server: Server):
    server.tap.gate.clear()
    async with events(server, "{ slow }"):
        await server.tap.holds(1)

    await server.tap.holds(0)
    await server.has_streams(0)


# -- what is refused before a stream opens


async def _refused(server: Server, status: int, **request: Any) -> httpx.Response:
    headers = {"Accept": "text/event-stream", **request.pop("headers", {})}
    method = request.pop("method", "POST")
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.request(method, server.url, headers=headers, **request)
    assert response.status_code == status, response.text
    assert response.headers["content-type"].split(";")[0] == "application/graphql-response+json"
    assert response.json()["errors"][0]["extensions"]["code"]
    return response


async def test_a_get_opens_no_stream(server: Server):
    response = await _refused(server, 405, method="GET", params={"query": "{ hello }"})

    assert response.headers["allow"] == "POST"


async def test_bodies_and_tokens_are_refused_as_ever(server: Server):
    await _refused(server, 400, content=b"[]", headers={"Content-Type": "application/json"})
    await _refused(server, 415, content=b"{}", headers={"Content-Type": "text/plain"})
    response = await _refused(server, 401, json={"query": "{ hello }"}, headers={"Authorization": "Bearer no"})

    assert response.headers["www-authenticate"].startswith("Bearer ")
    await server.has_streams(0)


async def test_streams_count_among_the_connections_of_a_process_and_a_client():
    async with running(TransportConfig(most_streams=1)) as server, events(server, DROPS):
        await server.has_streams(1)
        response = await _refused(server, 503, json={"query": DROPS})
        assert response.headers["retry-after"] == "5"

    async with running(TransportConfig(most_streams_per_client=1)) as server, events(server, DROPS):
        await server.has_streams(1)
        await _refused(server, 429, json={"query": DROPS})


# -- slow clients


async def test_a_client_that_reads_nothing_is_cut_off():
    limits = EventStreamLimits(send_seconds=0.1)
    async with running(TransportConfig(event_streams=limits)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1)
        body = b'{"query":"subscription { drops { name } }"}'
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        await server.tap.is_heard_by(1)

        for _ in range(400):
            server.tap.emit("x" * 50_000)

        await server.tap.is_heard_by(0)
        await server.has_streams(0)
        await _until_no_connections(server)
        writer.transport.abort()
        del reader


async def _until_no_connections(server: Server) -> None:
    """The line is cut as well: a polite end would wait for the client for ever."""
    async with asyncio.timeout(10):
        while server.server.server_state.connections:  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.01)
