"""What the dashboard is made of: handed in by the composition root, used by its pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from ops.dashboard.memory import Memory
from services.clock import Clock, utc_now
from services.operations.crons import PlannedCron
from services.operations.queues import QueueReader
from services.rate_limits import Limiter
from services.tokens import TokenVerifier
from services.webhooks.silence import Expectation

Bell = Callable[[str, UUID], Awaitable[None]]
"""Wakes a worker for a record: the job's name and the record's id."""

KeptSince = Callable[[datetime], Awaitable[datetime | None]]
"""Since when Valkey has kept what it was given; None: it gives no answer. Its argument: now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`is_production`: cookies travel by TLS alone, and no hint of development tokens is given.

    `sign_ins`: attempts of one address on the network. `look_interval`: how often a live page looks for what changed;
    `most_streams`: live pages of one process.
    """

    verifier: TokenVerifier
    session_key: bytes = field(repr=False)
    is_production: bool
    environment: str
    ring: Bell
    queue: QueueReader
    queue_kept_since: KeptSince
    started_at: datetime
    planned_crons: Sequence[PlannedCron] = ()
    job_bounds: Mapping[str, timedelta] = field(default_factory=dict[str, timedelta])
    expected_webhooks: Sequence[Expectation] = ()
    sign_ins: Limiter | None = None
    memory: Memory = field(default_factory=Memory)
    clock: Clock = utc_now
    look_interval: timedelta = timedelta(seconds=3)
    most_streams: int = 64
    most_streams_per_session: int = 12
