"""What the tests of operations share: operators, failed notifications, received events."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import orjson

from models import Approval, NotificationAttempt, User, WebhookEvent
from models.enums import Delivery, NotificationEndpoint, NotificationStatus, Partner, UserKind, WebhookEventStatus
from tests.factories import NOW, make_approval, make_user

_numbers = count(1)

LATER = NOW + timedelta(hours=1)
REASON = "Incident clos chez le partenaire"


async def make_operator() -> User:
    return await make_user(UserKind.STAFF, first_name="Opale", last_name="Fictive")


async def make_refused(code: str = "S008", *, at: datetime = NOW, **values: Any) -> Approval:
    """An approval that France Travail refused, with the attempt."""
    status = values.pop("status", NotificationStatus.ERROR)
    approval = await make_approval(
        accepted_application=False,
        pe_notification_status=status,
        pe_notification_endpoint=NotificationEndpoint.MISE_A_JOUR_PASS_IAE,
        pe_notification_exit_code=code,
        pe_notification_time=at,
        **values,
    )
    await make_attempt(approval.id, at=at, exit_code=code, outcome=status)
    return approval


async def make_attempt(approval_id: UUID, *, at: datetime = NOW, **values: Any) -> NotificationAttempt:
    defaults: dict[str, Any] = {
        "finished_at": at + timedelta(milliseconds=800),
        "duration_ms": 800,
        "endpoint": NotificationEndpoint.MISE_A_JOUR_PASS_IAE,
        "outcome": NotificationStatus.SUCCESS,
        "delivery": Delivery.ACCEPTED,
    }
    return await NotificationAttempt.create(approval_id=approval_id, started_at=at, **(defaults | values))


async def make_event(
    status: WebhookEventStatus = WebhookEventStatus.FAILED, *, at: datetime = NOW, **values: Any
) -> WebhookEvent:
    number = next(_numbers)
    is_open = status is WebhookEventStatus.RECEIVED
    defaults: dict[str, Any] = {
        "source": Partner.RDV_INSERTION,
        "fingerprint": f"{number:064d}",
        "arrival": 1_000_000 + number,
        "model": "rdv",
        "event": "updated",
        "resource_id": str(number),
        "body": orjson.dumps({"data": {"id": number, "users": [{"first_name": "Zélie"}]}}).decode(),
        "attempts": 0 if is_open else 3,
        "error": "KeyError" if status is WebhookEventStatus.FAILED else None,
        "processed_at": None if is_open else at + timedelta(seconds=2),
    }
    return await WebhookEvent.create(status=status, received_at=at, **(defaults | values))
