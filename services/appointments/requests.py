"""An invitation that RDV-Insertion sent: the request of the employer, and each message of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import structlog

from clients.rdv_insertion import InvitationProgress, SentInvitation, invitation_progress
from models import InvitationRequest
from models.database import write
from models.enums import InvitationKind, InvitationStatus
from services.webhooks.redrive import reopen_for_invitation_request

log = structlog.get_logger(__name__)

_KINDS = {"sms": InvitationKind.SMS, "email": InvitationKind.EMAIL, "postal": InvitationKind.POSTAL}
_STATUSES = {
    InvitationProgress.OPENED: InvitationStatus.OPENED,
    InvitationProgress.DELIVERED: InvitationStatus.DELIVERED,
    InvitationProgress.NOT_DELIVERED: InvitationStatus.NOT_DELIVERED,
    # A message of which nothing else is known was sent.
    InvitationProgress.NO_NEWS: InvitationStatus.SENT,
    InvitationProgress.UNLISTED: InvitationStatus.SENT,
}
# A message belongs to the request that it is first known with.
_KEEP = """
INSERT INTO invitation (id, invitation_request_id, kind, status, rdv_insertion_id, delivered_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id
"""


async def keep_request(
    *,
    job_seeker_id: UUID,
    company_id: UUID,
    reason_category: str,
    rdv_insertion_user_id: int,
    invitations: tuple[SentInvitation, ...],
    api_response: dict[str, Any],
    created_at: datetime,
) -> UUID:
    """Write the request and its messages, one of each kind, inside the caller's transaction. Returns its id."""
    request = await InvitationRequest.create(
        job_seeker_id=job_seeker_id,
        company_id=company_id,
        reason_category=reason_category,
        rdv_insertion_user_id=rdv_insertion_user_id,
        api_response=api_response,
        created_at=created_at,
    )
    for invitation in invitations:
        kind = _KINDS.get(invitation.format)
        if kind is None:
            # The word itself is in `api_response`: a log shows no text of theirs.
            log.error("invitation_format_unlisted", invitation_request_id=str(request.id))
            continue
        progress = invitation_progress(clicked=invitation.clicked, delivery_status=invitation.delivery_status)
        if progress is InvitationProgress.UNLISTED:
            log.error("invitation_status_unlisted", invitation_request_id=str(request.id))
        status = _STATUSES[progress].value
        await write(_KEEP, uuid4(), request.id, kind.value, status, invitation.id, invitation.delivered_at)
    return request.id


async def look_at_events_again(request_id: UUID) -> None:
    """After the commit: what RDV-Insertion said of these people and messages before we knew them. Never raises.

    The person may have booked within the seconds that their invitation needed to be recorded.
    """
    try:
        await reopen_for_invitation_request(request_id)
    except Exception as error:  # noqa: BLE001 - they are invited all the same, and a sweep looks again as well
        log.warning(
            "events_not_looked_at_again", invitation_request_id=str(request_id), error_class=type(error).__name__
        )
