"""How far back the logs go: entries are deleted by age, and each log knows up to where."""

from __future__ import annotations

from datetime import datetime

from models.database import fetch_all
from services.event_log.entries import Stream
from services.event_log.reading import know_stream

# The oldest by position, so that no index on the time is needed: writers say what time it is, and one whose clock is
# ahead only keeps its entries a little longer. What was deleted is noted in the same statement, so that a reader sees
# both or none.
_PURGE = """
WITH deleted AS (
    DELETE FROM {table} WHERE position IN (
        SELECT position FROM (
            SELECT position, occurred_at FROM {table} ORDER BY position LIMIT $3
        ) AS oldest WHERE occurred_at < $2
    ) RETURNING position
), noted AS (
    UPDATE event_stream
    SET purged_through = greatest(purged_through, (SELECT coalesce(max(position), 0) FROM deleted))
    WHERE name = $1 AND EXISTS (SELECT FROM deleted)
)
SELECT count(*) AS number FROM deleted
"""
_BATCH_SIZE = 5_000


async def purge_logs(*, before: datetime, batch_size: int = _BATCH_SIZE) -> dict[Stream, int]:
    """Delete what happened before that time, and return how many entries of each log that was."""
    return {stream: await _purge(stream, before, batch_size) for stream in Stream}


async def _purge(stream: Stream, before: datetime, batch_size: int) -> int:
    # A log that nobody has followed yet has nothing noted, and a cursor that is given out later must be right.
    await know_stream(stream)
    total = 0
    while True:
        deleted = (await fetch_all(_PURGE.format(table=stream), stream.value, before, batch_size))[0]["number"]
        total += deleted
        if deleted < batch_size:
            return total
