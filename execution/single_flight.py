"""One computation for all who ask for the same thing at about the same time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    started_at: float
    task: asyncio.Task[T]
    weight: int = 0
    waiters: list[asyncio.Future[T]] = field(default_factory=list[asyncio.Future[T]])


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
        flight = self._found(key)
        if flight is None:
            self.computed += 1
            flight = self._start(key, compute())
        else:
            self.shared += 1
            if flight.task.done():
                return flight.task.result()
        # As `asyncio.shield` does it, with one callback for all who wait instead of two for each.
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        flight.waiters.append(waiter)
        return await waiter

    async def aclose(self) -> None:
        """Forget everything and end what is under way."""
        self._flights.clear()
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _found(self, key: Hashable) -> _Flight[T] | None:
        flight = self._flights.get(key)
        if flight is None:
            return None
        if asyncio.get_running_loop().time() - flight.started_at > self._max_age:
            self._drop(key)
            return None
        return flight

    def _start(self, key: Hashable, computation: Coroutine[Any, Any, T]) -> _Flight[T]:
        loop = asyncio.get_running_loop()
        # An empty context: whatever the first who asks has bound (a request id for logs) is not of the others.
        task = loop.create_task(computation, context=Context())
        self._running.add(task)
        flight = self._flights[key] = _Flight(loop.time(), task)
        task.add_done_callback(lambda _: self._finished(key, flight))
        while self._flights and (len(self._flights) > self._max_values or self._oldest_is_stale(flight.started_at)):
            self._drop(next(iter(self._flights)))
        return flight

    def _oldest_is_stale(self, now: float) -> bool:
        return now - next(iter(self._flights.values())).started_at > self._max_age

    def _finished(self, key: Hashable, flight: _Flight[T]) -> None:
        self._running.discard(flight.task)
        _tell(flight)
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


def _tell(flight: _Flight[T]) -> None:
    """Give what came of a computation to all who still wait for it."""
    waiters, flight.waiters = flight.waiters, []
    # Asked even if nobody waits any more: asyncio complains of errors that nobody looked at.
    error = None if flight.task.cancelled() else flight.task.exception()
    for waiter in waiters:
        if waiter.done():
            continue  # cancelled: nobody waits
        if flight.task.cancelled():
            waiter.cancel()
        elif error is not None:
            waiter.set_exception(error)
        else:
            waiter.set_result(flight.task.result())
