"""When a run of notifications needs somebody to look at it."""

from __future__ import annotations

import pytest

from models.enums import NotificationStatus as Status
from services.notification import Alarm, BatchStop, BatchSummary
from services.notification.announcing import Announced


def summary_of(batch_size: int, *statuses: Status, stop: BatchStop | None = None) -> BatchSummary:
    summary = BatchSummary(batch_size=batch_size)
    for number, status in enumerate(statuses, start=1):
        summary.add(Announced(status=status, stops_batch=stop if number == len(statuses) else None))
    return summary


@pytest.mark.parametrize(
    ("status", "alarm"),
    [
        (Status.ERROR, Alarm.ALL_ERROR),
        (Status.SHOULD_RETRY, Alarm.ALL_SHOULD_RETRY),
        (Status.SUCCESS, None),
        (Status.PENDING, None),
    ],
)
def test_a_full_batch_that_ends_all_alike_is_an_alarm_when_nothing_got_through(status: Status, alarm: Alarm | None):
    assert summary_of(3, status, status, status).alarm is alarm


def test_a_smaller_batch_or_a_mix_is_none():
    assert summary_of(4, *[Status.ERROR] * 3).alarm is None
    assert summary_of(3, Status.ERROR, Status.ERROR, Status.SHOULD_RETRY).alarm is None
    assert summary_of(3, Status.SHOULD_RETRY, Status.SHOULD_RETRY, Status.SUCCESS).alarm is None


def test_many_attempts_without_a_success_are_an_alarm_whatever_the_batch():
    mixed = [Status.ERROR, Status.SHOULD_RETRY] * 10

    assert summary_of(140, *mixed).alarm is Alarm.NO_SUCCESS
    assert summary_of(140, *mixed[1:]).alarm is None
    assert summary_of(140, *mixed, Status.SUCCESS).alarm is None


def test_a_refused_configuration_is_an_alarm_from_the_first_record_on():
    assert summary_of(140, Status.SHOULD_RETRY, stop=BatchStop.CONFIGURATION).alarm is Alarm.CONFIGURATION
    assert summary_of(140, Status.SHOULD_RETRY, stop=BatchStop.RATE_LIMITED).alarm is None


def test_an_empty_run_is_silent():
    assert summary_of(140).alarm is None


def test_a_record_lost_to_another_worker_is_counted_apart():
    summary = BatchSummary(batch_size=10)

    summary.add(Announced(status=None))

    assert (summary.attempted, summary.lost, summary.room) == (1, 1, 9)
    assert summary.as_json()["lost"] == 1
