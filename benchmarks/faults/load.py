"""Clients of a deployment under faults: strict about what they were promised, patient where they should be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import perf_counter

import orjson

from benchmarks.story import Webhook

_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.05
_WEBHOOK_PATH = "/webhooks/rdv-insertion"

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Deliveries:
    """What senders of webhooks saw. `longest`: from a first try to its acknowledgement. Status 0: no answer."""

    answers: Counter[int] = field(default_factory=Counter[int])
    bodies: set[str] = field(default_factory=set[str])
    acknowledged: int = 0
    longest: float = 0.0


async def deliver(
    webhooks: Iterable[Webhook], ports: Sequence[int], *, connections: int = 8, seen: Deliveries | None = None
) -> Deliveries:
    """Send all; what is not acknowledged is sent again, to the next port, until it is."""
    seen = seen or Deliveries()
    waiting = iter(webhooks)
    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            group.create_task(_send_from(waiting, [*ports[number % len(ports) :], *ports[: number % len(ports)]], seen))
    return seen


async def _send_from(waiting: Iterator[Webhook], ports: Sequence[int], seen: Deliveries) -> None:
    line: Line | None = None
    for webhook in waiting:
        begun, tries = perf_counter(), 0
        while True:
            status, body = 0, b""
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    line = line or await asyncio.open_connection("127.0.0.1", ports[tries % len(ports)])
                    line[1].write(webhook_request(webhook))
                    status, body, is_kept = await answer_of(line[0])
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                is_kept = False
            seen.answers[status] += 1
            seen.bodies.add(body.decode(errors="replace"))
            if not is_kept:
                line = hang_up(line)
            if status // 100 == 2:
                break
            tries += 1
            await asyncio.sleep(_PAUSE_SECONDS)
        seen.acknowledged += 1
        seen.longest = max(seen.longest, perf_counter() - begun)
    hang_up(line)


@dataclass(slots=True)
class Asked:
    """What readers saw. `failures`: what was answered otherwise than promised. `longest`: one answer, in seconds."""

    answered: int = 0
    failures: list[str] = field(default_factory=list[str])
    longest: float = 0.0
    last_failure_at: float | None = None

    def note(self, failure: str) -> None:
        self.failures.append(failure)
        self.last_failure_at = perf_counter()


@asynccontextmanager
async def readers(
    port: int, token: str, query: str, *, number: int = 4, pause: float = 0.0
) -> AsyncGenerator[Asked, None]:
    """Ask the same again and again over connections that are kept, as proxies do, while the block runs.

    Every request must be answered with 200, data and no error; a connection that ends before its answer is a failure.
    """
    seen, is_over = Asked(), asyncio.Event()
    request = graphql_request(query, token)
    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(_ask_again(port, request, seen, is_over, pause))
        try:
            yield seen
        finally:
            is_over.set()


async def _ask_again(port: int, request: bytes, seen: Asked, is_over: asyncio.Event, pause: float) -> None:
    line: Line | None = None
    while not is_over.is_set():
        if line is not None and line[0].at_eof():
            line = hang_up(line)  # as every pool looks before it uses a connection again
        begun, is_kept = perf_counter(), False
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                line = line or await asyncio.open_connection("127.0.0.1", port)
                line[1].write(request)
                status, body, is_kept = await answer_of(line[0])
            if status == 200 and b'"errors"' not in body:
                seen.answered += 1
                seen.longest = max(seen.longest, perf_counter() - begun)
            else:
                seen.note(f"{status} {body[:300].decode(errors='replace')}")
        except (OSError, asyncio.IncompleteReadError) as error:
            seen.note(type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)
        if not is_kept:
            line = hang_up(line)
        await asyncio.sleep(pause)
    hang_up(line)


async def ask(port: int, token: str, query: str) -> tuple[int, bytes]:
    """Ask once, over a connection of its own."""
    line = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            line[1].write(graphql_request(query, token))
            status, body, _ = await answer_of(line[0])
            return status, body
    finally:
        hang_up(line)


async def get(port: int, path: str) -> tuple[int, bytes]:
    line = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            line[1].write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            status, body, _ = await answer_of(line[0])
            return status, body
    finally:
        hang_up(line)


def hang_up(line: Line | None) -> None:
    if line is not None:
        with suppress(OSError):
            line[1].close()


def graphql_request(query: str, token: str) -> bytes:
    body = orjson.dumps({"query": query})
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def webhook_request(webhook: Webhook) -> bytes:
    head = (
        f"POST {_WEBHOOK_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-RDVI-SIGNATURE: {webhook.signature}\r\nContent-Length: {len(webhook.body)}\r\n\r\n"
    )
    return head.encode() + webhook.body


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Return status, body, and whether the connection may be used again. Raises IncompleteReadError, OSError."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    length = lower.partition(b"content-length:")[2].partition(b"\r\n")[0]
    body = await reader.readexactly(int(length or 0))
    return int(head[9:12]), body, b"connection: close" not in lower
