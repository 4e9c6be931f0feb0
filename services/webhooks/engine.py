"""Working off the inbox: batches of claimed events, a few resources at a time, until nothing is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import assert_never

from services.clock import Clock, utc_now
from services.webhooks.claims import Resource, claim, release
from services.webhooks.outcomes import Applied, Failed, Ignored, Outcome, Unmatched
from services.webhooks.processing import (
    EVENTS_TOGETHER,
    Accident,
    Appliers,
    Settled,
    process_due,
    process_together,
)

BATCH_SIZE = 100
AT_ONCE = 4
"""Transactions that one worker has open: each takes a connection of its pool."""
TOGETHER = 10
"""Resources in one transaction."""
LEASE = timedelta(seconds=30)
"""What a killed worker had claimed waits for this long: not much longer than a transaction may take."""


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
    together: int = TOGETHER,
    lease: timedelta = LEASE,
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
            groups = _groups(batch.resources, together)
            async with asyncio.TaskGroup() as tasks:
                for _ in range(at_once):
                    tasks.create_task(_work_through(groups, appliers, summary, clock, keep_going))
        finally:
            await release(batch.token)
    return summary


def _groups(resources: Sequence[Resource], size: int) -> Iterator[Sequence[Resource]]:
    return (resources[start : start + size] for start in range(0, len(resources), size))


async def _work_through(
    groups: Iterator[Sequence[Resource]],
    appliers: Appliers,
    summary: InboxSummary,
    clock: Clock,
    keep_going: Callable[[], bool],
) -> None:
    for group in groups:
        if len(group) == 1 or not await _work_together(group, appliers, summary, clock, keep_going):
            for resource in group:
                await _work_alone(resource, appliers, summary, clock, keep_going)


async def _work_together(
    group: Sequence[Resource],
    appliers: Appliers,
    summary: InboxSummary,
    clock: Clock,
    keep_going: Callable[[], bool],
) -> bool:
    """False: something is wrong with one of them."""
    while keep_going():
        settled = await process_together(group, appliers, clock=clock)
        if settled is None:
            return False
        summary.count(settled)
        if len(settled.outcomes) < EVENTS_TOGETHER:
            break
    return True


async def _work_alone(
    resource: Resource, appliers: Appliers, summary: InboxSummary, clock: Clock, keep_going: Callable[[], bool]
) -> None:
    while keep_going():
        result = await process_due(resource, appliers, clock=clock)
        if result is None:
            return
        summary.count(result)
        # After an accident, the other events are still due.
        if isinstance(result, Settled) and len(result.outcomes) < EVENTS_TOGETHER:
            return
