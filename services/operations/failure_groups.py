"""Failures that are alike, together: one cause, mended once, has all of them tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.database import fetch_all
from models.enums import NotificationEndpoint, NotificationStatus, Partner
from services.operations.notifications import ACTIVITY, label_of

GROUPS_SHOWN = 50
SINCE = timedelta(days=30)

# Refused and held back notifications keep their code; of those that are to be tried again the last attempt has it.
_NOTIFICATIONS = f"""
WITH stopped AS (
    SELECT pe_notification_status AS status, pe_notification_endpoint AS endpoint, pe_notification_exit_code AS code,
        {ACTIVITY} AS seen_at
    FROM approval WHERE cancelled_at IS NULL AND pe_notification_exit_code IS NOT NULL
        AND pe_notification_status IN ('notification_error', 'notification_pending') AND {ACTIVITY} >= $1
    UNION ALL
    SELECT pe_notification_status, pe_notification_endpoint, pe_notification_exit_code, {ACTIVITY}
    FROM cancelled_approval WHERE pe_notification_exit_code IS NOT NULL
        AND pe_notification_status IN ('notification_error', 'notification_pending') AND {ACTIVITY} >= $1
    UNION ALL
    SELECT 'notification_should_retry', last.endpoint, coalesce(last.exit_code, 'http_' || last.http_status),
        last.started_at
    FROM (
        SELECT id FROM approval WHERE pe_notification_status = 'notification_should_retry' AND cancelled_at IS NULL
        ORDER BY {ACTIVITY} DESC, id DESC LIMIT 2000
    ) AS waiting
    CROSS JOIN LATERAL (
        SELECT endpoint, exit_code, http_status, started_at FROM notification_attempt
        WHERE approval_id = waiting.id ORDER BY started_at DESC, id DESC LIMIT 1
    ) AS last
    WHERE last.started_at >= $1
)
SELECT status, endpoint, code, count(*)::int AS number, min(seen_at) AS first_seen_at, max(seen_at) AS last_seen_at
FROM stopped GROUP BY status, endpoint, code ORDER BY number DESC, last_seen_at DESC LIMIT {GROUPS_SHOWN}
"""
_WEBHOOKS = f"""
SELECT source, model, error, count(*)::int AS number, min(received_at) AS first_seen_at,
    max(received_at) AS last_seen_at
FROM webhook_event WHERE status = 'failed' AND received_at >= $1
GROUP BY source, model, error ORDER BY number DESC, last_seen_at DESC LIMIT {GROUPS_SHOWN}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationGroup:
    """Notifications that stand where they stand for one reason. `first_seen_at`: the last attempt of the oldest one.

    Of those to be tried again the 2 000 latest are looked at, and `code` is that of their last attempt.
    """

    status: NotificationStatus
    endpoint: NotificationEndpoint | None
    code: str | None
    label: str | None
    number: int
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookGroup:
    """Events of one source and model that were given up with one error."""

    source: Partner
    model: str | None
    error: str | None
    number: int
    first_seen_at: datetime
    last_seen_at: datetime


async def group_notifications(*, now: datetime, since: timedelta = SINCE) -> tuple[NotificationGroup, ...]:
    """Return the largest groups first; one statement."""
    return tuple(_notification(row) for row in await fetch_all(_NOTIFICATIONS, now - since))


async def group_webhooks(*, now: datetime, since: timedelta = SINCE) -> tuple[WebhookGroup, ...]:
    """Return the largest groups first; one statement."""
    return tuple(
        WebhookGroup(
            source=Partner(row["source"]),
            model=row["model"],
            error=row["error"],
            number=row["number"],
            first_seen_at=row["first_seen_at"],
            last_seen_at=row["last_seen_at"],
        )
        for row in await fetch_all(_WEBHOOKS, now - since)
    )


def _notification(row: Any) -> NotificationGroup:
    return NotificationGroup(
        status=NotificationStatus(row["status"]),
        endpoint=NotificationEndpoint(row["endpoint"]) if row["endpoint"] else None,
        code=row["code"],
        label=label_of(row["endpoint"], row["code"]),
        number=row["number"],
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
    )
