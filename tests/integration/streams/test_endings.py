"""The end of a process, and of clients that take nothing: nobody waits for ever, and who can be told is told."""

from __future__ import annotations

import asyncio
import re

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from schema.streams.connection import SocketLimits
from schema.streams.transports import TransportConfig
from tests.integration.streams.harness import DROPS, Server, ask, events, hear, hear_close, running, subscribe


async def test_a_server_that_stops_tells_sockets_to_come_back_with_their_cursor(server: Server):
    async with server.ready() as client:
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(1)

        server.server.should_exit = True

        code, reason = await hear_close(client)
        assert code == 1012
        assert re.search(r"cursor; retry-after-ms=\d+$", reason)
        await server.tap.is_heard_by(0)


async def test_a_server_that_stops_tells_event_streams_the_same(server: Server):
    async with events(server, DROPS) as stream:
        await server.tap.is_heard_by(1)

        server.server.should_exit = True
        name, data = await stream.next()

        assert name == "next"
        extensions = data["errors"][0]["extensions"]
        assert extensions["code"] == "SERVER_RESTARTING"
        assert 0 <= extensions["retryAfterMs"] <= 10_000
        assert await stream.next() == ("complete", None)
        await server.tap.is_heard_by(0)


async def test_a_stop_ends_all_streams_and_the_server(server: Server):
    async with server.ready() as one, server.ready() as two, events(server, DROPS), events(server, DROPS):
        for client in (one, two):
            await subscribe(client, DROPS)
        await server.tap.is_heard_by(4)

        await server.stop()

        assert len(server.transports.streams) == 0
        assert not server.tap.listeners
        assert not server.server.server_state.connections


async def test_clients_are_sent_away_in_waves_each_with_a_moment_of_its_own():
    async with running(TransportConfig(drain_window_seconds=0.5)) as server:
        clients = [server.ready() for _ in range(40)]
        opened = [await client.__aenter__() for client in clients]
        endings = [asyncio.create_task(hear_close(client)) for client in opened]

        server.transports.begin_drain()
        _, later = await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
        told = await asyncio.gather(*endings)
        for client in clients:
            await client.__aexit__(None, None, None)

    assert len(later) >= 20, "not all at once"
    hints = {reason.rpartition("=")[2] for _, reason in told}
    assert len(hints) > 20


async def test_a_query_under_way_is_answered_before_its_socket_ends(server: Server):
    async with server.ready() as client:
        await subscribe(client, "{ slow }")
        await server.tap.holds(1)

        server.transports.begin_drain()
        server.tap.gate.set()

        assert (await hear(client))["payload"] == {"data": {"slow": "at last"}}
        assert (await hear(client))["type"] == "complete"
        assert (await hear_close(client))[0] == 1012


async def test_a_query_that_does_not_end_holds_nobody_up_for_long():
    limits = SocketLimits(grace_seconds=0.05)
    async with running(TransportConfig(sockets=limits)) as server, server.ready() as client:
        await subscribe(client, "{ slow }")
        await server.tap.holds(1)

        server.transports.begin_drain()

        assert (await hear_close(client))[0] == 1012
        await server.tap.holds(0)


async def test_nobody_is_let_in_while_the_process_ends(server: Server):
    server.transports.begin_drain()
    await server.transports.streams.drained()

    with pytest.raises(InvalidStatus) as refusal:
        async with server.socket():
            pass

    assert refusal.value.response.status_code == 503


# -- clients that read nothing


async def test_a_socket_whose_client_reads_nothing_is_cut_off():
    limits = SocketLimits(send_seconds=0.1)
    async with (
        running(TransportConfig(sockets=limits)) as server,
        server.ready(max_queue=1, ping_interval=None) as client,
    ):
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(1)
        client.transport.pause_reading()

        for _ in range(400):
            server.tap.emit("x" * 50_000)

        await server.tap.is_heard_by(0)
        await server.has_streams(0)
        async with asyncio.timeout(10):
            while server.server.server_state.connections:  # noqa: ASYNC110 - the kernel tells nobody
                await asyncio.sleep(0.01)
        client.transport.abort()


async def test_others_hear_on_while_one_reads_nothing(server: Server):
    async with server.ready() as quick, server.ready(max_queue=1, ping_interval=None) as slow:
        for client in (quick, slow):
            await subscribe(client, DROPS)
        await server.tap.is_heard_by(2)
        slow.transport.pause_reading()

        for _ in range(300):
            server.tap.emit("x" * 50_000)
        heard = [await hear(quick) for _ in range(300)]

        assert len(heard) == 300
        assert await ask(quick, "{ hello }") == {"data": {"hello": "world"}}
        slow.transport.abort()


async def test_a_client_that_answers_no_ping_is_given_up():
    async with (
        running(ws_ping_interval=0.1, ws_ping_timeout=0.1) as server,
        server.ready(ping_interval=None) as client,
    ):
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(1)

        client.transport.pause_reading()

        await server.tap.is_heard_by(0)
        await server.has_streams(0)
        client.transport.resume_reading()
        with pytest.raises(ConnectionClosed):
            await hear(client)
