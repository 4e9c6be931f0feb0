"""One computation for all who ask for the same thing at about the same time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    started_at: float
    task: asyncio.Task[T]
    weight: int = 0


class SingleFlight(Generic[T]):
    """Remembers values by key for a moment, and who computes one that is not there yet.

    What is remembered is bounded three times: by age (a value tells how things were), by number, and by weight. A
    computation belongs to this object and not to the first who asked, whose leaving would take it from all others.
    """

    def __init__(
        self,
        *,
        max_age_seconds: float = 2.0,
        max_values: int = 1_000,
        max_weight: int = 16_000_000,
        weigh: Callable[[T], int] = lambda _: 0,
    ) -> None:
        self._max_age = max_age_seconds
        self._max_values = max_values
        self._max_weight = max_weight
        self._weigh = weigh
        self._weight = 0
        # In the order of their age: the oldest first.
        self._flights: OrderedDict[Hashable, _Flight[T]] = OrderedDict()
        self._running: set[asyncio.Task[T]] = set()
        self.computed = 0
        self.shared = 0

    async def get(self, key: Hashable, compute: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the value of the key, computed now if nobody did so a moment ago. Errors reach all who wait for it."""
        task = self._found(key)
        if task is None:
            self.computed += 1
            task = self._start(key, compute())
        else:
            self.shared += 1
            if task.done():
                return task.result()
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Forget everything and end what is under way."""
        self._flights.clear()
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _found(self, key: Hashable) -> asyncio.Task[T] | None:
        flight = self._flights.get(key)
        if flight is None:
            return None
        if asyncio.get_running_loop().time() - flight.started_at > self._max_age:
            self._drop(key)
            return None
        return flight.task

    def _start(self, key: Hashable, computation: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        loop = asyncio.get_running_loop()
        # An empty context: whatever the first who asks has bound (a request id for logs) is not of the others.
        task = loop.create_task(computation, context=Context())
        self._running.add(task)
        flight = self._flights[key] = _Flight(loop.time(), task)
        task.add_done_callback(lambda _: self._finished(key, flight))
        while self._flights and (len(self._flights) > self._max_values or self._oldest_is_stale(flight.started_at)):
            self._drop(next(iter(self._flights)))
        return task

    def _oldest_is_stale(self, now: float) -> bool:
        return now - next(iter(self._flights.values())).started_at > self._max_age

    def _finished(self, key: Hashable, flight: _Flight[T]) -> None:
        self._running.discard(flight.task)
        if self._flights.get(key) is not flight:
            return
        if flight.task.cancelled() or flight.task.exception() is not None:
            self._drop(key)
            return
        flight.weight = self._weigh(flight.task.result())
        self._weight += flight.weight
        while self._weight > self._max_weight:
            self._drop(next(iter(self._flights)))

    def _drop(self, key: Hashable) -> None:
        self._weight -= self._flights.pop(key).weight
