"""The kit against real sockets: what a faked transport cannot show."""

import asyncio
import gzip
import struct
from socket import SO_LINGER, SOL_SOCKET, socket

import pytest

from clients.answers import json_answer
from clients.errors import Delivery, PartnerUnavailable
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest, build_http_client
from clients.shapes import Shape, Wire
from tests.integration.clients.loopback import partner_that, read_request


class Thing(Wire):
    name: str


READ = json_answer(Shape(Thing))
REQUEST = PartnerRequest(method="POST", url="/things", json={"wanted": "lamp"})
LAMP = b'{"name": "lamp"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"


async def error_of(partner: PartnerHTTP) -> PartnerUnavailable:
    with pytest.raises(PartnerUnavailable) as caught:
        await partner.call("get_thing", REQUEST, READ)
    return caught.value


async def test_a_body_that_drips_within_the_read_timeout_is_ended_by_the_deadline():
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD % 10_000 + b"\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)  # the partner's slowness, not the test's patience

    started = asyncio.get_running_loop().time()
    async with partner_that(drip, deadline_seconds=0.2) as partner:
        error = await error_of(partner)

    assert (error.code, error.http_status, error.delivery) == ("http_error", 200, Delivery.UNKNOWN)
    assert asyncio.get_running_loop().time() - started < 2


async def test_a_connection_reset_after_the_request_is_maybe_delivered():
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        connection: socket = writer.get_extra_info("socket")
        connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))  # close sends RST

    async with partner_that(reset) as partner:
        error = await error_of(partner)

    assert (error.code, error.http_status, error.delivery) == ("http_error", None, Delivery.UNKNOWN)


async def test_nobody_listening_is_certainly_not_delivered():
    with socket() as bound_and_not_listening:
        bound_and_not_listening.bind(("127.0.0.1", 0))
        port = bound_and_not_listening.getsockname()[1]
        async with build_http_client(f"http://127.0.0.1:{port}") as http:
            partner = PartnerHTTP("partner", http, CallPolicy(deadline_seconds=5))

            error = await error_of(partner)

    assert (error.code, error.delivery) == ("http_error", Delivery.NOT_SENT)


async def test_half_a_body_is_maybe_delivered():
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD % len(LAMP) + b"\r\n" + LAMP[:5])
        await writer.drain()

    async with partner_that(half) as partner:
        error = await error_of(partner)

    assert (error.code, error.http_status, error.delivery) == ("http_error", 200, Delivery.UNKNOWN)


async def test_something_that_is_not_http_is_maybe_delivered():
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"\x00\x01 220 mail.example ESMTP\r\n\r\n")
        await writer.drain()

    async with partner_that(garbage) as partner:
        error = await error_of(partner)

    assert (error.code, error.http_status, error.delivery) == ("http_error", None, Delivery.UNKNOWN)


async def test_a_small_gzip_that_unpacks_to_more_than_allowed_is_not_taken():
    packed = gzip.compress(b" " * 10_000_000)

    async def bomb(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD % len(packed) + b"Content-Encoding: gzip\r\n\r\n" + packed)
        await writer.drain()

    async with partner_that(bomb) as partner:
        error = await error_of(partner)

    assert error.code == "too_large"


async def test_after_a_thousand_calls_given_up_on_the_way_the_pool_still_serves():
    is_patient = asyncio.Event()

    async def slow_at_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await is_patient.wait()
        writer.write(HEAD % len(LAMP) + b"\r\n" + LAMP)
        await writer.drain()

    async with partner_that(slow_at_first) as partner:
        for _ in range(20):
            calls = [asyncio.create_task(partner.call("get_thing", REQUEST, READ)) for _ in range(50)]
            await asyncio.sleep(0.005)  # let some of them open their connection
            for call in calls:
                call.cancel()
            ended = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        is_patient.set()

        things = await asyncio.gather(*(partner.call("get_thing", REQUEST, READ) for _ in range(30)))

    assert {thing.name for thing in things} == {"lamp"}


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD % len(LAMP) + b"\r\n" + LAMP)
        await writer.drain()

    async with partner_that(answer) as partner:
        thing = await partner.call("get_thing", REQUEST, READ)

    assert thing.name == "lamp"


async def test_at_most_the_allowed_number_of_calls_is_on_the_wire_at_once():
    at_once = 0
    most = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most
        await read_request(reader)
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.005)  # the partner's time to answer
        at_once -= 1
        writer.write(HEAD % len(LAMP) + b"Connection: close\r\n\r\n" + LAMP)
        await writer.drain()

    async with partner_that(count, max_concurrency=3) as partner:
        await asyncio.gather(*(partner.call("get_thing", REQUEST, READ) for _ in range(30)))

    assert most == 3
