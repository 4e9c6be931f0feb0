"""One connection of graphql-transport-ws, with several subscriptions on it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

_PROTOCOL = Subprotocol("graphql-transport-ws")
_RETRY_AFTER = re.compile(r"retry-after-ms=(\d+)")
_NOT_BELIEVED = 4403
_MAX_BYTES = 1_048_576


class Disconnected(Exception):
    """The connection ended. `wait_seconds`: what the server asks for, None where it asks for nothing."""

    def __init__(self, code: int, *, wait_seconds: float | None = None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code
        self.wait_seconds = wait_seconds

    @property
    def wants_new_token(self) -> bool:
        return self.code == _NOT_BELIEVED


class SubscriptionEnded(Exception):
    """The server ended a subscription. `code` is one of its reference page "Errors"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the subscription `feed`: the data of its field."""

    feed: str
    change: dict[str, Any]


class Connection:
    """Subscribe, then iterate. Raises Disconnected from everything, SubscriptionEnded from the iteration."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def subscribe(self, feed: str, document: str, after: str | None) -> None:
        payload = {"query": document, "variables": {"after": after}}
        await self._say({"id": feed, "type": "subscribe", "payload": payload})

    async def told(self) -> AsyncIterator[Told]:
        while True:
            message = await self.hear()
            kind, feed = message["type"], message.get("id", "")
            if kind == "next":
                payload = message["payload"]
                if errors := payload.get("errors"):
                    raise SubscriptionEnded(_code_of(errors))
                yield Told(feed, payload["data"][feed])
            elif kind == "error":
                raise SubscriptionEnded(_code_of(message["payload"]))
            elif kind == "complete":
                raise SubscriptionEnded("COMPLETE")
            elif kind == "ping":
                await self._say({"type": "pong"})

    async def init(self, token: str) -> None:
        await self._say({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        while (await self.hear())["type"] != "connection_ack":
            pass

    async def hear(self) -> dict[str, Any]:
        try:
            return json.loads(await self._socket.recv())
        except ConnectionClosed as closed:
            raise _disconnected(closed) from None

    async def close(self) -> None:
        await self._socket.close()

    async def _say(self, message: dict[str, Any]) -> None:
        try:
            await self._socket.send(json.dumps(message))
        except ConnectionClosed as closed:
            raise _disconnected(closed) from None


async def open_connection(url: str, token: str, *, open_timeout: float = 10.0) -> Connection:
    """Return a connection that the server has acknowledged. Raises Disconnected."""
    try:
        socket = await connect(
            url, subprotocols=[_PROTOCOL], open_timeout=open_timeout, max_size=_MAX_BYTES, close_timeout=2, proxy=None
        )
    except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed):
        raise Disconnected(1006) from None
    connection = Connection(socket)
    try:
        await connection.init(token)
    except BaseException:
        await connection.close()
        raise
    return connection


def _disconnected(closed: ConnectionClosed) -> Disconnected:
    if closed.rcvd is None:
        return Disconnected(1006)
    found = _RETRY_AFTER.search(closed.rcvd.reason)
    return Disconnected(closed.rcvd.code, wait_seconds=int(found[1]) / 1000 if found else None)


def _code_of(errors: list[dict[str, Any]]) -> str:
    return errors[0].get("extensions", {}).get("code", "UNKNOWN")
