"""graphql-transport-ws: what is answered to clients that follow the protocol."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from schema.streams.connection import SocketLimits
from schema.streams.transports import TransportConfig
from tests.integration.streams.harness import DROPS, Server, ask, hear, hear_close, running, say, subscribe

ORIGINS = ("https://app.example.org",)


async def test_a_subscription_is_answered_event_by_event_until_the_client_completes_it(server: Server):
    async with server.ready() as client:
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(1)
        server.tap.emit("one")
        server.tap.emit("two")

        heard = [await hear(client), await hear(client)]
        await say(client, id="1", type="complete")
        await server.tap.is_heard_by(0)

        assert [message["payload"]["data"]["drops"]["name"] for message in heard] == ["one", "two"]
        assert {(message["id"], message["type"]) for message in heard} == {("1", "next")}
        assert await ask(client, "{ hello }") == {"data": {"hello": "world"}}, "nothing was said after `complete`"


async def test_a_stream_that_ends_is_completed_by_the_server(server: Server):
    async with server.ready() as client:
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(1)
        server.tap.emit("end")

        assert await hear(client) == {"id": "1", "type": "complete"}


async def test_an_aborted_connection_leaves_nothing_behind(server: Server):
    async with server.ready() as client:
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(1)

        client.transport.abort()

        await server.tap.is_heard_by(0)
        await server.has_streams(0)


async def test_queries_and_mutations_are_answered_too(server: Server):
    async with server.ready() as client:
        answers = [await ask(client, text) for text in ("{ hello }", "mutation { bump }", "{ counter }")]

    assert [answer["data"] for answer in answers] == [{"hello": "world"}, {"bump": 1}, {"counter": 1}]


async def test_operations_of_one_socket_share_no_loaders(server: Server):
    async with server.ready() as client:
        before = await ask(client, "{ counter }")
        await ask(client, "mutation { bump }")
        after = await ask(client, "{ counter }")

    assert (before["data"], after["data"]) == ({"counter": 0}, {"counter": 1})


async def test_events_of_one_subscription_share_no_loaders(server: Server):
    async with server.ready() as client:
        await subscribe(client, "subscription { drops { counter } }")
        await server.tap.is_heard_by(1)
        server.tap.emit("one")
        before = await hear(client)
        server.tap.counter = 5
        server.tap.emit("two")
        after = await hear(client)

    assert [heard["payload"]["data"]["drops"]["counter"] for heard in (before, after)] == [0, 5]


async def test_operations_of_one_socket_run_side_by_side(server: Server):
    async with server.ready() as client:
        await subscribe(client, "{ slow }", "slow")

        assert await ask(client, "{ hello }", "quick") == {"data": {"hello": "world"}}

        server.tap.gate.set()
        assert (await hear(client))["payload"] == {"data": {"slow": "at last"}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello ", "BAD_USER_INPUT"),
        ("", "BAD_USER_INPUT"),
        ("{ unknown }", "BAD_USER_INPUT"),
        ("subscription { drops { unknown } }", "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", "BAD_USER_INPUT"),
        ("query($x: Int!) { hello }", "BAD_USER_INPUT"),
        ("subscription { drops @defer { name } }", "BAD_USER_INPUT"),
        ("{ " + "hello " * 3_000 + "}", "LIMIT_EXCEEDED"),
        ("{ " + " ".join(f"a{number}: hello" for number in range(200)) + " }", "LIMIT_EXCEEDED"),
    ],
)
async def test_a_wrong_operation_is_an_error_of_its_id_and_no_end_of_the_socket(server: Server, query: str, code: str):
    async with server.ready() as client:
        await subscribe(client, query)

        heard = await hear(client)

        assert (heard["id"], heard["type"]) == ("1", "error")
        assert [error["extensions"]["code"] for error in heard["payload"]] == [code] * len(heard["payload"])
        assert await ask(client, "{ hello }", "1") == {"data": {"hello": "world"}}, "the id is free again"


async def test_an_unforeseen_failure_says_nothing_but_an_id(server: Server):
    async with server.ready() as client:
        answer = await ask(client, "{ fails }")
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(1)
        server.tap.emit("fail")
        failed = await hear(client)

    assert failed["type"] == "error"
    for error in (*answer["errors"], *failed["payload"]):
        assert error["extensions"]["code"] == "INTERNAL"
        assert error["extensions"]["requestId"]
        assert "588" not in str(error)


async def test_an_error_that_was_meant_for_the_subscriber_reaches_it(server: Server):
    async with server.ready() as client:
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(1)
        server.tap.emit("over")

        heard = await hear(client)

    assert heard["type"] == "error"
    assert heard["payload"][0]["extensions"]["code"] == "RESUME"
    assert heard["payload"][0]["path"] == ["drops"]
    assert not server.tap.listeners


async def test_a_ping_is_answered_with_its_payload(server: Server):
    async with server.socket() as client:
        await say(client, type="ping", payload={"n": 1})
        before_init = await hear(client)
        await say(client, type="ping")
        bare = await hear(client)

    assert (before_init, bare) == ({"type": "pong", "payload": {"n": 1}}, {"type": "pong"})


async def test_a_pong_that_nobody_asked_for_is_welcome(server: Server):
    async with server.ready() as client:
        await say(client, type="pong")

        assert await ask(client, "{ hello }") == {"data": {"hello": "world"}}


async def test_completing_what_is_over_is_no_error(server: Server):
    async with server.ready() as client:
        await say(client, id="gone", type="complete")

        assert await ask(client, "{ hello }") == {"data": {"hello": "world"}}


async def test_an_id_may_be_used_anew_once_it_was_completed(server: Server):
    async with server.ready() as client:
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(1)
        await say(client, id="1", type="complete")

        assert await ask(client, "{ hello }", "1") == {"data": {"hello": "world"}}


async def test_a_mutation_ends_what_it_began_although_its_client_left(server: Server):
    async with server.ready() as client:
        await subscribe(client, "mutation { slowBump }")
        await server.tap.holds(1)
        client.transport.abort()
        await client.wait_closed()

    server.tap.gate.set()
    await server.has_streams(0)

    assert server.tap.counter == 1


async def test_equal_subscribers_on_many_sockets_cost_one_execution_an_event(server: Server):
    async def listen(results: list[Any]) -> None:
        async with server.ready() as client:
            await subscribe(client, DROPS, f"id-{len(results)}")
            results.append(await hear(client))

    results: list[Any] = []
    listeners = [asyncio.create_task(listen(results)) for _ in range(30)]
    await server.tap.is_heard_by(30)

    server.tap.emit("one", key=("tap", 1))
    await asyncio.gather(*listeners)

    assert len(results) == 30
    assert server.tap.resolved == 1


# -- the handshake


@pytest.mark.parametrize("protocols", [("graphql-ws",), ("graphql-ws", "soap"), ()])
async def test_other_protocols_are_refused(server: Server, protocols: tuple[str, ...]):
    async with server.socket(protocols=protocols) as client:
        code, reason = await hear_close(client)

    assert code == 4406
    assert "graphql-transport-ws" in reason
    assert client.subprotocol is None


async def test_the_protocol_is_chosen_among_others(server: Server):
    async with server.socket(protocols=("graphql-ws", "graphql-transport-ws")) as client:
        assert client.subprotocol == "graphql-transport-ws"


@pytest.mark.parametrize(
    ("origin", "is_welcome"),
    [
        (None, True),
        ("https://app.example.org", True),
        ("http://{host}", True),
        ("https://evil.example.org", False),
        ("http://app.example.org", False),
        ("https://app.example.org.evil.org", False),
        ("null", False),
        ("http://[", False),
    ],
)
async def test_only_pages_of_known_origins_may_connect(origin: str | None, is_welcome: bool):
    async with running(TransportConfig(allowed_origins=ORIGINS)) as server:
        given = origin.format(host=f"127.0.0.1:{server.port}") if origin else None

        if is_welcome:
            async with server.ready(origin=given) as client:
                assert await ask(client, "{ hello }") == {"data": {"hello": "world"}}
        else:
            with pytest.raises(InvalidStatus) as refusal:
                async with server.socket(origin=given):
                    pass
            assert refusal.value.response.status_code == 403
        await server.has_streams(0)


# -- limits


async def test_who_does_not_say_hello_is_closed_out():
    async with running(TransportConfig(sockets=SocketLimits(init_seconds=0.05))) as server, server.socket() as client:
        assert await hear_close(client) == (4408, "Connection initialisation timeout")


async def test_only_so_many_operations_run_on_a_socket():
    async with (
        running(TransportConfig(sockets=SocketLimits(max_operations=2))) as server,
        server.ready() as client,
    ):
        await subscribe(client, DROPS, "a")
        await subscribe(client, DROPS, "b")
        await subscribe(client, DROPS, "c")

        refused = await hear(client)

        assert (refused["id"], refused["type"]) == ("c", "error")
        assert refused["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        await server.tap.is_heard_by(2)
        await say(client, id="a", type="complete")
        await server.tap.is_heard_by(1)
        assert await ask(client, "{ hello }", "c") == {"data": {"hello": "world"}}


async def test_a_flood_of_messages_ends_the_socket():
    limits = SocketLimits(messages_per_second=1, message_burst=10)
    async with running(TransportConfig(sockets=limits)) as server, server.ready() as client:
        for _ in range(10):
            await say(client, type="ping")

        code, reason = await hear_close(client)

    assert code == 1008
    assert "Too many messages" in reason


async def test_a_process_takes_only_so_many_streams():
    async with running(TransportConfig(most_streams=1)) as server, server.ready() as first:
        with pytest.raises(InvalidStatus) as refusal:
            async with server.socket():
                pass

        assert refusal.value.response.status_code == 503
        assert refusal.value.response.headers["retry-after"] == "5"
        await first.close()
        await server.has_streams(0)
        async with server.ready():
            pass


async def test_an_address_opens_only_so_many_streams():
    async with running(TransportConfig(most_streams_per_client=1)) as server, server.ready():
        with pytest.raises(InvalidStatus) as refusal:
            async with server.socket():
                pass

        assert refusal.value.response.status_code == 429


async def test_a_message_that_is_too_large_ends_the_socket(server: Server):
    async with server.ready() as client:
        await say(client, type="ping", payload={"text": "x" * 70_000})

        code, _ = await hear_close(client)

    assert code == 1009
