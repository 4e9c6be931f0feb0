"""Live pages: an event stream that looks again every few seconds, and sends the pieces of the page that changed.

Source: WHATWG HTML, Server-sent events. The browser comes back by itself after an end; a stream ends when the server
stops, when the right to operate or the session is over, and when its reader takes nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic

import orjson
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.tasks import end_tasks

log = structlog.get_logger(__name__)

_SEND_SECONDS = 15.0
_LOOK_SECONDS = 30.0
# A page that is slow to read is read less often: no more than a tenth of the time goes into it.
_SHARE_OF_TIME = 10
_LONGEST_INTERVAL_SECONDS = 12.0
_PING_SECONDS = 10.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class TooManyStreams(Exception):
    """As many live pages are open as one session, or this process, keeps."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more will be shown. `reason`: `session`, the visitor has to sign in again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What the page shows cannot be read for the moment. `html`: what to say meanwhile."""

    html: str


Look = Callable[[], Awaitable[Mapping[str, str] | Ended | Unreadable]]


class LiveStreams:
    """All live pages of this process."""

    def __init__(self, *, interval_seconds: float, most: int, most_per_session: int) -> None:
        self._interval = interval_seconds
        self._most = most
        self._most_per_session = most_per_session
        self._open: Counter[str] = Counter()
        self._stop = asyncio.Event()

    @property
    def count(self) -> int:
        return self._open.total()

    def end(self) -> None:
        """End every stream, and refuse new ones: the process stops."""
        self._stop.set()

    @asynccontextmanager
    async def place(self, session: str) -> AsyncGenerator[None, None]:
        """Hold one place for a stream. Raises TooManyStreams."""
        if self._stop.is_set() or self.count >= self._most or self._open[session] >= self._most_per_session:
            raise TooManyStreams
        self._open[session] += 1
        try:
            yield
        finally:
            self._open[session] -= 1
            self._open += Counter()  # without those that are at zero

    async def serve(self, look: Look, receive: Receive, send: Send) -> None:
        """Send what `look` finds changed, until somebody goes away."""
        gone = asyncio.create_task(_disconnected(receive))
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _send(send, b"retry: 2000\n\n")
            await self._follow(look, send, {gone, stopping})
            await _send(send, b"", more=False)
        except (OSError, TimeoutError):
            log.debug("ops_stream_lost")
        finally:
            await end_tasks({gone, stopping})

    async def _follow(self, look: Look, send: Send, ends: set[asyncio.Task[object]]) -> None:
        sent: dict[str, str] = {}
        quiet_since = monotonic()
        while True:
            begun = monotonic()
            async with asyncio.timeout(_LOOK_SECONDS):
                found = await look()
            if isinstance(found, Ended):
                await _send(send, _event("ended", {"reason": found.reason}))
                return
            if isinstance(found, Unreadable):
                found = {"outage": found.html}
            elif "outage" in sent:
                found = {**found, "outage": ""}
            changed = {name: html for name, html in found.items() if sent.get(name) != html}
            if changed:
                await _send(send, _event("pieces", changed))
                sent.update(changed)
            elif monotonic() - quiet_since > _PING_SECONDS:
                await _send(send, b": ping\n\n")
            if changed or monotonic() - quiet_since > _PING_SECONDS:
                quiet_since = monotonic()
            pause = min(
                max(self._interval, _SHARE_OF_TIME * (monotonic() - begun)),
                max(self._interval, _LONGEST_INTERVAL_SECONDS),
            )
            done, _ = await asyncio.wait(ends, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return


async def _disconnected(receive: Receive) -> object:
    with suppress(OSError):
        while (await receive())["type"] != "http.disconnect":
            pass
    return None


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    async with asyncio.timeout(_SEND_SECONDS):
        await send({"type": "http.response.body", "body": body, "more_body": more})


def _event(name: str, data: object) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


class LiveResponse(Response):
    """What a route returns for a live page."""

    def __init__(self, streams: LiveStreams, session: str, look: Look) -> None:
        super().__init__()
        self._streams = streams
        self._session = session
        self._look = look

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        try:
            async with self._streams.place(self._session):
                await self._streams.serve(self._look, receive, send)
        except TooManyStreams:
            headers = [(b"content-type", b"text/plain"), (b"retry-after", b"30"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 429, "headers": headers})
            await send({"type": "http.response.body", "body": b"too many live pages"})
