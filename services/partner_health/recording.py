"""What this process sees of its partners: calls by the minute, and where their breakers stand. Numbers only."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

from clients.breaker import BreakerState
from clients.observer import CallOutcome, Observer
from services.clock import Clock, utc_now

# Upper bounds, in milliseconds; longer calls lie behind the last one.
BOUNDS_MS = (
    *(5, 10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750),
    *(1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 30_000),
)
# The partner answered, if only to say no.
SUCCESSES = frozenset({CallOutcome.OK, CallOutcome.REJECTED})
# It did not, or not usably. What never left, or was given up by its caller, says nothing about the partner.
FAILURES = frozenset({CallOutcome.UNAVAILABLE, CallOutcome.RATE_LIMITED})
# Without a database for longer, the oldest minutes are dropped: memory has an end.
_KEPT_UNWRITTEN = timedelta(hours=1)

_SEVERITY = (BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN)


class HasBreakers(Protocol):
    """A client of a partner. `breaker_states`: by operation, of those called so far."""

    def breaker_states(self) -> dict[str, BreakerState]: ...


C = TypeVar("C", bound=HasBreakers)


@dataclass(slots=True)
class CallsOfMinute:
    """The calls to one partner that ended within one minute."""

    outcomes: Counter[CallOutcome] = field(default_factory=Counter[CallOutcome])
    durations: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    is_written: bool = False


@dataclass(frozen=True, slots=True)
class Minute:
    partner: str
    at: datetime


class CallRecorder:
    """Told of every call of the process, as the clients' observer; hands on to further observers."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._minutes: dict[Minute, CallsOfMinute] = {}
        # Held weakly: a client that was dropped has no breaker any more.
        self._clients: WeakKeyDictionary[HasBreakers, str] = WeakKeyDictionary()
        self._others: list[Observer] = []

    def now(self) -> datetime:
        return self._clock()

    def watch(self, partner: str, client: C) -> C:
        """Look at the client's breakers from now on; returns the client."""
        self._clients[client] = partner
        return client

    def tell(self, other: Observer) -> None:
        """Let another observer hear of every call as well; telling the same one twice is once."""
        if other not in self._others:
            self._others.append(other)

    def observe(
        self, *, partner: str, operation: str, outcome: CallOutcome, http_status: int | None, duration_ms: float
    ) -> None:
        now = self._clock()
        calls = self._minutes.setdefault(Minute(partner, _minute_of(now)), CallsOfMinute())
        calls.outcomes[outcome] += 1
        calls.is_written = False
        if outcome in SUCCESSES:
            calls.last_success_at = now
        elif outcome in FAILURES:
            calls.last_failure_at = now
        if outcome in SUCCESSES or outcome in FAILURES:
            calls.durations[bisect_left(BOUNDS_MS, duration_ms)] += 1
        for other in self._others:
            other.observe(
                partner=partner,
                operation=operation,
                outcome=outcome,
                http_status=http_status,
                duration_ms=duration_ms,
            )

    def breakers(self) -> dict[str, dict[str, BreakerState]]:
        """By partner and operation; the worst, where several clients call the same."""
        found: dict[str, dict[str, BreakerState]] = {}
        for client, partner in list(self._clients.items()):
            states = found.setdefault(partner, {})
            for operation, state in client.breaker_states().items():
                states[operation] = worst([state, states.get(operation, BreakerState.CLOSED)])
        return found

    def unwritten(self) -> dict[Minute, CallsOfMinute]:
        """What the database does not know yet. A partner with a breaker that is not closed is always among it."""
        current = _minute_of(self._clock())
        for partner, states in self.breakers().items():
            if worst(states.values()) is not BreakerState.CLOSED:
                self._minutes.setdefault(Minute(partner, current), CallsOfMinute()).is_written = False
        return {minute: calls for minute, calls in self._minutes.items() if not calls.is_written}

    def forget(self, written: Mapping[Minute, int]) -> None:
        """Take note of what was written: minutes, with the number of calls that each had at that moment."""
        current = _minute_of(self._clock())
        for minute, number in written.items():
            calls = self._minutes[minute]
            calls.is_written = calls.outcomes.total() == number
        self._minutes = {
            minute: calls
            for minute, calls in self._minutes.items()
            if minute.at >= current or (not calls.is_written and current - minute.at < _KEPT_UNWRITTEN)
        }


def worst(states: Iterable[BreakerState]) -> BreakerState:
    """Return the state that lets the fewest calls through; CLOSED for none."""
    return max(states, key=_SEVERITY.index, default=BreakerState.CLOSED)


def _minute_of(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


# Like the pool and the keys, one a process: whatever calls a partner is counted, whoever built the client.
PROCESS_CALLS = CallRecorder()
