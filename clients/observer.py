"""The hook through which metrics and logs learn of partner calls, without any personal data passing."""

from enum import StrEnum
from typing import Protocol


class CallOutcome(StrEnum):
    OK = "ok"
    REJECTED = "rejected"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    BUSY = "busy"  # ours: no slot, no connection
    BREAKER_OPEN = "breaker_open"
    ABORTED = "aborted"  # the caller went away before the end


class Observer(Protocol):
    """Told once about every call, also about those that were not made. Must be quick and must not raise."""

    def observe(
        self, *, partner: str, operation: str, outcome: CallOutcome, http_status: int | None, duration_ms: float
    ) -> None:
        """`duration_ms` is time spent with the partner: waiting for our own gates is not in it."""
        ...
