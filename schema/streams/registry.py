"""Every open socket and event stream of the process: how many there may be, who must go, and the end of all."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from random import SystemRandom
from typing import Protocol

import structlog

from resolvers.viewers import load_viewer
from schema.streams.protocol import Close
from schema.streams.sessions import Session
from services.tokens import Claims, InvalidToken

log = structlog.get_logger(__name__)

_WAVES = 10
_SMALLEST_WAVE = 20
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the server ends a stream: as a close frame, and as an error where there are no close frames."""

    close: Close
    code: str
    retry_after_ms: int | None = None


TOKEN_EXPIRED = Ending(
    Close(4403, "Token expired: reconnect with a new one and your last cursor"), code="UNAUTHENTICATED"
)
RIGHTS_ENDED = Ending(Close(4403, "Account or membership ended: sign in again"), code="UNAUTHENTICATED")
RIGHTS_CHANGED = Ending(
    Close(4403, "Rights changed: reconnect with your token and your last cursor"), code="UNAUTHENTICATED"
)


def restarting(retry_after_ms: int) -> Ending:
    close = Close(1012, f"Server restarting: reconnect with your last cursor; retry-after-ms={retry_after_ms}")
    return Ending(close, code="SERVER_RESTARTING", retry_after_ms=retry_after_ms)


class Stream(Protocol):
    """One open socket or event stream."""

    @property
    def session(self) -> Session: ...

    def end(self, ending: Ending) -> None:
        """Say goodbye soon. What was asked first counts; never waits."""
        ...


class TooManyStreams(Exception):
    """No more streams. `of_client`: of this client; else of the process."""

    def __init__(self, *, of_client: bool) -> None:
        super().__init__("too many streams" + (" of one client" if of_client else ""))
        self.of_client = of_client

    @property
    def status(self) -> int:
        """The HTTP status of a refusal."""
        return 429 if self.of_client else 503


class Streams:
    """The open streams. One for a process."""

    def __init__(self, *, most: int, most_per_client: int, reconnect_spread_seconds: float = 10.0) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._reconnect_spread_ms = int(reconnect_spread_seconds * 1000)
        self._clients: dict[Stream, str] = {}
        self._per_client: Counter[str] = Counter()
        self._is_draining = False
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._drain: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._clients)

    @property
    def is_draining(self) -> bool:
        return self._is_draining

    def enter(self, stream: Stream) -> None:
        """Count a stream in, for whom its session knows by now. Raises TooManyStreams."""
        if self._is_draining or len(self._clients) >= self._most:
            raise TooManyStreams(of_client=False)
        self._take_place(stream, stream.session.client)
        self._emptied.clear()

    def identify(self, stream: Stream) -> None:
        """Count a stream for the account that signed in, no more for its address. Raises TooManyStreams."""
        if self._clients[stream] != stream.session.client:
            before = self._clients[stream]
            self._take_place(stream, stream.session.client)
            self._give_back(before)

    def leave(self, stream: Stream) -> None:
        client = self._clients.pop(stream, None)
        if client is not None:
            self._give_back(client)
        if not self._clients:
            self._emptied.set()

    def _take_place(self, stream: Stream, client: str) -> None:
        if self._per_client[client] >= self._most_per_client:
            raise TooManyStreams(of_client=True)
        self._per_client[client] += 1
        self._clients[stream] = client

    def _give_back(self, client: str) -> None:
        self._per_client[client] -= 1
        if not self._per_client[client]:
            del self._per_client[client]

    # -- rights

    async def watch_rights(self, interval_seconds: float) -> None:
        """Check again and again, for ever, that who listens still may."""
        while True:
            await asyncio.sleep(interval_seconds)
            await self.check_rights()

    async def check_rights(self) -> None:
        """End the streams of accounts that were closed or whose rights changed. One statement an account."""
        by_claims: dict[tuple[object, ...], tuple[Claims, list[Stream]]] = {}
        for stream in self._clients:
            claims = stream.session.claims
            if claims is not None:
                by_claims.setdefault((claims.subject, claims.organization_id), (claims, []))[1].append(stream)
        for claims, streams in by_claims.values():
            try:
                viewer = await load_viewer(claims)
            except InvalidToken:
                for stream in streams:
                    stream.end(RIGHTS_ENDED)
            except Exception as error:  # noqa: BLE001 (a database that is away: who listens hears nothing meanwhile)
                log.warning("rights_not_checked", error_class=type(error).__name__)
                return
            else:
                for stream in streams:
                    if not stream.session.adopt(viewer):
                        stream.end(RIGHTS_CHANGED)

    # -- the end of the process

    def begin_drain(self, *, window_seconds: float, grace_seconds: float) -> None:
        """Start `drain` in the background; again and again is once."""
        if self._drain is None:
            self._drain = asyncio.create_task(self.drain(window_seconds=window_seconds, grace_seconds=grace_seconds))

    async def drained(self) -> None:
        """Wait for the end of a drain that was begun."""
        if self._drain is not None:
            await self._drain

    async def drain(self, *, window_seconds: float, grace_seconds: float) -> None:
        """Let nobody in any more, and end all streams in waves, each told to come back at another moment.

        Returns when all are gone, or `grace_seconds` after the last wave.
        """
        self._is_draining = True
        leaving = list(self._clients)
        _random.shuffle(leaving)
        size = max(_SMALLEST_WAVE, -(-len(leaving) // _WAVES))
        waves = [leaving[start : start + size] for start in range(0, len(leaving), size)]
        for number, wave in enumerate(waves):
            if number:
                await asyncio.sleep(window_seconds / _WAVES)
            for stream in wave:
                stream.end(restarting(_random.randint(0, self._reconnect_spread_ms)))
        try:
            async with asyncio.timeout(grace_seconds):
                await self._emptied.wait()
        except TimeoutError:
            log.warning("streams_not_drained", count=len(self))
