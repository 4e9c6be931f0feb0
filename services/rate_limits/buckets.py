"""Buckets that empty evenly (GCRA), in this process: no I/O, a microsecond a request.

Of each client one time is kept: that at which everything taken so far will be paid for. How far it lies ahead is the
client's debt, and a debt is never longer than the window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from time import monotonic

from telemetry.rate_limits import RATE_LIMITED

# Of debts that were added up from many small ones, in seconds.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`quota` may be taken in any `window_seconds`, at once or bit by bit. `unit`: what is counted."""

    name: str
    quota: int
    window_seconds: int = 60
    unit: str = "requests"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands with a policy. `retry_after`: whole seconds to wait; 0 means that it was let through.

    `reset`: seconds until its whole quota is there again.
    """

    policy: Policy
    remaining: int
    reset: int
    retry_after: int = 0

    @property
    def is_refused(self) -> bool:
        return self.retry_after > 0

    @property
    def headers(self) -> dict[str, str]:
        """What a client is told. Source: draft-ietf-httpapi-ratelimit-headers, and RFC 9110 §10.2.3."""
        policy = self.policy
        told = {
            "RateLimit-Policy": f'"{policy.name}";q={policy.quota};qu="{policy.unit}";w={policy.window_seconds}',
            "RateLimit": f'"{policy.name}";r={self.remaining};t={self.reset}',
        }
        if self.retry_after:
            told["Retry-After"] = str(self.retry_after)
        return told


class Limiter:
    """One policy, over the clients of this process and what others tell of them. Not for several threads."""

    def __init__(self, policy: Policy, *, clock: Callable[[], float] = monotonic, most_clients: int = 50_000) -> None:
        self.policy = policy
        self._clock = clock
        self._most_clients = most_clients
        self._window = float(policy.window_seconds)
        self._spacing = self._window / policy.quota
        self._paid_at: dict[str, float] = {}
        # Seconds of debt that the other processes do not know of yet.
        self._unsent: dict[str, float] = {}

    def __len__(self) -> int:
        """Return how many clients are remembered."""
        return len(self._paid_at)

    def take(self, client: str, points: int = 1) -> Standing:
        """Take so many points, or, when that many are not left, nothing."""
        now = self._clock()
        debt = max(self._paid_at.get(client, now) - now, 0.0)
        added = min(points * self._spacing, self._window)
        if debt + added > self._window + _ROUNDING:
            RATE_LIMITED.labels(self.policy.name).inc()
            return self._standing(debt, retry_after=max(1, ceil(debt + added - self._window)))
        if client not in self._paid_at and len(self._paid_at) >= self._most_clients:
            self._forget(now)
        self._paid_at[client] = now + debt + added
        self._unsent[client] = self._unsent.get(client, 0.0) + added
        return self._standing(debt + added)

    def look(self, client: str) -> Standing:
        """Return where a client stands, as if it asked for one point; nothing is taken."""
        now = self._clock()
        debt = max(self._paid_at.get(client, now) - now, 0.0)
        over = debt + self._spacing - self._window
        return self._standing(debt, retry_after=max(1, ceil(over)) if over > _ROUNDING else 0)

    def _standing(self, debt: float, *, retry_after: int = 0) -> Standing:
        remaining = int((self._window - debt) / self._spacing + _ROUNDING)
        return Standing(self.policy, max(remaining, 0), ceil(debt - _ROUNDING), retry_after)

    def _forget(self, now: float) -> None:
        """Make room: who owes nothing first, then those who were seen first."""
        owing = [(client, paid_at) for client, paid_at in self._paid_at.items() if paid_at > now]
        self._paid_at = dict(owing[-(self._most_clients // 2) :])
        self._unsent = {client: unsent for client, unsent in self._unsent.items() if client in self._paid_at}

    # -- what processes tell each other

    def unsent(self) -> Mapping[str, float]:
        """Return, once, what each client took since the last call, in seconds of debt."""
        unsent, self._unsent = self._unsent, {}
        return unsent

    def send_again(self, unsent: Mapping[str, float]) -> None:
        """Take back what could not be told. Debts that are paid meanwhile need not be told any more."""
        now = self._clock()
        for client, seconds in unsent.items():
            owed = self._paid_at.get(client, now) - now
            if owed > 0:
                self._unsent[client] = min(self._unsent.get(client, 0.0) + seconds, owed)

    def learn(self, client: str, debt: float) -> None:
        """Believe the debt that all processes together know of, if it is larger than what is known here."""
        now = self._clock()
        known = self._paid_at.get(client)
        # Who was forgotten meanwhile is met anew at the next request.
        if known is not None:
            owed = min(debt + self._unsent.get(client, 0.0), self._window)
            self._paid_at[client] = max(known, now + owed)
