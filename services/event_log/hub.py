"""One reader of the logs a process, and everybody of the process who follows them.

The notification is a hint: it says when to read, and a look at least every second makes up for one that was lost. What
was read stays in memory for a while, so that those who come back after a deployment are served from there; who was away
for longer reads the log. A follower joins the living stream in the very turn of the loop in which it has caught up, so
that nothing is missed and nothing comes twice at the join.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from models.event_log import CHANNEL
from models.listening import Listener, listening
from services.event_log.entries import LogEvent, Stream
from services.event_log.following import EndReason, Follower, StreamEnded, Wanted
from services.event_log.memory import Memory
from services.event_log.reading import Batch, Cursor, CursorExpired, know_stream, read_after, read_tail
from services.tasks import end_tasks

log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
# Followers that read the log at the same time: the pool is for requests too, and all may come back at once.
_READERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """How one process reads the logs. `url`: one that a session stays behind, so not of a pooler of transactions."""

    url: str = field(repr=False)  # it may hold a password
    application_name: str = "traverse-listener"
    queue_size: int = 500  # events that wait for one slow follower before it is told to leave
    memory_size: int = 5_000
    batch_size: int = 500
    poll_seconds: float = 1.0
    ready_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFigures:
    """What a hub looks like from outside. `followers` counts those that still catch up, too."""

    followers: Mapping[Stream, int]
    catching_up: int
    events_read: int
    connections_lost: int
    ended: Mapping[EndReason, int]
    positions: Mapping[Stream, int]  # up to where each log was read


class EventHub:
    """Start it once a process; `aclose` ends everybody who follows."""

    def __init__(self, config: HubConfig) -> None:
        self._config = config
        self._followers: dict[Stream, set[Follower]] = {stream: set() for stream in Stream}
        self._live: dict[Stream, set[Follower]] = {stream: set() for stream in Stream}
        self._memory: dict[Stream, Memory] = {}
        self._wake = asyncio.Event()
        self._ready = asyncio.Event()
        self._readers = asyncio.Semaphore(_READERS)
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        self._events_read = 0
        self._connections_lost = 0
        self._ended: Counter[EndReason] = Counter()

    def start(self) -> None:
        """Begin to read in the background. A database that does not answer is asked again and again."""
        self._task = asyncio.create_task(self._run(), name="event-hub")

    async def aclose(self) -> None:
        self.end_followers()
        if self._task is not None:
            await end_tasks([self._task])

    def end_followers(self) -> None:
        """End every stream, and those that would begin from now on: the process is about to stop."""
        self._is_closed = True
        for stream in Stream:
            self._end_all(stream, EndReason.STOPPING)

    def figures(self) -> HubFigures:
        followers = {stream: len(followers) for stream, followers in self._followers.items()}
        return HubFigures(
            followers=followers,
            catching_up=sum(followers.values()) - sum(len(live) for live in self._live.values()),
            events_read=self._events_read,
            connections_lost=self._connections_lost,
            ended=dict(self._ended),
            positions={stream: memory.head.position for stream, memory in self._memory.items()},
        )

    # -- following

    async def begin(self, stream: Stream, after: Cursor | None) -> Cursor:
        """Return where to begin: the cursor, once it is known to be good, or the present. Raises StreamEnded."""
        if self._is_closed:
            raise StreamEnded(EndReason.STOPPING, after)
        try:
            async with asyncio.timeout(self._config.ready_seconds):
                await self._ready.wait()
        except TimeoutError:
            raise StreamEnded(EndReason.NOT_READY, after) from None
        memory = self._memory[stream]
        if after is None:
            return memory.head
        # Beyond what this process has read may be what another one has: only the log knows.
        if not memory.covers(after) or after.position > memory.head.position:
            await self._read(stream, after, limit=1)
        return after

    async def follow(self, stream: Stream, wanted: Wanted, start: Cursor) -> AsyncGenerator[LogEvent, None]:
        """Yield the wanted events after `start`, then those to come. Raises StreamEnded. Close it when done."""
        follower = Follower(wanted, start, self._config.queue_size)
        self._followers[stream].add(follower)
        if self._is_closed:
            follower.end(EndReason.STOPPING)
        try:
            while batch := await self._missed(stream, follower):
                for event in batch.events:
                    follower.check()
                    if wanted.holds(event):
                        yield follower.take(event)
                follower.cursor = batch.cursor
            # Nothing was awaited since the memory had no more: what is read from now on is offered.
            self._live[stream].add(follower)
            while True:
                yield await follower.next()
        finally:
            self._followers[stream].discard(follower)
            self._live[stream].discard(follower)

    async def _missed(self, stream: Stream, follower: Follower) -> Batch | None:
        """Return the next events that a follower has not seen; None once it has seen all that the hub has."""
        memory = self._memory[stream]
        if not memory.covers(follower.cursor):
            return await self._read(
                stream,
                follower.cursor,
                limit=self._config.batch_size,
                company_ids=follower.wanted.company_ids,
            )
        events = memory.after(follower.cursor, self._config.batch_size)
        if not events:
            return None
        return Batch(events, Cursor(memory.head.epoch, events[-1].position), is_last=False)

    async def _read(
        self, stream: Stream, cursor: Cursor, *, limit: int, company_ids: frozenset[UUID] | None = None
    ) -> Batch:
        try:
            async with self._readers:
                return await read_after(stream, cursor, limit=limit, company_ids=company_ids)
        except CursorExpired:
            self._ended[EndReason.EXPIRED] += 1
            raise StreamEnded(EndReason.EXPIRED) from None

    # -- reading

    async def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with listening(
                    self._config.url, CHANNEL, self._wake.set, application_name=self._config.application_name
                ) as listener:
                    while True:
                        await self._look(listener)
                        pause = _FIRST_PAUSE_SECONDS
                        await self._rest()
            except Exception as error:  # noqa: BLE001 (the hub lives as long as the process: the next try may succeed)
                self._connections_lost += 1
                log.warning("event_listener_lost", error_class=type(error).__name__)
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 (jitter, not a secret)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _rest(self) -> None:
        """Wait for a notification, or as long as one that was lost may go unnoticed."""
        try:
            async with asyncio.timeout(self._config.poll_seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _look(self, listener: Listener) -> None:
        # Before reading: a notification that comes meanwhile is for another look.
        self._wake.clear()
        for stream in Stream:
            if stream not in self._memory:
                await self._begin_reading(stream, listener)
            await self._read_on(stream, listener)
        self._ready.set()

    async def _begin_reading(self, stream: Stream, listener: Listener) -> None:
        await know_stream(stream, fetch=listener.fetch)
        floor, batch = await read_tail(stream, self._config.memory_size, fetch=listener.fetch)
        memory = Memory(floor, self._config.memory_size)
        memory.extend(batch)
        self._memory[stream] = memory

    async def _read_on(self, stream: Stream, listener: Listener) -> None:
        memory = self._memory[stream]
        try:
            while True:
                batch = await read_after(stream, memory.head, limit=self._config.batch_size, fetch=listener.fetch)
                memory.extend(batch)
                self._publish(stream, batch.events)
                if batch.is_last:
                    return
        except CursorExpired:
            # The database is another one than before, or was away until the entries were deleted by age.
            log.warning("event_log_lost", stream=stream.value)
            # First the new memory: whoever comes while it is read must not join the old one.
            await self._begin_reading(stream, listener)
            self._end_all(stream, EndReason.EXPIRED)

    def _publish(self, stream: Stream, events: Sequence[LogEvent]) -> None:
        self._events_read += len(events)
        for event in events:
            for follower in self._live[stream]:
                if not follower.offer(event):
                    self._ended[EndReason.SLOW] += 1

    def _end_all(self, stream: Stream, reason: EndReason) -> None:
        for follower in self._followers[stream]:
            follower.end(reason)
            self._ended[reason] += 1
