"""The preliminary checks, and the table of transitions that every outcome goes through."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest

from models.enums import NotificationStatus as Status
from models.enums import PreliminaryCheck
from models.states import NotificationEvent as Event
from models.states import next_notification_status
from services.notification import NotificationFacts, blocking_checks
from services.notification.checks import event_of

TODAY = date(2026, 2, 18)
SENDABLE = NotificationFacts(
    start_at=TODAY,
    siae_kind="ACI",
    is_cancellation=False,
    has_accepted_application=True,
    has_complete_identity=True,
)
EVERYTHING_WRONG = NotificationFacts(
    start_at=TODAY + timedelta(days=1),
    siae_kind="OPCS",
    is_cancellation=False,
    has_accepted_application=False,
    has_complete_identity=False,
)

# Written from the diagram of the rules, a second time: what is not here may not happen.
EXPECTED = {
    (Status.PENDING, Event.PROMOTED): Status.READY,
    (Status.PENDING, Event.HELD_BACK): Status.PENDING,
    (Status.PENDING, Event.REFUSED_LOCALLY): Status.ERROR,
    (Status.PENDING, Event.ACCEPTED): Status.SUCCESS,
    (Status.PENDING, Event.REJECTED): Status.ERROR,
    (Status.PENDING, Event.UNAVAILABLE): Status.SHOULD_RETRY,
    (Status.READY, Event.HELD_BACK): Status.PENDING,
    (Status.READY, Event.REFUSED_LOCALLY): Status.ERROR,
    (Status.READY, Event.ACCEPTED): Status.SUCCESS,
    (Status.READY, Event.REJECTED): Status.ERROR,
    (Status.READY, Event.UNAVAILABLE): Status.SHOULD_RETRY,
    (Status.SHOULD_RETRY, Event.HELD_BACK): Status.PENDING,
    (Status.SHOULD_RETRY, Event.REFUSED_LOCALLY): Status.ERROR,
    (Status.SHOULD_RETRY, Event.ACCEPTED): Status.SUCCESS,
    (Status.SHOULD_RETRY, Event.REJECTED): Status.ERROR,
    (Status.SHOULD_RETRY, Event.UNAVAILABLE): Status.SHOULD_RETRY,
    (Status.ERROR, Event.REVIVED): Status.PENDING,
    **{(status, Event.DATES_CHANGED): Status.PENDING for status in Status},
    **{(status, Event.RETRIED): Status.PENDING for status in Status},
}


@pytest.mark.parametrize(("status", "event"), list(product(Status, Event)), ids=lambda value: value.name)
def test_every_pair_of_status_and_event_leads_where_the_rules_say(status: Status, event: Event):
    assert next_notification_status(status, event) is EXPECTED.get((status, event))


def test_a_complete_approval_is_held_back_by_nothing():
    assert blocking_checks(SENDABLE, today=TODAY) == []


def test_reasons_that_heal_come_before_the_permanent_one():
    assert blocking_checks(EVERYTHING_WRONG, today=TODAY) == [
        PreliminaryCheck.STARTS_IN_FUTURE,
        PreliminaryCheck.NO_JOB_APPLICATION,
        PreliminaryCheck.INVALID_SIAE_KIND,
        PreliminaryCheck.MISSING_USER_DATA,
    ]


def test_a_cancellation_needs_no_job_application():
    cancellation = replace(EVERYTHING_WRONG, is_cancellation=True)

    assert PreliminaryCheck.NO_JOB_APPLICATION not in blocking_checks(cancellation, today=TODAY)


@pytest.mark.parametrize("kind", ["ACI", "AI", "EI", "ETTI", "EITI", "EA", "GEIQ", "EATT"])
def test_kinds_with_a_number_at_france_travail_pass(kind: str):
    assert blocking_checks(replace(SENDABLE, siae_kind=kind), today=TODAY) == []


@pytest.mark.parametrize("kind", ["OPCS", "", "ZZZ"])
def test_kinds_without_one_do_not(kind: str):
    assert blocking_checks(replace(SENDABLE, siae_kind=kind), today=TODAY) == [PreliminaryCheck.INVALID_SIAE_KIND]


@pytest.mark.parametrize("check", PreliminaryCheck)
def test_only_the_kind_of_structure_is_a_permanent_reason(check: PreliminaryCheck):
    permanent = check is PreliminaryCheck.INVALID_SIAE_KIND

    assert event_of(check) is (Event.REFUSED_LOCALLY if permanent else Event.HELD_BACK)
