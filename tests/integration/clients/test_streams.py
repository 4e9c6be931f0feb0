"""Large answers on real sockets: handed on piece by piece, bounded, and given back whatever happens."""

import asyncio
import struct
import tracemalloc
from socket import SO_LINGER, SOL_SOCKET, socket
from typing import NoReturn

import pytest

from clients.answers import Reply
from clients.breaker import BreakerPolicy, BreakerState
from clients.errors import Delivery, ErrorCode, PartnerError, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.http import PartnerHTTP, PartnerRequest, PartnerStream, StreamStart
from clients.observer import CallOutcome
from tests.integration.clients.loopback import Handler, partner_that, read_request
from tests.unit.clients.doubles import RecordingObserver, RecordingPacer

FILE = PartnerRequest(method="GET", url="/things.csv")
PIECE = b"0123456789abcdef" * 4096
MANY = 1_000  # pieces: 65 MB


def is_ok(start: StreamStart) -> bool:
    return start.status == 200


def refuse(reply: Reply) -> NoReturn:
    reply.check_status(ok=())
    raise AssertionError("a status that is never good was let through")


async def opened(partner: PartnerHTTP, *, deadline_seconds: float | None = None) -> PartnerStream:
    return await partner.open_stream(
        "get_thing", FILE, is_wanted=is_ok, refuse=refuse, deadline_seconds=deadline_seconds
    )


async def error_of(partner: PartnerHTTP) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await opened(partner)
    return caught.value


def answering(head: bytes, *pieces: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 " + head + b"\r\nConnection: close\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return handle


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(PIECE)
        await writer.drain()


async def test_the_body_arrives_whole_with_its_status_and_headers():
    observer = RecordingObserver()
    handler = answering(b"200 OK\r\nContent-Type: text/csv", b"a;b\n", b"1;2\n")
    async with partner_that(handler, observer=observer) as partner:
        stream = await opened(partner)
        body = b"".join([piece async for piece in stream])

    assert body == b"a;b\n1;2\n"
    assert (stream.status, stream.headers["content-type"]) == (200, "text/csv")
    assert [(call.outcome, call.http_status) for call in observer.calls] == [(CallOutcome.OK, 200)]


async def test_65_megabytes_pass_through_less_than_two_of_memory():
    async with partner_that(answering(b"200 OK", *[PIECE] * MANY), max_bytes=10**9) as partner:
        stream = await opened(partner)
        tracemalloc.start()
        size = 0
        async for piece in stream:
            size += len(piece)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert size == len(PIECE) * MANY
    assert peak < 2_000_000


async def test_nothing_is_read_ahead_of_a_reader_that_pauses():
    sent = 0
    stalled = asyncio.Event()

    async def until_stalled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(MANY):
            writer.write(PIECE)
            try:
                await asyncio.wait_for(writer.drain(), 0.3)
            except TimeoutError:
                stalled.set()
                await writer.drain()
            sent += len(PIECE)

    async with partner_that(until_stalled, max_bytes=10**9) as partner:
        stream = await opened(partner)
        await anext(stream)
        await asyncio.wait_for(stalled.wait(), 5)
        sent_to_a_pausing_reader = sent
        rest = sum([len(piece) async for piece in stream])

    assert sent_to_a_pausing_reader < 16_000_000  # what the buffers of the system hold
    assert rest > 16_000_000


async def test_blanks_sent_while_the_partner_computes_are_waited_through_and_kept():
    async with partner_that(answering(b"200 OK", b"\n", b" \n", b'{"error": "no"}')) as partner:
        starts: list[bytes] = []

        def look(start: StreamStart) -> bool:
            starts.append(start.start)
            return True

        stream = await partner.open_stream("get_thing", FILE, is_wanted=look, refuse=refuse)
        body = b"".join([piece async for piece in stream])

    assert b"error" in starts[0]
    assert body == b'\n \n{"error": "no"}'


async def test_an_empty_body_is_a_stream_without_pieces():
    async with partner_that(answering(b"200 OK\r\nContent-Length: 0")) as partner:
        stream = await opened(partner)

        assert [piece async for piece in stream] == []


async def test_an_answer_that_is_not_wanted_is_read_and_refused():
    texts: list[bytes] = []

    def note(reply: Reply) -> NoReturn:
        texts.append(reply.body)
        raise reply.rejected("no such thing", code="nothing")

    async with partner_that(answering(b"404 Not Found", b"no ", b"such thing")) as partner:
        with pytest.raises(PartnerRejected) as caught:
            await partner.open_stream("get_thing", FILE, is_wanted=is_ok, refuse=note)

    assert texts == [b"no such thing"]
    assert (caught.value.code, caught.value.http_status, caught.value.delivery) == ("nothing", 404, Delivery.REFUSED)
    assert caught.value.__context__ is None


async def test_of_a_refusal_without_end_only_the_beginning_is_read():
    sizes: list[int] = []

    def note(reply: Reply) -> NoReturn:
        sizes.append(len(reply.body))
        raise reply.rejected("no", code="no")

    async with partner_that(answering(b"400 Bad Request", *[PIECE] * 50), max_bytes=10**9) as partner:
        with pytest.raises(PartnerRejected):
            await partner.open_stream("get_thing", FILE, is_wanted=is_ok, refuse=note)

    assert sizes == [64_000]


async def test_a_429_closes_the_gates_and_a_failure_counts_for_the_breaker():
    pacer = RecordingPacer()
    observer = RecordingObserver()
    async with partner_that(
        answering(b"429 Too Many Requests\r\nRetry-After: 7"), pacer=pacer, observer=observer
    ) as partner:
        limited = await error_of(partner)
    async with partner_that(
        answering(b"503 Service Unavailable", b"<h1>"), breaker=BreakerPolicy(failures=2)
    ) as partner:
        errors = [await error_of(partner) for _ in range(3)]
        states = partner.breaker_states()

    assert isinstance(limited, PartnerRateLimited)
    assert pacer.holds == [("partner:things", 7)]
    assert observer.outcomes == [CallOutcome.RATE_LIMITED]
    assert [error.code for error in errors] == ["503", "503", ErrorCode.BREAKER_OPEN]
    assert states == {"get_thing": BreakerState.OPEN}


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection: socket = writer.get_extra_info("socket")
    connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))  # close sends RST


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the caller leaves


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)  # the partner's slowness, not the test's patience


