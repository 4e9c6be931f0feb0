"""A circuit breaker that lets exactly one probe through when it is half open.

The breakers on the shelf release every waiting call at that moment, which is how a partner that has just come back is
knocked over again. One event loop only: no method awaits, so each one is atomic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Verdict(StrEnum):
    """What one call says about the partner's health. NEUTRAL: the trouble was ours, or the caller went away."""

    HEALTHY = "healthy"
    FAILING = "failing"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """Opens after `failures` in a row, for `open_seconds`; then one probe decides."""

    failures: int = 5
    open_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to make one call. It must be settled, whatever happens."""

    generation: int


class Breaker:
    """The breaker of one operation of one partner."""

    def __init__(self, policy: BreakerPolicy, *, clock: Callable[[], float] = monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None
        self._probing = False
        # Every change of state starts a generation: an old call that ends late has no say in the new state.
        self._generation = 0

    @property
    def state(self) -> BreakerState:
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._open_until else BreakerState.HALF_OPEN

    def seconds_closed_to_calls(self) -> float | None:
        """None when a call may be tried now; else how long to wait, at least (0 while a probe is on its way)."""
        match self.state:
            case BreakerState.CLOSED:
                return None
            case BreakerState.HALF_OPEN:
                return 0.0 if self._probing else None
            case BreakerState.OPEN:
                return (self._open_until or 0.0) - self._clock()

    def admit(self) -> Permit | None:
        """A permit, or None when the call must not be made."""
        if self.seconds_closed_to_calls() is not None:
            return None
        if self.state is BreakerState.HALF_OPEN:
            self._probing = True
            self._generation += 1
        return Permit(self._generation)

    def settle(self, permit: Permit, verdict: Verdict) -> None:
        """Take note of how an admitted call ended."""
        if permit.generation != self._generation:
            return
        was_probe, self._probing = self._probing, False
        match verdict:
            case Verdict.HEALTHY:
                self._failures = 0
                if was_probe:
                    self._open_until = None
                    self._generation += 1
            case Verdict.FAILING:
                self._failures += 1
                if was_probe or self._failures >= self._policy.failures:
                    self._open()
            case Verdict.NEUTRAL:
                pass

    def _open(self) -> None:
        self._open_until = self._clock() + self._policy.open_seconds
        self._failures = 0
        self._generation += 1
