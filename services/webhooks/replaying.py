"""An operator has one event processed again, after the cause of its failure was mended."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import structlog

from models.database import fetch_all, write

log = structlog.get_logger(__name__)

# One that waits for its next attempt is due at once; one that is being processed is left alone.
_REPLAY = """
UPDATE webhook_event SET status = 'received', attempts = 0, error = NULL, processed_at = NULL, next_attempt_at = NULL
WHERE id = $1 AND body IS NOT NULL AND error IS DISTINCT FROM 'unknown_model'
    AND (lease_until IS NULL OR lease_until < clock_timestamp())
RETURNING id
"""
_READ = "SELECT body IS NULL AS is_purged, error FROM webhook_event WHERE id = $1"


class Replay(StrEnum):
    """What came of it."""

    DUE = "due"
    NOT_FOUND = "not_found"
    PURGED = "purged"
    UNKNOWN_MODEL = "unknown_model"
    UNDER_WAY = "under_way"


async def replay(event_id: UUID, *, by: UUID | None, now: datetime) -> Replay:
    """Make the event due. It is compared with what was applied since, as any event: an old one changes nothing."""
    if await write(_REPLAY, event_id):
        log.info("webhook_event_replayed", event_id=str(event_id), by=str(by), at=now.isoformat())
        return Replay.DUE
    rows = await fetch_all(_READ, event_id)
    if not rows:
        return Replay.NOT_FOUND
    if rows[0]["is_purged"]:
        return Replay.PURGED
    return Replay.UNKNOWN_MODEL if rows[0]["error"] == "unknown_model" else Replay.UNDER_WAY
