"""Bare WebSocket clients, by the thousand: they note when each message came, and nothing else while it matters.

A full client library takes longer for a thousand messages than the server, and would measure itself.
"""

from __future__ import annotations

import asyncio
import base64
import os
from time import perf_counter
from typing import Any, cast

import orjson


class Subscriber(asyncio.Protocol):
    """One socket with one subscription. `arrivals`: when each answer came, and its bytes; `failure`: why it is no use.

    Nothing is raised: what is raised in a callback ends in the log of the event loop.
    """

    def __init__(self, query: str, token: str) -> None:
        self._query = query
        self._token = token
        self._buffer = bytearray()
        self._is_open = False
        self._transport: asyncio.Transport | None = None
        self.subscribed = asyncio.Event()
        self.arrivals: list[tuple[float, bytes]] = []
        self.failure: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
            b"Sec-WebSocket-Key: %b\r\n\r\n" % key.encode()
        )

    def data_received(self, data: bytes) -> None:
        came_at = perf_counter()
        self._buffer += data
        if not self._is_open:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._fail(f"the server answered {bytes(head[:60])!r}")
                return
            self._buffer, self._is_open = rest, True
            self._say({"type": "connection_init", "payload": {"authorization": f"Bearer {self._token}"}})
        while (frame := self._next_frame()) is not None:
            self._heard(*frame, came_at)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection was lost: {type(exc).__name__}")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _next_frame(self) -> tuple[int, bytes] | None:
        if len(self._buffer) < 2:
            return None
        opcode, length, start = self._buffer[0] & 15, self._buffer[1], 2
        if length == 126:
            length, start = int.from_bytes(self._buffer[2:4]), 4
        elif length == 127:
            length, start = int.from_bytes(self._buffer[2:10]), 10
        if len(self._buffer) < start + length:
            return None
        payload = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        return opcode, payload

    def _heard(self, opcode: int, payload: bytes, came_at: float) -> None:
        if opcode == 9:
            self._frame(10, payload)
        elif opcode == 8:
            self._fail(f"the server closed it: {int.from_bytes(payload[:2])} {payload[2:].decode()}")
        elif b'"type":"next"' in payload[:60]:
            self.arrivals.append((came_at, payload))
        elif payload == b'{"type":"connection_ack"}':
            self._say({"id": "1", "type": "subscribe", "payload": {"query": self._query}})
            # Its answer tells that the subscription before it was read.
            self._say({"type": "ping"})
        elif payload == b'{"type":"pong"}':
            self.subscribed.set()
        else:
            self._fail(f"the server said {payload[:300]!r}")

    def _fail(self, why: str) -> None:
        self.failure = self.failure or why
        # Whoever waits for it must look at it.
        self.subscribed.set()

    def _say(self, message: dict[str, Any]) -> None:
        self._frame(1, orjson.dumps(message))

    def _frame(self, opcode: int, payload: bytes) -> None:
        """Masked with zeros: correct, and free."""
        assert self._transport is not None
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2)
        self._transport.write(bytes([0x80 | opcode]) + size + bytes(4) + payload)
