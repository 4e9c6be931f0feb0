"""What a process notes of its partners: minutes, durations, breakers; and what of it is still to be written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clients.breaker import BreakerState
from clients.observer import CallOutcome
from services.partner_health import CallRecorder
from services.partner_health.reading import percentile
from services.partner_health.recording import BOUNDS_MS, Minute, worst

START = datetime(2026, 2, 18, 9, 30, 20, tzinfo=UTC)
MINUTE = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)


class Time:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Client:
    """Has breakers in the states that a test puts there."""

    def __init__(self, **states: BreakerState) -> None:
        self.states = states

    def breaker_states(self) -> dict[str, BreakerState]:
        return self.states


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str, CallOutcome, int | None, float]] = []

    def observe(
        self, *, partner: str, operation: str, outcome: CallOutcome, http_status: int | None, duration_ms: float
    ) -> None:
        self.heard.append((partner, operation, outcome, http_status, duration_ms))


def observe(recorder: CallRecorder, outcome: CallOutcome, duration_ms: float = 20, partner: str = "ban") -> None:
    recorder.observe(partner=partner, operation="geocode", outcome=outcome, http_status=None, duration_ms=duration_ms)


@pytest.mark.parametrize(
    ("outcome", "is_success", "is_failure"),
    [
        (CallOutcome.OK, True, False),
        (CallOutcome.REJECTED, True, False),
        (CallOutcome.UNAVAILABLE, False, True),
        (CallOutcome.RATE_LIMITED, False, True),
        (CallOutcome.BUSY, False, False),
        (CallOutcome.BREAKER_OPEN, False, False),
        (CallOutcome.ABORTED, False, False),
    ],
)
def test_only_what_a_partner_did_counts_as_its_success_or_failure(
    outcome: CallOutcome, is_success: bool, is_failure: bool
):
    recorder = CallRecorder(Time())

    observe(recorder, outcome)

    calls = recorder.unwritten()[Minute("ban", MINUTE)]
    assert calls.outcomes == {outcome: 1}
    assert (calls.last_success_at == START) is is_success
    assert (calls.last_failure_at == START) is is_failure
    assert sum(calls.durations) == int(is_success or is_failure)


def test_every_outcome_is_named_above():
    assert len(CallOutcome) == 7


def test_calls_are_counted_by_the_minute_and_partner():
    time = Time()
    recorder = CallRecorder(time)

    observe(recorder, CallOutcome.OK)
    observe(recorder, CallOutcome.OK, partner="sirene")
    time.now += timedelta(minutes=1)
    observe(recorder, CallOutcome.OK)

    following = MINUTE + timedelta(minutes=1)
    assert set(recorder.unwritten()) == {Minute("ban", MINUTE), Minute("sirene", MINUTE), Minute("ban", following)}


def test_what_was_written_is_not_written_again_until_it_changes():
    recorder = CallRecorder(Time())
    observe(recorder, CallOutcome.OK)

    recorder.forget({Minute("ban", MINUTE): 1})

    assert recorder.unwritten() == {}
    observe(recorder, CallOutcome.OK)
    assert recorder.unwritten()[Minute("ban", MINUTE)].outcomes == {CallOutcome.OK: 2}


def test_a_call_that_ends_while_the_others_are_written_is_written_next():
    recorder = CallRecorder(Time())
    observe(recorder, CallOutcome.OK)
    observe(recorder, CallOutcome.OK)

    recorder.forget({Minute("ban", MINUTE): 1})

    assert Minute("ban", MINUTE) in recorder.unwritten()


def test_without_a_database_an_hour_is_kept_and_not_more():
    time = Time()
    recorder = CallRecorder(time)
    observe(recorder, CallOutcome.OK)
    time.now += timedelta(minutes=30)
    observe(recorder, CallOutcome.OK)
    time.now += timedelta(minutes=45)

    recorder.forget({})

    assert set(recorder.unwritten()) == {Minute("ban", MINUTE + timedelta(minutes=30))}


def test_a_breaker_that_is_not_closed_is_told_again_and_again():
    recorder = CallRecorder(Time())
    client = recorder.watch("ban", Client(geocode=BreakerState.OPEN))

    recorder.forget(dict.fromkeys(recorder.unwritten(), 0))

    assert Minute("ban", MINUTE) in recorder.unwritten()
    client.states["geocode"] = BreakerState.CLOSED
    recorder.forget(dict.fromkeys(recorder.unwritten(), 0))
    assert recorder.unwritten() == {}


def test_of_two_clients_of_a_partner_the_worst_breaker_counts():
    recorder = CallRecorder(Time())
    clients = [
        recorder.watch("ban", Client(geocode=BreakerState.CLOSED, search=BreakerState.HALF_OPEN)),
        recorder.watch("ban", Client(geocode=BreakerState.OPEN, search=BreakerState.CLOSED)),
    ]

    assert recorder.breakers() == {"ban": {"geocode": BreakerState.OPEN, "search": BreakerState.HALF_OPEN}}

    clients.pop()
    assert recorder.breakers() == {"ban": {"geocode": BreakerState.CLOSED, "search": BreakerState.HALF_OPEN}}


def test_other_observers_hear_of_every_call_once():
    recorder, listener = CallRecorder(Time()), Listener()
    recorder.tell(listener)
    recorder.tell(listener)

    observe(recorder, CallOutcome.UNAVAILABLE, 31.5)

    assert listener.heard == [("ban", "geocode", CallOutcome.UNAVAILABLE, None, 31.5)]


def test_the_worst_of_no_states_is_closed():
    assert worst([]) is BreakerState.CLOSED


def durations(**numbers: int) -> list[int]:
    """By upper bound: `_100=3` are three calls of 75 to 100 ms; `more` took longer than any bound."""
    counted = [numbers.get(f"_{bound}", 0) for bound in BOUNDS_MS]
    return [*counted, numbers.get("more", 0)]


def test_a_percentile_lies_in_the_class_that_holds_it():
    assert percentile(durations(_100=100), 0.95) == pytest.approx(98.75)
    assert percentile(durations(_5=90, _1000=10), 0.95) == pytest.approx(875)
    assert percentile(durations(_5=95, _1000=5), 0.95) == pytest.approx(5)


def test_beyond_the_last_bound_the_percentile_is_that_bound():
    assert percentile(durations(more=3), 0.95) == BOUNDS_MS[-1]


def test_without_calls_there_is_no_percentile():
    assert percentile(durations(), 0.95) is None
