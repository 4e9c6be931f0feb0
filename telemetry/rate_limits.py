"""Requests that were refused because their client asked too often."""

from __future__ import annotations

from prometheus_client import Counter

from telemetry.registry import REGISTRY

RATE_LIMITED = Counter(
    "traverse_rate_limited",
    "Requests and operations refused because their client asked too often, by policy.",
    ("policy",),
    registry=REGISTRY,
)
