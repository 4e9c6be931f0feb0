"""Transition tables: what may follow what. Services ask these tables before they write a state.

Source of the notification table: the platform's rules for announcing a PASS IAE to France Travail.
"""

from __future__ import annotations

from enum import StrEnum

from models.enums import NotificationStatus as Status


class NotificationEvent(StrEnum):
    """What may happen to a notification."""

    PROMOTED = "promoted"  # every preliminary check passes: it can be sent
    HELD_BACK = "held_back"  # a check that can heal by itself does not pass
    REFUSED_LOCALLY = "refused_locally"  # a check that cannot heal by itself does not pass
    ACCEPTED = "accepted"  # France Travail took it
    REJECTED = "rejected"  # France Travail, or the search before, answered with a business code
    UNAVAILABLE = "unavailable"  # network, deadline, 4xx, 5xx, rate limit, token
    REVIVED = "revived"  # the person has since been certified
    DATES_CHANGED = "dates_changed"  # done by the database (trigger on approval)
    RETRIED = "retried"  # asked for by staff


SENDABLE = frozenset({Status.PENDING, Status.READY, Status.SHOULD_RETRY})

NOTIFICATION_TRANSITIONS: dict[tuple[Status, NotificationEvent], Status] = {
    (Status.PENDING, NotificationEvent.PROMOTED): Status.READY,
    (Status.ERROR, NotificationEvent.REVIVED): Status.PENDING,
    # Staff may have anything tried again, a success included (France Travail may have lost it).
    **{(status, NotificationEvent.RETRIED): Status.PENDING for status in Status},
    **{(status, NotificationEvent.DATES_CHANGED): Status.PENDING for status in Status},
    **{(status, NotificationEvent.HELD_BACK): Status.PENDING for status in SENDABLE},
    **{(status, NotificationEvent.REFUSED_LOCALLY): Status.ERROR for status in SENDABLE},
    **{(status, NotificationEvent.ACCEPTED): Status.SUCCESS for status in SENDABLE},
    **{(status, NotificationEvent.REJECTED): Status.ERROR for status in SENDABLE},
    **{(status, NotificationEvent.UNAVAILABLE): Status.SHOULD_RETRY for status in SENDABLE},
}


def next_notification_status(status: Status, event: NotificationEvent) -> Status | None:
    """Return the status that `event` leads to, or None when it may not happen in `status`."""
    return NOTIFICATION_TRANSITIONS.get((status, event))