@pytest.mark.parametrize("accident", [reset, half, silence, drip])
async def test_a_body_that_breaks_on_the_way_is_no_whole_one_and_frees_its_slot(accident: Handler):
    calls = 0

    async def breaks_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await read_request(reader)
        length = 1000 if calls == 1 else 10
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n0123456789" % length)
        await writer.drain()
        if calls == 1:
            await accident(reader, writer)

    observer = RecordingObserver()
    async with partner_that(
        breaks_once, observer=observer, max_concurrency=1, queue_seconds=0.05, deadline_seconds=0.3
    ) as partner:
        stream = await opened(partner)
        with pytest.raises(PartnerUnavailable) as caught:
            async for _ in stream:
                pass
        again = b"".join([piece async for piece in await opened(partner)])

    assert (caught.value.code, caught.value.http_status, caught.value.delivery) == ("http_error", 200, Delivery.UNKNOWN)
    assert caught.value.__context__ is None
    assert again == b"0123456789"
    assert observer.outcomes == [CallOutcome.UNAVAILABLE, CallOutcome.OK]


async def test_a_body_above_the_cap_ends_there():
    taken = 0

    async def take(stream: PartnerStream) -> None:
        nonlocal taken
        async for piece in stream:
            taken += len(piece)

    async with partner_that(endless, max_bytes=1_000_000) as partner:
        stream = await opened(partner)
        with pytest.raises(PartnerUnavailable) as caught:
            await take(stream)

    assert caught.value.code == ErrorCode.TOO_LARGE
    assert 0 < taken <= 1_000_000


async def test_a_slot_is_held_until_the_stream_is_closed_and_its_connection_with_it():
    hung_up = asyncio.Event()

    async def until_hung_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await endless(reader, writer)
        finally:
            hung_up.set()

    observer = RecordingObserver()
    async with partner_that(
        until_hung_up, observer=observer, max_concurrency=1, queue_seconds=0.02, max_bytes=10**9
    ) as partner:
        async with await opened(partner) as stream:
            await anext(stream)
            busy = await error_of(partner)
        await asyncio.wait_for(hung_up.wait(), 5)
        await stream.aclose()
        after_the_end = [piece async for piece in stream]
        again = await opened(partner)
        await again.aclose()

    assert busy.code == ErrorCode.BUSY
    assert after_the_end == []
    assert observer.outcomes == [CallOutcome.BUSY, CallOutcome.ABORTED, CallOutcome.ABORTED]


async def test_a_stream_may_be_read_by_another_task_than_the_one_that_opened_it():
    async with partner_that(answering(b"200 OK", *[PIECE] * 20), max_bytes=10**9, max_concurrency=1) as partner:
        stream = await opened(partner)

        async def read() -> int:
            async with stream:
                return sum([len(piece) async for piece in stream])

        size = await asyncio.create_task(read())
        again = await asyncio.create_task(opened(partner))
        await again.aclose()

    assert size == 20 * len(PIECE)


async def test_a_reader_cancelled_in_the_middle_gives_everything_back():
    async with partner_that(silent_after_a_piece, max_concurrency=1, queue_seconds=0.05) as partner:
        stream = await opened(partner)
        waiting = asyncio.Event()

        async def read() -> None:
            async with stream:
                await anext(stream)
                waiting.set()
                await anext(stream)

        reading = asyncio.create_task(read())
        await waiting.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        again = await opened(partner)
        await again.aclose()


async def silent_after_a_piece(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
    await writer.drain()
    await reader.read()
