"""What the web server takes for a request, byte by byte: one way to read it, of a bounded size, or a refusal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import orjson
import pytest

from request_heads import MOST_HEAD_BYTES, MOST_HEADERS
from tests.integration.streams.harness import Server, running

BODY = b'{"query":"{ hello }"}'
START = b"POST /graphql HTTP/1.1\r\n"
HOST = b"Host: traverse.exemple.test\r\n"
JSON = b"Content-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
IN_CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Server]:
    """One for all: whatever one test sends may not disturb the next."""
    async with running() as server:
        yield server


async def exchange(server: Server, *sent: bytes) -> bytes:
    """Everything that comes back until the server closes, or has answered one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for part in sent:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer.split(b" ", 2)[1])


def request(*headers: bytes, body: bytes = BODY) -> bytes:
    return b"".join((START, HOST, JSON, b"Connection: close\r\n", *headers, b"\r\n", body))


@pytest.mark.parametrize(("headers", "body"), [(LENGTH, BODY), (CHUNKED, IN_CHUNKS)], ids=["by length", "in chunks"])
async def test_a_request_that_is_one_is_answered(server: Server, headers: bytes, body: bytes):
    answer = await exchange(server, request(headers, body=body))

    assert status_of(answer) == 200
    assert answer.endswith(b'{"data":{"hello":"world"}}')


AMBIGUOUS = {
    "a length and chunks": request(LENGTH, CHUNKED, body=IN_CHUNKS),
    "chunks and a length": request(CHUNKED, LENGTH, body=IN_CHUNKS),
    "two lengths": request(LENGTH, b"Content-Length: 3\r\n"),
    "the same length twice": request(LENGTH, LENGTH),
    "a list of lengths": request(b"Content-Length: 21, 21\r\n"),
    "a length with a sign": request(b"Content-Length: +21\r\n"),
    "a negative length": request(b"Content-Length: -1\r\n"),
    "a hexadecimal length": request(b"Content-Length: 0x15\r\n"),
    "a length of many digits": request(b"Content-Length: " + b"9" * 40 + b"\r\n"),
    "a length that is empty": request(b"Content-Length: \r\n"),
    "an unknown coding": request(b"Transfer-Encoding: xchunked\r\n", body=IN_CHUNKS),
    "chunks before another coding": request(b"Transfer-Encoding: chunked, identity\r\n", body=IN_CHUNKS),
    "a space before the colon": request(b"Transfer-Encoding : chunked\r\n", body=IN_CHUNKS),
    "a folded header": request(LENGTH, b"X-Folded: a\r\n b\r\n"),
    "a folded coding": request(b"Transfer-Encoding:\r\n chunked\r\n", body=IN_CHUNKS),
    "a line that ends in LF": START + HOST + JSON + b"X-Bare: a\nX-Other: b\r\n" + LENGTH + b"\r\n" + BODY,
    "a carriage return inside": request(LENGTH, b"X-Bare: a\rb\r\n"),
    "NUL in a value": request(LENGTH, b"X-Null: a\x00b\r\n"),
    "a name with a space": request(LENGTH, b"X Name: a\r\n"),
    "a name that is empty": request(LENGTH, b": a\r\n"),
    "a line without a colon": request(LENGTH, b"X-Name\r\n"),
    "a chunk of no size": request(CHUNKED, body=b"\r\n0\r\n\r\n"),
    "a chunk of a negative size": request(CHUNKED, body=b"-1\r\n0\r\n\r\n"),
    "a chunk of a size with a prefix": request(CHUNKED, body=b"0x15\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk of an endless size": request(CHUNKED, body=b"F" * 40 + b"\r\n"),
    "no host": START + JSON + LENGTH + b"\r\n" + BODY,
    "two hosts": request(LENGTH, HOST),
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown version": b"POST /graphql HTTP/1.9\r\n" + HOST + LENGTH + b"\r\n" + BODY,
    "no version": b"GET /graphql\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,
}


@pytest.mark.parametrize("sent", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
async def test_what_two_servers_might_read_in_two_ways_is_refused_and_the_line_closed(
    server: Server, caplog: pytest.LogCaptureFixture, sent: bytes
):
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

    answer = await exchange(server, sent + smuggled)

    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1, "what followed was read as a second request"
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


async def test_a_refusal_says_nothing_of_what_was_sent(server: Server):
    answer = await exchange(server, request(LENGTH, LENGTH, b"X-Secret: 1850578006084\r\n"))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/json" in head
    assert b"nosniff" in head
    assert orjson.loads(body)["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert b"1850578006084" not in answer


# -- size


@pytest.mark.parametrize(
    "headers",
    [
        b"X-Long: " + b"a" * MOST_HEAD_BYTES + b"\r\n",
        b"".join(b"X-%d: a\r\n" % number for number in range(MOST_HEADERS + 1)),
        b"Cookie: " + b"a=b; " * (MOST_HEAD_BYTES // 5) + b"\r\n",
        b"a" * MOST_HEAD_BYTES + b": a\r\n",
    ],
    ids=["one long", "many", "cookies", "a long name"],
)
async def test_a_head_that_is_too_large_is_431(server: Server, headers: bytes):
    answer = await exchange(server, request(LENGTH, headers))

    assert status_of(answer) == 431
    assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}


async def test_an_address_counts_as_a_part_of_the_head(server: Server):
    target = b"GET /graphql?query=" + b"a" * MOST_HEAD_BYTES + b" HTTP/1.1\r\n"

    assert status_of(await exchange(server, target + HOST + b"\r\n")) == 431


@pytest.mark.parametrize("beginning", [START + HOST + b"X-Endless: ", START + HOST, b"GET /"])
async def test_a_head_without_an_end_is_refused_long_before_it_fills_the_memory(server: Server, beginning: bytes):
    pieces = [b"a" * 4_096 for _ in range(3 * MOST_HEAD_BYTES // 4_096)]

    answer = await exchange(server, beginning, *pieces)

    assert status_of(answer or b"HTTP/1.1 431 ") == 431  # a line that is cut while it is written to is refused as well


async def test_a_large_head_and_a_large_body_below_their_limits_pass(server: Server):
    padded = BODY + b" " * 500_000
    headers = b"X-Long: " + b"a" * (MOST_HEAD_BYTES - 1_000) + b"\r\nContent-Length: %d\r\n" % len(padded)

    answer = await exchange(server, request(headers, body=padded))

    assert status_of(answer) == 200


async def test_a_handshake_has_the_same_size(server: Server):
    handshake = (
        b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    )

    answer = await exchange(server, handshake + b"X-Long: " + b"a" * MOST_HEAD_BYTES + b"\r\n\r\n")

    assert status_of(answer) == 431
