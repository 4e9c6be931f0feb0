"""How long the bodies of webhooks are kept: they hold data of people whom nobody here follows.

What stays of an event is its numbers, its times and its outcome, until services/privacy/retention.py forgets it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.database import write

# In steps, so that no lock is held for long. What is still to be processed keeps its body, however old it is.
_PURGE = """
UPDATE webhook_event SET body = NULL
WHERE id IN (
    SELECT id FROM webhook_event
    WHERE body IS NOT NULL AND (
        status IN ('processed', 'ignored') AND received_at < $1
        OR status IN ('unmatched', 'failed') AND received_at < $2
    )
    ORDER BY received_at LIMIT $3
)
AND status <> 'received'
RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """From the reception on. `waiting`: of events that found no match, or failed and wait for an operator."""

    settled: timedelta = timedelta(days=30)
    waiting: timedelta = timedelta(days=90)


async def purge_bodies(
    retention: Retention, *, now: datetime, batch_size: int = 1_000, keep_going: Callable[[], bool] = lambda: True
) -> int:
    """Delete the bodies whose time is over and return how many there were."""
    purged = 0
    while keep_going():
        rows = await write(_PURGE, now - retention.settled, now - retention.waiting, batch_size)
        purged += len(rows)
        if len(rows) < batch_size:
            break
    return purged
