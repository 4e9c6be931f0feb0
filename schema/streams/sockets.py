"""`/graphql` as a WebSocket: who may connect, and how they are refused."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from resolvers.context import Resources
from schema.streams.connection import Socket, SocketLimits
from schema.streams.operations import OperationRunner
from schema.streams.protocol import SUBPROTOCOL, SUBPROTOCOL_NOT_ACCEPTABLE
from schema.streams.registry import Streams, TooManyStreams
from schema.streams.server import ABORT_EXTENSION, FRAME_EXTENSION
from schema.streams.sessions import Session
from services.tokens import TokenVerifier


class SocketEndpoint:
    """The WebSocket route `/graphql`. One for a process. `allowed_origins`: beside pages of this very host."""

    def __init__(
        self,
        runner: OperationRunner,
        verifier: TokenVerifier,
        resources: Resources,
        streams: Streams,
        *,
        allowed_origins: Sequence[str] = (),
        limits: SocketLimits | None = None,
    ) -> None:
        self._runner = runner
        self._verifier = verifier
        self._resources = resources
        self._streams = streams
        self._allowed_origins = frozenset(allowed_origins)
        self._limits = limits or SocketLimits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        headers = Headers(scope=scope)
        if not self._is_allowed_origin(headers):
            await _refuse(scope, send, 403, "FORBIDDEN", "Origin: pages of this origin may not connect")
            return
        client = scope.get("client")
        session = Session(self._verifier, self._resources, client_address=client[0] if client else "")
        write_frame = scope.get("extensions", {}).get(FRAME_EXTENSION)
        socket = Socket(self._runner, session, self._streams, self._limits, receive, send, write_frame)
        try:
            self._streams.enter(socket)
        except TooManyStreams as refusal:
            await _refuse(scope, send, refusal.status, "LIMIT_EXCEEDED", f"{refusal}: try again later")
            return
        try:
            await self._serve(socket, scope, send, headers)
        finally:
            self._streams.leave(socket)
            if socket.is_stuck:
                abort_connection(scope)

    async def _serve(self, socket: Socket, scope: Scope, send: Send, headers: Headers) -> None:
        if SUBPROTOCOL in scope.get("subprotocols", ()):
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
            await socket.serve(headers.get("authorization"))
        else:
            # Accepted first: a browser is told the code of a close frame, and nothing of a refused handshake.
            await send({"type": "websocket.accept"})
            await socket.close(SUBPROTOCOL_NOT_ACCEPTABLE)

    def _is_allowed_origin(self, headers: Headers) -> bool:
        """Only browsers send an origin; tokens are no cookies, so this is the second wall, not the first."""
        origin = headers.get("origin")
        if origin is None or "*" in self._allowed_origins or origin in self._allowed_origins:
            return True
        try:
            return urlsplit(origin).netloc == headers.get("host")
        except ValueError:
            return False


def abort_connection(scope: Scope) -> None:
    """Cut the line, where the server can: closing it politely waits for a client that reads nothing."""
    abort = scope.get("extensions", {}).get(ABORT_EXTENSION)
    if abort is not None:
        abort()


async def _refuse(scope: Scope, send: Send, status: int, code: str, message: str) -> None:
    """Refuse the handshake by HTTP; a server that cannot, says 403."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"no-store")]
    if status in (429, 503):
        headers.append((b"retry-after", b"5"))
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
