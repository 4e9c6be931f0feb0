from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from jobs.cron import TICKS
from jobs.timetable import BOUNDS, EveryInterval, OnceInTwo, planned_crons
from services.clock import PARIS
from services.operations.crons import AtMinute

SCHEDULE = EveryInterval(interval=timedelta(minutes=5), last_hour=21)


def paris(hour: int, minute: int, day: int = 3) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=PARIS)


def test_everything_of_the_timetable_is_planned_once():
    planned = planned_crons(notification_interval=timedelta(minutes=5), notification_last_hour=21)

    assert len({cron.name for cron in planned}) == len(planned) == len(TICKS) + 1


def test_ticks_are_bounded_by_the_minute_of_a_job():
    assert {BOUNDS[tick.name] for tick in TICKS} == {timedelta(minutes=1)}


def test_notifications_follow_each_other_until_the_evening():
    assert SCHEDULE.next_after(paris(9, 0)) == paris(9, 5)
    assert SCHEDULE.next_after(paris(21, 57)) == paris(0, 0, day=4)


@pytest.mark.parametrize(
    ("now", "earliest"),
    [
        (paris(9, 0), paris(8, 50)),
        (paris(23, 0), paris(21, 50)),
        (paris(0, 5, day=4), paris(21, 50)),
        (paris(0, 10, day=4), paris(0, 0, day=4)),
    ],
)
def test_a_run_of_notifications_is_expected_within_two_intervals_of_the_day(now: datetime, earliest: datetime):
    assert SCHEDULE.last_before(now) == earliest


def test_a_tick_right_after_a_start_may_pass_without_a_run():
    hourly = OnceInTwo(AtMinute(minute=10))

    assert hourly.next_after(paris(9, 12)) == paris(10, 10)
    assert hourly.last_before(paris(9, 12)) == paris(8, 10)
