"""What a worker process is doing now, for its heartbeat."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from uuid import uuid4

from structlog.contextvars import bound_contextvars

from services.clock import Clock, utc_now
from telemetry.tracing import tracing_work


class CurrentJobs:
    """The jobs and rounds under way in this process: names, ids and starts, nothing else."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._numbers = count()
        self._running: dict[int, tuple[str, str | None, datetime]] = {}

    @contextmanager
    def tracking(self, name: str, record_id: str | None = None, traceparent: str | None = None) -> Generator[None]:
        """`traceparent`: of whoever rang, whose trace goes on here."""
        number = next(self._numbers)
        self._running[number] = (name, record_id, self._clock())
        try:
            # Every line that is logged meanwhile says which job, and which run of it.
            with bound_contextvars(job=name, job_id=uuid4().hex), tracing_work(name, traceparent):
                yield
        finally:
            del self._running[number]

    def as_json(self) -> list[dict[str, str | None]]:
        """Oldest first."""
        return [
            {"name": name, "id": record_id, "started_at": started_at.isoformat()}
            for name, record_id, started_at in self._running.values()
        ]
