"""Events of invitations: whether the message arrived and was opened.

An event may say nothing new. The status is that of the newest event that said something, and the date of delivery is
never erased: so the order in which events come makes no difference, nor does one that tells less than those before it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog

from clients.rdv_insertion import (
    Envelope,
    EventRank,
    InvitationProgress,
    UnreadableEvent,
    invitation_progress,
    read_invitation,
)
from models.database import fetch_all, write
from models.enums import InvitationStatus
from services.appointments.statuses import loggable
from services.webhooks.outcomes import Applied, Failed, Ignored, Outcome, Unmatched

UNREADABLE = "unreadable"
UNKNOWN_INVITATION = "unknown_invitation"
STALE = "stale"

_STATUSES = {
    InvitationProgress.OPENED: InvitationStatus.OPENED,
    InvitationProgress.DELIVERED: InvitationStatus.DELIVERED,
    InvitationProgress.NOT_DELIVERED: InvitationStatus.NOT_DELIVERED,
}
_READ = """
SELECT id, delivered_at, applied_event_at, applied_event_rank, applied_event_fingerprint
FROM invitation WHERE rdv_insertion_id = $1
"""
_KEEP_STATUS = """
UPDATE invitation SET status = $2, delivered_at = greatest(delivered_at, $3), applied_event_at = $4,
    applied_event_rank = $5, applied_event_fingerprint = $6
WHERE id = $1
"""
# A message is delivered once; should two dates ever be told, the later one stays, whichever event comes first.
_KEEP_DELIVERY = "UPDATE invitation SET delivered_at = greatest(delivered_at, $2) WHERE id = $1"

log = structlog.get_logger(__name__)


async def apply_invitation_event(envelope: Envelope, body: bytes) -> Outcome:
    """Take the news of a message of ours. Unmatched is normal: RDV-Insertion sends reminders that we never hear of."""
    try:
        news = read_invitation(body)
    except UnreadableEvent as unreadable:
        log.error("invitation_event_unreadable", invitation=envelope.resource_id, where=unreadable.where)  # noqa: TRY400
        return Failed(UNREADABLE)
    rows = await fetch_all(_READ, envelope.resource_id)
    if not rows:
        return Unmatched(UNKNOWN_INVITATION)
    if envelope.rank is EventRank.DESTROYED:
        return Applied()  # that it was sent, and what came of it, remains true
    if news.has_unreadable_date:
        log.error("invitation_date_unreadable", invitation=envelope.resource_id)
    progress = invitation_progress(clicked=news.clicked, delivery_status=news.delivery_status)
    if progress is InvitationProgress.UNLISTED:
        log.error(
            "invitation_status_unlisted", invitation=envelope.resource_id, status=loggable(news.delivery_status or "")
        )
    return await _keep(envelope, rows[0], _STATUSES.get(progress), news.delivered_at)


async def _keep(
    envelope: Envelope, row: Any, status: InvitationStatus | None, delivered_at: datetime | None
) -> Outcome:
    order = (envelope.at, int(envelope.rank), envelope.fingerprint)
    known = (row["applied_event_at"], row["applied_event_rank"], row["applied_event_fingerprint"])
    is_stale = known[0] is not None and order < known
    if status is not None and not is_stale:
        await write(_KEEP_STATUS, row["id"], status.value, delivered_at, *order)
        return Applied()
    if delivered_at is not None and (row["delivered_at"] is None or row["delivered_at"] < delivered_at):
        await write(_KEEP_DELIVERY, row["id"], delivered_at)
        return Applied()
    return Ignored(STALE) if is_stale else Applied()
