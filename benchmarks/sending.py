"""Senders of webhooks: as patient as RDV-Insertion, over bare keep-alive connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

from benchmarks.story import Webhook

_PATH = "/webhooks/rdv-insertion"
_BEFORE_TRYING_AGAIN_SECONDS = 0.1


@dataclass(slots=True)
class Sent:
    """What the senders saw. `seconds`: of each acknowledgement. `answers`: statuses; 0 where there was none."""

    seconds: list[float] = field(default_factory=list[float])
    answers: Counter[int] = field(default_factory=Counter[int])

    def percentile(self, share: float) -> float:
        return sorted(self.seconds)[min(int(len(self.seconds) * share), len(self.seconds) - 1)]


async def deliver(queue: Sequence[Webhook], ports: Sequence[int], *, connections: int, sent: Sent) -> None:
    """Send all, in their order; what is not acknowledged is sent again, until it is."""
    waiting = iter(queue)
    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            group.create_task(_send_from(waiting, ports[number % len(ports)], sent))


async def _send_from(waiting: Iterator[Webhook], port: int, sent: Sent) -> None:
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    for webhook in waiting:
        request = _request(webhook)
        status = 0
        while status // 100 != 2:
            begun = perf_counter()
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", port)
                status = await _ask(*connection, request)
            except (OSError, asyncio.IncompleteReadError):
                status = 0
            sent.answers[status] += 1
            if status // 100 == 2:
                sent.seconds.append(perf_counter() - begun)
                continue
            _drop(connection)
            connection = None
            await asyncio.sleep(_BEFORE_TRYING_AGAIN_SECONDS)
    _drop(connection)


def _drop(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None) -> None:
    if connection is not None:
        with suppress(OSError):
            connection[1].close()


def _request(webhook: Webhook) -> bytes:
    head = (
        f"POST {_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-RDVI-SIGNATURE: {webhook.signature}\r\nContent-Length: {len(webhook.body)}\r\n\r\n"
    )
    return head.encode() + webhook.body


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
    return int(head[9:12])
