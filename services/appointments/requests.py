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
            log.error("invitation_format_unlisted", request_id=str(request.id), format=invitation.format)
            continue
        progress = invitation_progress(clicked=invitation.clicked, delivery_status=invitation.delivery_status)
        if progress is InvitationProgress.UNLISTED:
            log.error("delivery_status_unlisted", request_id=str(request.id), status=invitation.delivery_status)
        status = _STATUSES[progress].value
        await write(_KEEP, uuid4(), request.id, kind.value, status, invitation.id, invitation.delivered_at)
    return request.id
