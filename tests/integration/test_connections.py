"""Connections of the web server: whoever sends or reads nothing is let go, whoever asks while it ends is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from connections import HTTPConnection
from tests.waiting import until

SOCKET = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
PING, PONG = b"\x89\x80\0\0\0\0", b"\x8a\x00"
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
BIG = b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"
MEBIBYTE = b"x" * 1_048_576


class Impatient(HTTPConnection):
    """The same in a tenth of a second."""

    arrival_seconds = 0.1
    stall_seconds = 0.1
    linger_seconds = 0.1


class Lingering(HTTPConnection):
    """Waits for a last request for longer than any test takes."""

    linger_seconds = 30.0


@dataclass
class Running:
    """A server, and what its application saw."""

    port: int
    server: uvicorn.Server
    serving: asyncio.Task[None]
    departures: list[str] = field(default_factory=list[str])

    @asynccontextmanager
    async def line(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter], None]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def connections(self, number: int) -> None:
        async with asyncio.timeout(10):
            while len(self.server.server_state.connections) != number:  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0.01)

    async def somebody_left(self) -> bool:
        return bool(self.departures)

    async def takes_no_more(self) -> None:
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except ConnectionError:
                    return
                writer.transport.abort()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(protocol: type[HTTPConnection]) -> AsyncGenerator[Running, None]:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            await request.body()
        except ClientDisconnect:
            world.departures.append(request.method)
            return
        if request.url.path == "/big":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(64):  # more than the buffers of both ends hold
                await send({"type": "http.response.body", "body": MEBIBYTE, "more_body": True})
            world.departures.append("reader")
            return
        response: Response = PlainTextResponse("here")
        await response(scope, receive, send)

    config = uvicorn.Config(
        application, port=0, lifespan="off", http=protocol, log_config=None, access_log=False, loop="uvloop"
    )
    socket = config.bind_socket()
    world = Running(socket.getsockname()[1], uvicorn.Server(config), asyncio.create_task(asyncio.sleep(0)))
    world.serving = asyncio.create_task(world.server.serve([socket]))
    async with asyncio.timeout(10):
        while not world.server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.01)
    try:
        yield world
    finally:
        world.server.should_exit = True
        async with asyncio.timeout(20):
            await world.serving


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The head of the next answer; its body is read as well."""
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        await reader.readexactly(int(length.partition(b":")[2]))
    return head


async def rest(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        return await reader.read()


async def test_a_websocket_outlives_the_time_that_requests_have_to_arrive():
    async with running(Impatient) as world, world.line() as (reader, writer):
        writer.write(SOCKET)
        assert (await answer(reader)).startswith(b"HTTP/1.1 101")
        async with world.line() as (silent, _):
            assert await rest(silent) == b""  # it came later, and its time is over

        writer.write(PING)

        async with asyncio.timeout(10):
            assert await reader.readexactly(2) == PONG


async def test_a_connection_that_says_nothing_is_closed_without_a_word():
    async with running(Impatient) as world, world.line() as (reader, _):
        assert await rest(reader) == b""


@pytest.mark.parametrize("drip", [b"GET / HT", b"\r\n", POST[:-2]], ids=["line", "empty lines", "headers"])
async def test_a_head_that_does_not_end_is_given_up(drip: bytes):
    async with running(Impatient) as world, world.line() as (reader, writer):
        writer.write(drip)

        assert (await rest(reader)).startswith(b"HTTP/1.1 408 " if drip.strip() else b"")
        await world.connections(0)


async def test_a_head_that_comes_byte_by_byte_is_given_up_however_steadily_they_come():
    async with running(Impatient) as world, world.line() as (reader, writer):
        writer.write(POST[:-2] + b"X-Slow: ")
        read = asyncio.create_task(rest(reader))
        while not read.done():
            writer.write(b"x")
            await asyncio.sleep(0.01)

        assert (await read).startswith(b"HTTP/1.1 408 ")
        await world.connections(0)


async def test_a_body_that_does_not_end_is_given_up_and_the_application_hears_of_it():
    async with running(Impatient) as world, world.line() as (reader, writer):
        writer.write(POST + b"x" * 99)

        assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")
        assert world.departures == ["POST"]


async def test_a_connection_may_pause_between_two_requests_for_longer_than_one_may_take():
    async with running(Impatient) as world, world.line() as (reader, writer), world.line() as (silent, _):
        writer.write(REQUEST)
        await answer(reader)
        assert await rest(silent) == b""

        writer.write(REQUEST)

        assert (await answer(reader)).startswith(b"HTTP/1.1 200 ")


async def test_a_reader_that_stops_reading_is_cut():
    async with running(Impatient) as world, world.line() as (_, writer):
        writer.write(BIG)

        await until(world.somebody_left)
        await world.connections(0)
        assert world.departures == ["reader"]


async def test_a_request_that_comes_while_the_server_ends_is_answered_and_told_to_be_the_last():
    async with running(Lingering) as world, world.line() as (reader, writer):
        writer.write(REQUEST)
        first = await answer(reader)
        world.server.should_exit = True
        await world.takes_no_more()

        writer.write(REQUEST)
        last = await answer(reader)

        assert b"connection: close" not in first.lower()
        assert last.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in last.lower()
        assert await rest(reader) == b""
        await world.serving


async def test_a_connection_without_a_request_is_closed_a_little_after_the_end_began():
    async with running(Impatient) as world, world.line() as (reader, writer):
        writer.write(REQUEST)
        await answer(reader)

        world.server.should_exit = True

        assert await rest(reader) == b""
        await world.serving
