"""A partner of the kit on real sockets, whose every connection is handled as the test says."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from clients.breaker import BreakerPolicy
from clients.http import CallPolicy, PartnerHTTP, build_http_client
from clients.observer import Observer
from clients.pacing import Pacer

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
POLICY = CallPolicy(
    deadline_seconds=5, queue_seconds=5, max_bytes=100_000, breaker=BreakerPolicy(failures=10_000, open_seconds=30)
)


async def read_request(reader: asyncio.StreamReader) -> None:
    """Head and body; a request without a length has no body."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    if lengths:
        await reader.readexactly(int(lengths[0].split(b":")[1]))


@asynccontextmanager
async def loopback_server(answers: Handler) -> AsyncGenerator[str, None]:
    """The base URL of a server that lives as long as the block."""
    at_work: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        at_work.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await answers(reader, writer)
        finally:
            at_work.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
        for task in at_work:  # of those that wait for a caller who has left
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)


@asynccontextmanager
async def partner_that(
    answers: Handler, *, observer: Observer | None = None, pacer: Pacer | None = None, **policy: Any
) -> AsyncGenerator[PartnerHTTP, None]:
    """A partner on loopback, with `policy` changing single bounds."""
    bounds = replace(POLICY, **policy)
    async with loopback_server(answers) as base_url, build_http_client(base_url, max_connections=10) as http:
        yield PartnerHTTP(
            "partner", http, bounds, observer=observer, pacer=pacer, paced={"get_thing": "partner:things"}
        )
