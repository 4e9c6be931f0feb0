"""How much one client may take of a policy, as one process counts it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rate_limits import Limiter, Policy, Quotas, ways_in
from services.rate_limits.ways_in import FIELDS_PER_POINT, points_of


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def limiter(clock: Clock, quota: int = 6, **options: int) -> Limiter:
    return Limiter(Policy(name="tests", quota=quota), clock=clock, **options)


def test_a_whole_quota_may_be_taken_at_once_and_the_next_one_is_told_when():
    limits = limiter(Clock())

    standings = [limits.take("somebody") for _ in range(7)]

    assert [standing.remaining for standing in standings] == [5, 4, 3, 2, 1, 0, 0]
    assert [standing.retry_after for standing in standings] == [0, 0, 0, 0, 0, 0, 10]


def test_a_quota_comes_back_bit_by_bit():
    clock = Clock()
    limits = limiter(clock)
    for _ in range(6):
        limits.take("somebody")

    clock.now += 10

    assert not limits.take("somebody").is_refused
    assert limits.take("somebody").retry_after == 10


def test_who_is_refused_loses_nothing_by_asking():
    clock = Clock()
    limits = limiter(clock)
    for _ in range(20):
        limits.take("somebody")

    clock.now += 60

    assert limits.take("somebody").remaining == 5


def test_one_client_leaves_another_its_own_share():
    limits = limiter(Clock(), quota=1)

    assert not limits.take("one").is_refused
    assert limits.take("one").is_refused
    assert not limits.take("other").is_refused


def test_what_costs_more_takes_more_and_is_refused_whole():
    limits = limiter(Clock())

    assert limits.take("somebody", 4).remaining == 2
    refused = limits.take("somebody", 3)
    assert (refused.retry_after, refused.remaining) == (10, 2)
    assert limits.take("somebody", 2).remaining == 0


def test_what_costs_more_than_the_quota_takes_all_of_it():
    limits = limiter(Clock())

    assert limits.take("somebody", 600).remaining == 0
    assert limits.take("other") == limits.take("another")


def test_looking_takes_nothing():
    limits = limiter(Clock(), quota=1)

    assert not limits.look("somebody").is_refused
    assert not limits.look("somebody").is_refused
    limits.take("somebody")
    assert limits.look("somebody").retry_after == 60


def test_a_client_is_told_its_policy_and_its_standing_in_structured_fields():
    limits = Limiter(Policy(name="account", quota=100, unit="points"), clock=Clock())
    limits.take("somebody", 40)

    let_through = limits.take("somebody", 10).headers
    refused = limits.take("somebody", 60).headers

    assert let_through == {
        "RateLimit-Policy": '"account";q=100;qu="points";w=60',
        "RateLimit": '"account";r=50;t=30',
    }
    assert refused == let_through | {"Retry-After": "6"}


def test_memory_has_a_bound_and_who_owes_most_recently_is_remembered():
    clock = Clock()
    limits = limiter(clock, quota=2, most_clients=100)

    for number in range(1_000):
        limits.take(f"client {number}", 2)

    assert len(limits) <= 101
    assert limits.take("client 999").is_refused


def test_who_owes_nothing_is_forgotten_first():
    clock = Clock()
    limits = limiter(clock, quota=1, most_clients=10)
    limits.take("first")
    clock.now += 50
    for number in range(9):
        limits.take(f"client {number}")
    clock.now += 20

    limits.take("one more")

    assert len(limits) == 10 // 2 + 1
    assert limits.take("client 8").is_refused


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 30, allow_nan=False), st.integers(1, 60)), min_size=1, max_size=60),
)
def test_in_no_window_is_more_taken_than_twice_the_quota_and_never_more_at_once_than_it(
    quota: int, asked: list[tuple[float, int]]
):
    clock = Clock()
    limits = limiter(clock, quota=quota)
    taken: list[tuple[float, int]] = []

    for pause, points in asked:
        clock.now += pause
        standing = limits.take("somebody", points)
        if not standing.is_refused:
            taken.append((clock.now, min(points, quota)))
        assert 0 <= standing.remaining <= quota
        assert standing.is_refused is (standing.headers.get("Retry-After") is not None)

    for moment, _ in taken:
        assert sum(points for at, points in taken if at == moment) <= quota
        assert sum(points for at, points in taken if moment <= at < moment + 60) <= 2 * quota


@given(st.integers(1, 50), st.integers(1, 60))
def test_who_waits_as_told_is_let_through(quota: int, points: int):
    clock = Clock()
    limits = limiter(clock, quota=quota)
    limits.take("somebody", quota)

    clock.now += limits.take("somebody", points).retry_after

    assert not limits.take("somebody", points).is_refused


def test_no_two_ways_in_share_a_name():
    limits = ways_in(Quotas())

    assert len({limiter.policy.name for limiter in limits.all}) == len(limits.all) == 7


@pytest.mark.parametrize(
    ("cost", "points"), [(0, 1), (1, 1), (FIELDS_PER_POINT - 1, 1), (FIELDS_PER_POINT, 2), (20_000, 41)]
)
def test_a_costly_operation_takes_more_points(cost: int, points: int):
    assert points_of(cost) == points
