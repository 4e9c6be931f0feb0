"""The newest entries of a log, as one process read them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from services.event_log.entries import LogEvent
from services.event_log.reading import Batch, Cursor


class Memory:
    """Everything between two places of a log: `floor`, which moves up as the oldest are forgotten, and `head`."""

    def __init__(self, floor: Cursor, size: int) -> None:
        self._size = size
        self._events: list[LogEvent] = []
        self.floor = floor
        self.head = floor

    def extend(self, batch: Batch) -> None:
        self._events += batch.events
        self.head = batch.cursor
        # In one go once in a while: each deletion at the front of a list moves all the rest.
        if len(self._events) > 2 * self._size:
            forgotten = self._events[-self._size - 1]
            del self._events[: -self._size]
            self.floor = Cursor(self.floor.epoch, forgotten.position)

    def covers(self, cursor: Cursor) -> bool:
        """Tell whether everything after the cursor that this process has read is here."""
        return cursor.epoch == self.floor.epoch and cursor.position >= self.floor.position

    def after(self, cursor: Cursor, limit: int) -> Sequence[LogEvent]:
        """Return what comes after a covered cursor, oldest first."""
        first = bisect_right(self._events, cursor.position, key=lambda event: event.position)
        return self._events[first : first + limit]
