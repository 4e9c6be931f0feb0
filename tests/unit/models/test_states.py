"""The table of a notification's life: its shape, and what must never follow what."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from models.enums import NotificationStatus as Status
from models.states import NOTIFICATION_TRANSITIONS, NotificationEvent, next_notification_status

ALWAYS = frozenset(Status)
SENDABLE = frozenset({Status.PENDING, Status.READY, Status.SHOULD_RETRY})

# What each event asks of the status before, and what it leaves. Written apart from the table it is compared with.
EXPECTED: dict[NotificationEvent, tuple[frozenset[Status], Status]] = {
    NotificationEvent.PROMOTED: (frozenset({Status.PENDING}), Status.READY),
    NotificationEvent.REVIVED: (frozenset({Status.ERROR}), Status.PENDING),
    NotificationEvent.RETRIED: (ALWAYS, Status.PENDING),
    NotificationEvent.DATES_CHANGED: (ALWAYS, Status.PENDING),
    NotificationEvent.HELD_BACK: (SENDABLE, Status.PENDING),
    NotificationEvent.REFUSED_LOCALLY: (SENDABLE, Status.ERROR),
    NotificationEvent.ACCEPTED: (SENDABLE, Status.SUCCESS),
    NotificationEvent.REJECTED: (SENDABLE, Status.ERROR),
    NotificationEvent.UNAVAILABLE: (SENDABLE, Status.SHOULD_RETRY),
}


def test_every_event_is_described():
    assert EXPECTED.keys() == set(NotificationEvent)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("event", NotificationEvent)
def test_an_event_leads_where_it_is_described_to_and_nowhere_else(status: Status, event: NotificationEvent):
    allowed_from, after = EXPECTED[event]

    assert next_notification_status(status, event) is (after if status in allowed_from else None)


def reachable(start: Status, events: Iterable[NotificationEvent]) -> set[Status]:
    events = set(events)
    seen = {start}
    while True:
        found = {
            after for (before, event), after in NOTIFICATION_TRANSITIONS.items() if before in seen and event in events
        }
        if found <= seen:
            return seen
        seen |= found


def test_what_was_announced_or_refused_is_not_sent_again_by_partner_answers_alone():
    answers = {NotificationEvent.ACCEPTED, NotificationEvent.REJECTED, NotificationEvent.UNAVAILABLE}

    assert reachable(Status.SUCCESS, answers) == {Status.SUCCESS}
    assert reachable(Status.ERROR, answers) == {Status.ERROR}


def test_an_error_heals_only_by_a_new_id_new_dates_or_staff():
    healing = {event for (before, event) in NOTIFICATION_TRANSITIONS if before is Status.ERROR}

    assert healing == {NotificationEvent.REVIVED, NotificationEvent.DATES_CHANGED, NotificationEvent.RETRIED}


@pytest.mark.parametrize("status", Status)
def test_no_status_is_a_dead_end(status: Status):
    assert reachable(status, NotificationEvent) == set(Status)
