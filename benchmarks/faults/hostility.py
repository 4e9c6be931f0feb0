"""Clients that mean harm or know no better: storms of copies, slow senders, broken and oversized bodies."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from zlib import crc32

import psutil

from benchmarks.damage import damage_of, settled, settlements_counted
from benchmarks.faults.figures import Figures
from benchmarks.faults.load import (
    Deliveries,
    Line,
    answer_of,
    deliver,
    graphql_request,
    hang_up,
    readers,
    webhook_request,
)
from benchmarks.faults.people import QUERY, SECRETS, people_of_appointments
from benchmarks.faults.stage import Stopwatch, Theatre, leaks
from models import WebhookEvent

_CUT_WITHIN_SECONDS = 60.0
_DRIP_SECONDS = 0.5
_SEED = 2_026


async def duplicates(theatre: Theatre, *, events: int, copies: int) -> Figures:
    """Copies of each event at the same time, on two API processes with two workers: one row, one effect."""
    async with theatre.stage("duplicates") as stage, settlements_counted():
        story = (await people_of_appointments(events=events)).story
        ports = [(await stage.start_api())[1], (await stage.start_api())[1]]
        for _ in range(2):
            await stage.start_worker()
        queue = [webhook for webhook in story.webhooks for _ in range(copies)]
        # Copies stay close together, so that they meet; the events themselves come in any order.
        dice = random.Random(_SEED)
        queue.sort(key=lambda webhook: crc32(webhook.body) % 1_000 + dice.random())
        seen = await deliver(queue, ports, connections=copies, seen=Deliveries())
        since = Stopwatch()
        await settled()
        recovery = since.seconds
        rows = await WebhookEvent.all().count()
        damage = await damage_of(story, refused=sum(seen.answers.values()) - seen.answers[200])
        return Figures(
            fault=f"{copies} copies of each event at once, on two API processes and two workers",
            tries=len(queue),
            lost=damage.lost + damage.wrong_ends + damage.refused,
            doubled=damage.applied_twice + damage.broken_log + rows - len(story.webhooks),
            leaked=leaks(logs=stage.logs(), answers=[*seen.bodies], secrets=SECRETS),
            recovery_seconds=recovery,
            besides=f"{rows:,} rows; the longest acknowledgement took {seen.longest * 1000:.0f} ms",
        )


async def slow_senders(theatre: Theatre, *, sockets: int) -> Figures:
    """Sockets that say nothing, drip a head, or drip a body: others are answered, and these are cut."""
    async with theatre.stage("slow") as stage:
        bookings = await people_of_appointments(events=5)
        api, port = await stage.start_api()
        head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\n"
        body = head + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        hook = webhook_request(bookings.story.webhooks[0]).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        since = Stopwatch()
        async with readers(port, bookings.token, QUERY, number=4, pause=0.02) as asked, asyncio.TaskGroup() as group:
            cut = [
                group.create_task(_drip(port, beginning, drop))
                for beginning, drop in ((b"", b""), (head + b"X-Slow: ", b"x"), (body, b" "), (hook, b" "))
                for _ in range(sockets // 4)
            ]
        longest = max([task.result() for task in cut])
        took = since.seconds
        rss = psutil.Process(api.pid).memory_info().rss / 2**20
        return Figures(
            fault=f"slow-loris: {sockets} sockets that are silent, or drip heads or bodies",
            tries=len(cut),
            lost=len(asked.failures),
            doubled=0,
            leaked=leaks(logs=stage.logs(), answers=[*asked.failures], secrets=SECRETS),
            recovery_seconds=longest,
            besides=f"all cut; meanwhile {asked.answered:,} reads in {took:.0f} s, the longest"
            f" {asked.longest * 1000:.0f} ms, {rss:.0f} MB",
        )


async def broken_bodies(theatre: Theatre, *, rounds: int) -> Figures:
    """Bodies that end early, lie about their size or are too large: refused with 4xx or cut, nothing stored."""
    async with theatre.stage("bodies") as stage:
        bookings = await people_of_appointments(events=5)
        api, port = await stage.start_api()
        webhook, query = webhook_request(bookings.story.webhooks[0]), graphql_request(QUERY, bookings.token)
        requests = [shape for request in (webhook, query) for shape in _broken(request)] * rounds
        before = psutil.Process(api.pid).memory_info().rss
        answers: Counter[int] = Counter()
        texts: list[str] = []
        longest = 0.0
        async with readers(port, bookings.token, QUERY, number=2, pause=0.02) as asked:
            for request in requests:
                since = Stopwatch()
                status, text = await _send_raw(port, request)
                longest = max(longest, since.seconds)
                answers[status] += 1
                texts.append(text)
        grown = (psutil.Process(api.pid).memory_info().rss - before) / 2**20
        stored = await WebhookEvent.all().count()
        wrong = sum(number for status, number in answers.items() if status >= 500 or status // 100 == 2)
        return Figures(
            fault="truncated, oversized and lying bodies",
            tries=len(requests),
            lost=len(asked.failures) + wrong,
            doubled=stored,
            leaked=leaks(logs=stage.logs(), answers=[*texts], secrets=SECRETS),
            recovery_seconds=longest,
            besides=", ".join(f"{number}x {status or 'cut'}" for status, number in sorted(answers.items()))
            + f"; {grown:.0f} MB more",
        )


async def _drip(port: int, beginning: bytes, drop: bytes) -> float:
    """Send as little as possible, and return the seconds until the other end had enough. Raises TimeoutError."""
    since = Stopwatch()
    line = await asyncio.open_connection("127.0.0.1", port)
    try:
        line[1].write(beginning)
        ended = asyncio.create_task(_read_to_the_end(line))
        async with asyncio.timeout(_CUT_WITHIN_SECONDS):
            while not ended.done():
                await asyncio.wait({ended}, timeout=_DRIP_SECONDS)
                line[1].write(drop)
        return since.seconds
    finally:
        hang_up(line)


async def _read_to_the_end(line: Line) -> None:
    with suppress(OSError):
        while await line[0].read(65_536):
            pass


def _broken(request: bytes) -> list[bytes]:
    """One request, broken in every way that there is."""
    head, _, body = request.partition(b"\r\n\r\n")
    bare = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length"))
    megabytes = b" " * 2_000_000
    return [
        head + b"\r\n\r\n" + body[: len(body) // 2],
        bare + b"\r\nContent-Length: 999999999999\r\n\r\n" + body,
        bare + f"\r\nContent-Length: {len(megabytes)}\r\n\r\n".encode() + megabytes,
        bare + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (len(megabytes), megabytes) + b"0\r\n\r\n",
        bare + b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + body,
        bare + b"\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + body,
        bare + b"\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\n\x1f\x8b\x08\x00zz",
        bare + b"\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd",
        bare + b"\r\nContent-Length: -1\r\n\r\n",
    ]


async def _send_raw(port: int, request: bytes) -> tuple[int, str]:
    """Send it, say that this was all, and return what came back. Status 0: only the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(_CUT_WITHIN_SECONDS):
            writer.write(request)
            with suppress(OSError):
                writer.write_eof()
            status, body, _ = await answer_of(reader)
            return status, body.decode(errors="replace")
    except (OSError, asyncio.IncompleteReadError):
        return 0, ""
    finally:
        writer.transport.abort()
