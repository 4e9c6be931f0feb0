"""Working off the inbox: batches of claimed events, a few resources at a time, until nothing is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import assert_never

from services.clock import Clock, utc_now
from services.leases import DEFAULT_LEASE
from services.webhooks.claims import Resource, claim, release
from services.webhooks.outcomes import Applied, Failed, Ignored, Outcome, Unmatched
from services.webhooks.processing import Accident, Appliers, Settled, process_due

BATCH_SIZE = 100
AT_ONCE = 4
"""Resources that one worker works at: each takes a connection of its pool."""


@dataclass(slots=True, kw_only=True)
class InboxSummary:
    """How many events came to what."""

    processed: int = 0
    ignored: int = 0
    unmatched: int = 0
    failed: int = 0
    postponed: int = 0

    @property
    def total(self) -> int:
        return sum(asdict(self).values())

    def as_json(self) -> dict[str, int]:
        return asdict(self)

    def count(self, result: Settled | Accident) -> None:
        if isinstance(result, Accident):
            if result.is_final:
                self.failed += 1
            else:
                self.postponed += 1
            return
        for outcome in result.outcomes:
            self._count_outcome(outcome)

    def _count_outcome(self, outcome: Outcome) -> None:
        match outcome:
            case Applied():
                self.processed += 1
            case Ignored():
                self.ignored += 1
            case Unmatched():
                self.unmatched += 1
            case Failed():
                self.failed += 1
            case _:
                assert_never(outcome)


async def work_off(
    appliers: Appliers,
    *,
    clock: Clock = utc_now,
    batch_size: int = BATCH_SIZE,
    at_once: int = AT_ONCE,
    lease: timedelta = DEFAULT_LEASE,
    keep_going: Callable[[], bool] = lambda: True,
) -> InboxSummary:
    """Process what is due, until nothing is. Safe in any number of workers at once.

    Events of a source without an applier stay where they are. `keep_going` is asked before each transaction. Raises
    what PostgreSQL's absence raises; what was claimed by then is free again at once, or when the lease runs out.
    """
    summary = InboxSummary()
    while keep_going():
        batch = await claim(tuple(appliers), now=clock(), size=batch_size, lease=lease)
        if not batch.resources:
            break
        try:
            resources = iter(batch.resources)
            async with asyncio.TaskGroup() as group:
                for _ in range(min(at_once, len(batch.resources))):
                    group.create_task(_work_through(resources, appliers, summary, clock, keep_going))
        finally:
            await release(batch.token)
    return summary


async def _work_through(
    resources: Iterator[Resource],
    appliers: Appliers,
    summary: InboxSummary,
    clock: Clock,
    keep_going: Callable[[], bool],
) -> None:
    for resource in resources:
        while keep_going():
            result = await process_due(resource, appliers, clock=clock)
            if result is None:
                break
            summary.count(result)
