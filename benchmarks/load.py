"""A small HTTP/1.1 load: keep-alive connections that each send the next request when the answer is there.

Bare streams: a full HTTP client would take longer than the server and measure itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(slots=True)
class Measured:
    """Answers of one round. Durations in seconds."""

    seconds: float
    durations: list[float] = field(default_factory=list[float])

    @property
    def per_second(self) -> float:
        return len(self.durations) / self.seconds

    def percentile(self, share: float) -> float:
        return sorted(self.durations)[min(int(len(self.durations) * share), len(self.durations) - 1)]


def post(path: str, body: bytes, token: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(port: int, request: bytes) -> bytes:
    """Send one request and return the body of its answer. Raises RuntimeError for anything but 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await read_answer(reader)
    finally:
        writer.close()


async def run(port: int, request: bytes, *, seconds: float, connections: int) -> Measured:
    measured = Measured(seconds)
    ends_at = perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (sent_at := perf_counter()) < ends_at:
            writer.write(request)
            await read_answer(reader)
            measured.durations.append(perf_counter() - sent_at)
        writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())
    return measured


async def ask_times(port: int, request: bytes, *, times: int) -> list[float]:
    """Send one request after the other over one connection; return how many seconds each took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    durations: list[float] = []
    try:
        for _ in range(times):
            sent_at = perf_counter()
            writer.write(request)
            await read_answer(reader)
            durations.append(perf_counter() - sent_at)
    finally:
        writer.close()
    return durations


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {head[:40]!r}")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return await reader.readexactly(int(length))
