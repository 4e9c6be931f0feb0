"""Frames that no client should send: each is answered by the code of the protocol, and the server stays whole."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from connections import MOST_FRAGMENTS
from schema.streams.protocol import Close, ProtocolError, read_message
from tests.integration.streams.harness import Server, ask, hear_close, running, say, subscribe

INIT = json.dumps({"type": "connection_init"})
EXAMPLES = settings.default.max_examples if settings.default is not None else 100
DEEP = "[" * 30_000 + "]" * 30_000
WITH_VARIABLE = '{"id":"1","type":"subscribe","payload":{"query":"query($a: Int) { hello }","variables":{"a":%s}}}'


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Server]:
    """One for all: whatever one test sends may not disturb the next."""
    async with running() as server:
        yield server


def frame(**message: Any) -> str:
    return json.dumps(message)


def asked(payload: Any) -> str:
    return frame(id="1", type="subscribe", payload=payload)


MALFORMED = {
    "a list": "[]",
    "a number": "5",
    "a text": '"connection_init"',
    "null": "null",
    "true": "true",
    "nothing": "",
    "no JSON": "{type: ping}",
    "two values": "{}{}",
    "deep JSON": DEEP,
    "deep JSON in variables": WITH_VARIABLE % DEEP,
    "a variable of 5,000 digits": WITH_VARIABLE % ("9" * 5_000),
    "a number of 10,000 digits": "9" * 10_000,
    "NaN": frame(type="ping", payload={"a": float("nan")}),
    "half a surrogate pair": '{"id":"\\ud800","type":"complete"}',
    "no type": frame(id="1"),
    "a type that is a number": frame(type=5),
    "a type that is a list": frame(type=["ping"]),
    "an unknown type": frame(type="start"),
    "a type of the server": frame(type="connection_ack"),
    "another type of the server": frame(id="1", type="next", payload={}),
    "an id that is a number": frame(id=1, type="complete"),
    "an id that is null": frame(id=None, type="complete"),
    "an id that is a list": frame(id=["1"], type="subscribe", payload={"query": "{ hello }"}),
    "an empty id": frame(id="", type="complete"),
    "no id": frame(type="subscribe", payload={"query": "{ hello }"}),
    "an endless id": frame(id="x" * 20_000, type="complete"),
    "a payload that is a text": asked("{ hello }"),
    "a payload that is null": asked(None),
    "a payload that is a list": asked([{"query": "{ hello }"}]),
    "no payload": frame(id="1", type="subscribe"),
    "no query": asked({}),
    "a query that is a number": asked({"query": 5}),
    "variables that are a list": asked({"query": "{ hello }", "variables": []}),
    "extensions that are a text": asked({"query": "{ hello }", "extensions": "x"}),
    "an operation name that is a number": asked({"query": "{ hello }", "operationName": 5}),
    "a payload of ping that is a text": frame(type="ping", payload="x"),
    "a payload of pong that is a number": frame(type="pong", payload=5),
    "a payload of init that is a list": frame(type="connection_init", payload=[]),
    "an authorization that is a number": frame(type="connection_init", payload={"authorization": 5}),
    "a binary frame": b'{"type":"ping"}',
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_message_ends_the_socket_with_4400(
    server: Server, caplog: pytest.LogCaptureFixture, sent: str | bytes
):
    async with server.socket() as client:
        await client.send(sent)

        code, reason = await hear_close(client)

    assert code == 4400
    assert reason.startswith("Invalid message: ")
    assert_nothing_burst(caplog)
    await server.has_streams(0)


@pytest.mark.parametrize("sent", [value for key, value in MALFORMED.items() if "init" not in key and "auth" not in key])
async def test_and_so_it_does_once_the_client_was_let_in(
    server: Server, caplog: pytest.LogCaptureFixture, sent: str | bytes
):
    async with server.ready() as client:
        await client.send(sent)

        code, _ = await hear_close(client)

    assert code == 4400
    assert_nothing_burst(caplog)


async def test_a_message_in_countless_fragments_is_too_big_however_little_they_hold(server: Server):
    async with server.ready() as client:
        await client.send([*'{"type":"ping"}', *[" "] * (MOST_FRAGMENTS - 20)])
        assert json.loads(await client.recv())["type"] == "pong"

        await client.send([*'{"type":"ping"}', *[""] * MOST_FRAGMENTS])

        assert (await hear_close(client))[0] == 1009


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (Frame(Opcode.TEXT, b"\xff"), 1007),
        (Frame(Opcode.TEXT, b"", fin=False), 1009),
    ],
    ids=["bytes that are no text", "countless fragments"],
)
async def test_what_is_refused_twice_in_one_packet_ends_once(
    server: Server, caplog: pytest.LogCaptureFixture, first: Frame, code: int
):
    rest = [Frame(Opcode.CONT, b"", fin=False)] * (2 * MOST_FRAGMENTS + 2) if not first.fin else [first]
    async with server.ready() as client:
        client.transport.write(b"".join(frame.serialize(mask=True) for frame in [first, *rest]))

        assert (await hear_close(client))[0] == code

    assert_nothing_burst(caplog)


async def test_asking_before_saying_hello_is_unauthorized(server: Server):
    async with server.socket() as client:
        await subscribe(client, "{ hello }")

        assert (await hear_close(client))[0] == 4401


async def test_saying_hello_twice_is_too_much(server: Server):
    async with server.ready() as client:
        await say(client, type="connection_init")

        assert (await hear_close(client))[0] == 4429


async def test_an_id_that_is_in_use_ends_the_socket_and_fits_its_frame(server: Server):
    # 128 letters of two bytes: a close frame holds 123 bytes of reason.
    name = "é" * 128
    async with server.ready() as client:
        await subscribe(client, "{ slow }", name)
        await subscribe(client, "{ slow }", name)

        code, reason = await hear_close(client)

    assert code == 4409
    assert reason.startswith("Subscriber for éé")
    assert len(reason.encode()) <= 123


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Basic abc", "Bearer abc", "Bearer " + "x" * 10_000, "Bearer é"]
)
async def test_a_token_that_is_none_is_forbidden(server: Server, authorization: str):
    async with server.socket() as client:
        await say(client, type="connection_init", payload={"authorization": authorization})

        code, reason = await hear_close(client)

    assert code == 4403
    assert reason.startswith("Forbidden: ")


async def test_a_name_of_any_letters_is_an_id_like_others(server: Server):
    async with server.ready() as client:
        assert await ask(client, "{ hello }", 'a"b\\c\u2028\x00é😀') == {"data": {"hello": "world"}}


# -- below the protocol: bytes that are no frames of text


def _masked(opcode: int, payload: bytes, *, is_final: bool = True) -> bytes:
    mask = os.urandom(4)
    head = bytes([(0x80 if is_final else 0) | opcode, 0x80 | len(payload)])
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


async def _raw(server: Server, *frames: bytes) -> bytes:
    """What the server sends after the handshake, to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    for sent in frames:
        writer.write(sent)
    async with asyncio.timeout(15):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ((_masked(1, b"\xff\xfe"),), 1007),
        ((_masked(1, b"{", is_final=False), _masked(1, b"}")), 1002),
        ((b"\x81\x02{}",), 1002),
        ((_masked(3, b"x"),), 1002),
        ((_masked(0, b"x"),), 1002),
        ((b"\xf1\x80\x00\x00\x00\x00",), 1002),
        ((_masked(1, b'{"type":', is_final=False), _masked(0, b'"what"}')), 4400),
    ],
    ids=["no UTF-8", "a new message inside another", "not masked", "unknown opcode", "no beginning", "reserved bits",
         "in pieces"],
)  # fmt: skip
async def test_bytes_that_are_no_frames_are_answered_by_a_close_frame(
    server: Server, caplog: pytest.LogCaptureFixture, frames: tuple[bytes, ...], code: int
):
    answer = await _raw(server, *frames)

    assert answer[:1] == b"\x88", "a close frame"
    assert int.from_bytes(answer[2:4]) == code
    assert_nothing_burst(caplog)


def assert_nothing_burst(caplog: pytest.LogCaptureFixture) -> None:
    records = [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    assert not records


# -- and everything else


@given(st.one_of(st.text(max_size=200), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["type", "id", "payload", "query", "variables", "authorization"]) | st.text(max_size=5), inner
    ),
).map(json.dumps)))  # fmt: skip
@settings(max_examples=5 * EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_is_a_message_or_an_error_of_the_protocol(text: str):
    close = None
    try:
        message = read_message(text)
    except ProtocolError as error:
        message, close = None, error.close

    assert message is not None or (close is not None and close.code == 4400)


@given(st.text(max_size=400))
def test_a_reason_always_fits_a_close_frame(reason: str):
    fitting = Close(4400, reason.encode(errors="ignore").decode()).fitting_reason

    assert len(fitting.encode()) <= 123
