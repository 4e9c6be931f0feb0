"""Announce one approval now, without waiting for the next run."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from clients.france_travail import FranceTravailClient
from models import CancelledApproval
from models.enums import NotificationStatus
from services.clock import Clock, utc_now
from services.leases import DEFAULT_LEASE
from services.notification.announcing import Announcer
from services.notification.claims import Subject, claim_one


async def notify_one(
    approval_id: UUID,
    *,
    france_travail: FranceTravailClient,
    lease: timedelta = DEFAULT_LEASE,
    clock: Clock = utc_now,
    deadline: timedelta | None = None,
    trace_id: str | None = None,
) -> NotificationStatus | None:
    """Announce the approval, or its cancellation once it is cancelled, and return where that stands now.

    None: nothing is to be sent, or another worker is at it. Never raises PartnerError: here an answer is an outcome,
    and what fails is taken up by the next run. A rate limit is not waited for.
    """
    cancellation = await CancelledApproval.get_or_none(approval_id=approval_id)
    if cancellation is None:
        claim = await claim_one(Subject.APPROVAL, approval_id, lease=lease)
    else:
        claim = await claim_one(Subject.CANCELLATION, cancellation.id, lease=lease)
    if claim is None:
        return None
    announcer = Announcer(france_travail=france_travail, lease=lease, clock=clock, deadline=deadline, trace_id=trace_id)
    return (await announcer.announce(claim)).status
