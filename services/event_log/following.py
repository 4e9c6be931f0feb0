"""One follower of a log: what it wants, the queue in which events wait for it, and how it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.event_log.entries import (
    AnyEntry,
    AppointmentChanged,
    LogEvent,
    ParticipationStatusChanged,
)
from services.event_log.reading import Cursor


class EndReason(StrEnum):
    """Why a stream ended that its follower did not leave."""

    SLOW = "slow"  # its queue was full
    EXPIRED = "expired"  # what comes next was deleted by age, or the cursor is not of this database
    STOPPING = "stopping"  # the process ends
    NOT_READY = "not_ready"  # the database has not answered since the process began


class StreamEnded(Exception):
    """The stream goes on without this follower. `cursor`: from where it may come back; None: nowhere."""

    def __init__(self, reason: EndReason, cursor: Cursor | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.cursor = cursor


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a follower is woken for. `company_ids`: None for those of every company."""

    entry_type: type[AnyEntry]
    company_ids: frozenset[UUID] | None = None

    def holds(self, event: LogEvent) -> bool:
        entry = event.entry
        if not isinstance(entry, self.entry_type):
            return False
        if self.company_ids is None:
            return True
        of_company = isinstance(entry, (AppointmentChanged, ParticipationStatusChanged))
        return of_company and entry.company_id in self.company_ids


class Follower:
    """A bounded queue. `cursor`: of the last event that was taken from it, or of where the follower began."""

    __slots__ = ("_bell", "_ended", "_limit", "_queue", "cursor", "wanted")

    def __init__(self, wanted: Wanted, cursor: Cursor, limit: int) -> None:
        self.wanted = wanted
        self.cursor = cursor
        self._limit = limit
        self._queue: deque[LogEvent] = deque()
        self._ended: EndReason | None = None
        self._bell = asyncio.Event()

    def offer(self, event: LogEvent) -> bool:
        """Queue an event that is wanted and new. False: there was no room, and the follower has ended."""
        if self._ended is not None or event.position <= self.cursor.position or not self.wanted.holds(event):
            return True
        if len(self._queue) >= self._limit:
            self.end(EndReason.SLOW)
            return False
        self._queue.append(event)
        self._bell.set()
        return True

    def end(self, reason: EndReason) -> None:
        """Let the next question for an event say that there is none any more. What waits is let go of at once."""
        if self._ended is None:
            self._ended = reason
            self._queue.clear()
            self._bell.set()

    def check(self) -> None:
        """Raise StreamEnded if the follower has ended."""
        if self._ended is not None:
            raise StreamEnded(self._ended, None if self._ended is EndReason.EXPIRED else self.cursor)

    def take(self, event: LogEvent) -> LogEvent:
        self.cursor = Cursor(self.cursor.epoch, event.position)
        return event

    async def next(self) -> LogEvent:
        """Wait for an event and take it. Raises StreamEnded."""
        while not self._queue:
            self.check()
            self._bell.clear()
            await self._bell.wait()
        return self.take(self._queue.popleft())
