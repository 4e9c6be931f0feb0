"""How long appointments are kept. RDV-Insertion forgets old ones without a word, so we must do so by ourselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from models.database import write

# Durations are microseconds. Parts and log entries go with their appointment; the place in the order of events stays,
# which names nobody: a late older event must find it. The row is locked against an event that moves it meanwhile.
_FORGET = """
DELETE FROM appointment
WHERE id IN (
    SELECT id FROM appointment
    WHERE start_at < $1 AND start_at + duration * interval '1 microsecond' < $1
    ORDER BY start_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


async def forget_old_appointments(
    kept: timedelta, *, now: datetime, batch_size: int = 500, keep_going: Callable[[], bool] = lambda: True
) -> int:
    """Delete the appointments that ended longer ago than `kept`, with who took part; return how many there were."""
    forgotten = 0
    while keep_going():
        rows = await write(_FORGET, now - kept, batch_size)
        forgotten += len(rows)
        if len(rows) < batch_size:
            break
    return forgotten
