"""Which stored events one worker takes next, and the lease under which it works them off.

The lease keeps workers out of each other's way and counts how often an event was begun. What keeps two of them from
applying one event is the lock of its resource; see processing.py.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from models.database import write
from models.enums import Partner, WorkQueue
from services.pauses import NOT_PAUSED_PARTNER, not_paused

# Times of leases are the database's, of attempts the caller's: the latter are compared with what the caller wrote.
_CLAIM = f"""
WITH due AS (
    SELECT id FROM webhook_event
    WHERE {not_paused(WorkQueue.WEBHOOKS)} AND {NOT_PAUSED_PARTNER.format(partner="source")}
        AND status = 'received' AND source = ANY ($3::text[])
        AND (next_attempt_at IS NULL OR next_attempt_at <= $4)
        AND (lease_until IS NULL OR lease_until < clock_timestamp())
    ORDER BY arrival LIMIT $5 FOR UPDATE SKIP LOCKED
)
UPDATE webhook_event AS claimed
SET lease_token = $1, lease_until = clock_timestamp() + $2::interval, attempts = attempts + 1
FROM due WHERE claimed.id = due.id
RETURNING claimed.arrival, claimed.source, claimed.model, claimed.resource_id
"""
# What was claimed and never begun was no attempt.
_RELEASE = """
UPDATE webhook_event SET lease_token = NULL, lease_until = NULL, attempts = attempts - 1
WHERE lease_token = $1 AND status = 'received' RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What events are about: one appointment, one invitation, one survey. `id` is the partner's."""

    source: Partner
    model: str
    id: str

    @property
    def lock_key(self) -> str:
        return f"webhook:{self.source.value}:{self.model}:{self.id}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Resources with claimed events, in the order in which the first of these arrived."""

    token: UUID
    resources: tuple[Resource, ...]


async def claim(sources: Collection[Partner], *, now: datetime, size: int, lease: timedelta) -> Batch:
    """Take the events that are due and that nobody holds, those that wait the longest first. Empty: there are none."""
    token = uuid4()
    rows = await write(_CLAIM, token, lease, [source.value for source in sources], now, size)
    found = {
        Resource(source=Partner(row["source"]), model=row["model"], id=row["resource_id"]): None
        for row in sorted(rows, key=lambda row: row["arrival"])
    }
    return Batch(token, tuple(found))


async def release(token: UUID) -> int:
    """Give back what was claimed and not begun, so that another worker need not wait for the lease to run out."""
    return len(await write(_RELEASE, token))
