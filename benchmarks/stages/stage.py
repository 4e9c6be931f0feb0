"""What a stage of `make bench` is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.ground import Ground, SizeName
from benchmarks.results import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One measurement. `bound`: when it is given up. `reads`: the databases of pages that it asks for.

    `run` takes the smallest shape that proves it works if told so.
    """

    name: str
    summary: str
    bound: timedelta
    run: Callable[[Ground, bool], Awaitable[Section]]
    reads: frozenset[SizeName] = frozenset()
