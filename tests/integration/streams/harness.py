"""A real uvicorn on loopback before a small schema, and clients that speak the protocols word by word."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from connections import HTTPConnection, SocketConnection
from execution.engine import GraphQLEngine
from execution.limits import Limits
from execution.trusted.documents import TrustedDocuments
from middleware import RequestIdMiddleware
from resolvers.cursors import CursorSigner
from schema.http import GraphQLEndpoint
from schema.streams.server import DRAIN_STATE
from schema.streams.transports import TransportConfig, Transports
from services.tokens import TokenVerifier
from tests.integration.schema.client import AUDIENCE, CONFIG, HS256_KEY, ISSUER, never_ring
from tests.integration.streams.tap import Tap, TapResources, tap_schema

PROTOCOL = "graphql-transport-ws"
DROPS = "subscription { drops { name seenBy } }"


@dataclass
class Server:
    """A running server, seen from inside and outside."""

    tap: Tap
    transports: Transports
    port: int
    server: uvicorn.Server
    serving: asyncio.Task[None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @asynccontextmanager
    async def socket(
        self, *, protocols: tuple[str, ...] = (PROTOCOL,), **options: Any
    ) -> AsyncGenerator[ClientConnection, None]:
        url = f"ws://127.0.0.1:{self.port}/graphql"
        wanted = [Subprotocol(name) for name in protocols] or None
        async with connect(url, subprotocols=wanted, proxy=None, **options) as client:
            yield client

    @asynccontextmanager
    async def ready(self, token: str | None = None, **options: Any) -> AsyncGenerator[ClientConnection, None]:
        """A socket whose client has said hello."""
        async with self.socket(**options) as client:
            payload = {} if token is None else {"authorization": f"Bearer {token}"}
            await say(client, type="connection_init", payload=payload)
            assert await hear(client) == {"type": "connection_ack"}
            yield client

    async def stop(self) -> None:
        self.server.should_exit = True
        async with asyncio.timeout(20):
            await self.serving

    async def has_streams(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.transports.streams) != count:  # noqa: ASYNC110 - clients come and go in their own time
                await asyncio.sleep(0.01)


async def say(client: ClientConnection, **message: Any) -> None:
    await client.send(orjson.dumps(message).decode())


async def subscribe(client: ClientConnection, query: str, id: str = "1", **variables: Any) -> None:  # noqa: A002 (its name in the protocol)
    await say(client, id=id, type="subscribe", payload={"query": query, "variables": variables})


async def hear(client: ClientConnection) -> Any:
    """The next message. A frame that is not text fails here."""
    async with asyncio.timeout(10):
        message = await client.recv()
    assert isinstance(message, str), "a binary frame"
    return orjson.loads(message)


async def ask(client: ClientConnection, query: str, id: str = "q") -> Any:  # noqa: A002 (its name in the protocol)
    """The payload of an operation that answers once."""
    await subscribe(client, query, id)
    answer = await hear(client)
    assert (answer["type"], answer["id"]) == ("next", id)
    assert await hear(client) == {"id": id, "type": "complete"}
    return answer["payload"]


async def hear_close(client: ClientConnection) -> tuple[int | None, str]:
    """How the server closes; messages before are passed over."""
    async with asyncio.timeout(15):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await client.recv()
        await client.wait_closed()
    return client.close_code, client.close_reason or ""


@dataclass
class Events:
    """An open event stream."""

    response: httpx.Response
    _lines: Any = None

    async def next(self) -> tuple[str, Any]:
        """The next event and its data; comments and hints are passed over."""
        name, data = "", ""
        async with asyncio.timeout(15):
            async for line in self._iterate():
                if line.startswith("event:"):
                    name = line.removeprefix("event:").strip()
                elif line.startswith("data:"):
                    data = line.removeprefix("data:").strip()
                elif not line and name:
                    return name, orjson.loads(data) if data else None
        raise EOFError

    async def line(self) -> str:
        async with asyncio.timeout(15):
            async for line in self._iterate():
                return line
        raise EOFError

    def _iterate(self) -> Any:
        if self._lines is None:
            self._lines = self.response.aiter_lines()
        return self._lines


@asynccontextmanager
async def events(server: Server, query: str, token: str | None = None, **headers: str) -> AsyncGenerator[Events, None]:
    sent = {"Accept": "text/event-stream", **headers}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    async with (
        httpx.AsyncClient(trust_env=False, timeout=15) as http,
        http.stream("POST", server.url, json={"query": query}, headers=sent) as response,
    ):
        yield Events(response)


@asynccontextmanager
async def running(
    config: TransportConfig | None = None,
    *,
    leeway: timedelta = timedelta(seconds=60),
    trusted: TrustedDocuments | None = None,
    **uvicorn_options: Any,
) -> AsyncGenerator[Server, None]:
    """The server, on a free port, until the end of the block."""
    tap = Tap()
    engine = GraphQLEngine(tap_schema, Limits(), trusted=trusted)
    verifier = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, hs256_key=HS256_KEY, leeway=leeway)
    resources = TapResources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=never_ring, tap=tap)
    transports = Transports(engine, verifier, resources, config or TransportConfig())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[dict[str, Any], None]:
        async with transports:
            yield {DRAIN_STATE: transports.begin_drain}

    app = Starlette(
        routes=[
            Route("/graphql", GraphQLEndpoint(engine, verifier, resources, CONFIG, transports.event_streams)),
            WebSocketRoute("/graphql", transports.sockets),
        ],
        middleware=[Middleware(RequestIdMiddleware)],
        lifespan=lifespan,
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        options: dict[str, Any] = {"ws_max_size": 65_536, "timeout_graceful_shutdown": 15, **uvicorn_options}
        server = uvicorn.Server(
            uvicorn.Config(
                app, http=HTTPConnection, ws=SocketConnection, log_config=None, ws_per_message_deflate=False, **options
            )
        )
        serving = asyncio.create_task(server._serve([listener]))  # pyright: ignore[reportPrivateUsage]: `serve` would take the signals of the tests
        try:
            async with asyncio.timeout(10):
                while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
                    await asyncio.sleep(0.01)
            yield Server(tap, transports, port, server, serving)
        finally:
            server.should_exit = True
            async with asyncio.timeout(25):
                await serving
