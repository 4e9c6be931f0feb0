"""Figures that take long to find out, and are the same for whoever looks: found out once for all who ask meanwhile.

A figure that took long is remembered for some times as long as it took, never for more than a few seconds: many open
pages cost what one does, and a small database is read anew each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

_QUICK_SECONDS = 0.05
_TIMES_AS_LONG = 20
_LONGEST_SECONDS = 10.0


@dataclass(slots=True)
class _Figure:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    value: Any = None
    good_until: float = 0.0


class Memory:
    """One for a process. `clock` in seconds. Keys are few: kinds of figures and windows of time."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._figures: dict[Hashable, _Figure] = {}

    async def recall(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """Return what is remembered, or what `read` returns. What it raises is raised, and not remembered."""
        figure = self._figures.setdefault(key, _Figure())
        async with figure.lock:
            begun = self._clock()
            if begun < figure.good_until:
                return figure.value
            value = await read()
            took = self._clock() - begun
            kept = min(took * _TIMES_AS_LONG, _LONGEST_SECONDS) if took > _QUICK_SECONDS else 0.0
            figure.value, figure.good_until = value, begun + took + kept
            return value
