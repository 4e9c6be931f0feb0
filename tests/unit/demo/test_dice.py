"""Days around the hour of loading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from demo.cast.dice import PARIS, Calendar, Dice

SATURDAY = datetime(2026, 2, 21, 22, 50, tzinfo=UTC)
MONDAY = datetime(2026, 2, 23, 6, 10, tzinfo=UTC)


@pytest.mark.parametrize("now", [SATURDAY, MONDAY])
@pytest.mark.parametrize("offset", range(-10, 1))
def test_an_office_hour_is_over_and_on_a_working_day(now: datetime, offset: int):
    instant = Calendar(now).office_hour(offset, Dice("test"))

    assert instant < now
    assert instant.astimezone(PARIS).weekday() < 5 or now - instant < timedelta(hours=1)


@pytest.mark.parametrize("now", [SATURDAY, MONDAY])
@pytest.mark.parametrize("offset", range(1, 11))
def test_a_slot_to_come_is_on_a_working_day_and_never_slips_into_the_past(now: datetime, offset: int):
    start_at = Calendar(now).slot(offset, Dice("test"))

    assert start_at > now
    assert start_at.astimezone(PARIS).weekday() < 5


@pytest.mark.parametrize("now", [SATURDAY, MONDAY])
def test_a_slot_of_today_is_within_the_next_hours(now: datetime):
    start_at = Calendar(now).slot(0, Dice("test"))

    assert now < start_at <= now + timedelta(hours=6)


@pytest.mark.parametrize("offset", range(-10, 0))
def test_a_slot_of_the_past_stays_there(offset: int):
    assert Calendar(SATURDAY).slot(offset, Dice("test")) < SATURDAY


def test_dice_fall_alike_for_one_subject_and_differ_for_another():
    first, second, other = Dice("one"), Dice("one"), Dice("other")

    fallen = [first.random() for _ in range(3)]

    assert fallen == [second.random() for _ in range(3)]
    assert fallen != [other.random() for _ in range(3)]
