"""What the notification tests share: rows in a given state, and what can be read of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, cast

import orjson
import respx
from respx.models import Call

from clients.france_travail import FranceTravailClient
from models import Approval, CancelledApproval, JobSeekerProfile, NotificationAttempt, User
from models.enums import NotificationEndpoint, NotificationStatus
from services.approvals import cancel_approval
from services.notification import BatchSummary, notify_batch, notify_one
from tests.conftest import NOW
from tests.factories import make_approval, make_job_seeker
from tests.integration.services.conftest import Sleeps, TickingClock

KNOWN_ID = "identifier-known-before"
Notified = Approval | CancelledApproval


async def make_known_job_seeker(**values: Any) -> User:
    """A job seeker whom France Travail has recognised before."""
    return await make_job_seeker(profile={"pe_obfuscated_nir": KNOWN_ID}, **values)


async def make_sendable(status: NotificationStatus = NotificationStatus.READY, **values: Any) -> Approval:
    """An approval that only needs the update call."""
    job_seeker = values.pop("job_seeker", None) or await make_known_job_seeker()
    return await make_approval(job_seeker, pe_notification_status=status, **values)


async def make_cancellation(
    status: NotificationStatus = NotificationStatus.PENDING, **values: Any
) -> CancelledApproval:
    approval = await make_sendable(**values)
    outcome = await cancel_approval(approval.id, now=NOW)
    assert isinstance(outcome, Approval)
    await CancelledApproval.filter(approval_id=approval.id).update(pe_notification_status=status)
    return await CancelledApproval.get(approval_id=approval.id)


async def profile_of(job_seeker_id: Any) -> JobSeekerProfile:
    return await JobSeekerProfile.get(user_id=job_seeker_id)


async def state_of(
    row: Notified,
) -> tuple[NotificationStatus, datetime | None, NotificationEndpoint | None, str | None]:
    """The four notification fields as the database has them now."""
    await row.refresh_from_db()
    return (
        row.pe_notification_status,
        row.pe_notification_time,
        row.pe_notification_endpoint,
        row.pe_notification_exit_code,
    )


async def status_of(row: Notified) -> NotificationStatus:
    return (await state_of(row))[0]


async def is_leased(row: Notified) -> bool:
    await row.refresh_from_db()
    return row.lease_token is not None


async def attempts_of(row: Notified) -> list[NotificationAttempt]:
    """Oldest first."""
    column = "approval_id" if isinstance(row, Approval) else "cancelled_approval_id"
    return await NotificationAttempt.filter(**{column: row.id}).order_by("started_at", "id")


def numbers_told(route: respx.Route) -> list[str]:
    """The approval numbers of the update calls, in their order."""
    calls = cast("list[Call]", route.calls)
    return [orjson.loads(call.request.content)["numPassIAE"] for call in calls]


def days_ago(days: int) -> date:
    return NOW.date() - timedelta(days=days)


async def notify(approval: Approval, france_travail: FranceTravailClient) -> NotificationStatus | None:
    return await notify_one(approval.id, france_travail=france_travail, clock=lambda: NOW)


async def run(france_travail: FranceTravailClient, clock: TickingClock, **values: Any) -> BatchSummary:
    defaults: dict[str, Any] = {"france_travail": france_travail, "clock": clock, "sleep": Sleeps()}
    return await notify_batch(**(defaults | values))
