"""Calls to partners, told by the clients' observer."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from telemetry.registry import REGISTRY

CALLS = Counter(
    "traverse_partner_calls",
    "Calls to partners, also those that were not made (busy, breaker_open), by outcome.",
    ("partner", "operation", "outcome"),
    registry=REGISTRY,
)
DURATIONS = Histogram(
    "traverse_partner_call_seconds",
    "Time spent with the partner, without waiting for our own gates.",
    ("partner", "operation"),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)


class PartnerMetrics:
    """An observer of partner calls: their names, outcomes and durations are all it takes note of."""

    def observe(
        self,
        *,
        partner: str,
        operation: str,
        outcome: str,
        http_status: int | None,  # noqa: ARG002 (the outcome says as much in fewer labels)
        duration_ms: float,
    ) -> None:
        CALLS.labels(partner, operation, outcome).inc()
        if duration_ms > 0:
            DURATIONS.labels(partner, operation).observe(duration_ms / 1000)


PARTNER_METRICS = PartnerMetrics()
