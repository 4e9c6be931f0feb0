"""The circuit breaker, and above all its half-open moment."""

import pytest

from clients.breaker import Breaker, BreakerPolicy, BreakerState, Permit, Verdict
from tests.unit.clients.doubles import ManualClock

POLICY = BreakerPolicy(failures=3, open_seconds=30)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker(POLICY, clock=clock)


def admitted(breaker: Breaker) -> Permit:
    permit = breaker.admit()
    assert permit is not None
    return permit


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.settle(admitted(breaker), Verdict.FAILING)


def test_it_opens_after_the_given_number_of_failures_in_a_row(breaker: Breaker):
    fail(breaker, 2)
    assert breaker.state is BreakerState.CLOSED

    fail(breaker, 1)

    assert breaker.state is BreakerState.OPEN
    assert breaker.admit() is None
    assert breaker.seconds_closed_to_calls() == 30


def test_a_success_in_between_starts_the_count_again(breaker: Breaker):
    fail(breaker, 2)
    breaker.settle(admitted(breaker), Verdict.HEALTHY)

    fail(breaker, 2)

    assert breaker.state is BreakerState.CLOSED


def test_a_neutral_end_neither_counts_nor_resets(breaker: Breaker):
    fail(breaker, 2)
    breaker.settle(admitted(breaker), Verdict.NEUTRAL)

    fail(breaker, 1)

    assert breaker.state is BreakerState.OPEN


def test_of_twenty_calls_at_the_half_open_moment_exactly_one_goes_through(breaker: Breaker, clock: ManualClock):
    fail(breaker, 3)
    clock.advance(30)

    permits = [breaker.admit() for _ in range(20)]

    assert [permit is not None for permit in permits] == [True, *[False] * 19]
    assert breaker.seconds_closed_to_calls() == 0


def test_a_probe_that_succeeds_closes_it_for_everyone(breaker: Breaker, clock: ManualClock):
    fail(breaker, 3)
    clock.advance(30)

    breaker.settle(admitted(breaker), Verdict.HEALTHY)

    assert breaker.state is BreakerState.CLOSED
    assert all(breaker.admit() is not None for _ in range(20))


def test_a_probe_that_fails_opens_it_for_another_full_period(breaker: Breaker, clock: ManualClock):
    fail(breaker, 3)
    clock.advance(30)

    breaker.settle(admitted(breaker), Verdict.FAILING)

    assert breaker.seconds_closed_to_calls() == 30


def test_a_probe_given_up_by_its_caller_leaves_the_place_to_the_next_one(breaker: Breaker, clock: ManualClock):
    fail(breaker, 3)
    clock.advance(30)

    breaker.settle(admitted(breaker), Verdict.NEUTRAL)

    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.admit() is not None


@pytest.mark.parametrize("late", [Verdict.HEALTHY, Verdict.FAILING])
def test_a_call_from_before_the_opening_that_ends_late_has_no_say(breaker: Breaker, clock: ManualClock, late: Verdict):
    old = admitted(breaker)
    fail(breaker, 3)
    clock.advance(30)
    probe = admitted(breaker)

    breaker.settle(old, late)

    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.admit() is None  # the probe is still the only one on its way
    breaker.settle(probe, Verdict.HEALTHY)
    assert breaker.state is BreakerState.CLOSED
