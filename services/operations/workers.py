"""Workers as their heartbeats tell: who lives, what each is at, and what takes longer than it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from models.database import fetch_all

SILENT_AFTER = timedelta(seconds=15)
"""Three beats that did not come."""
GONE_FOR = timedelta(hours=24)
JOB_BOUND = timedelta(seconds=60)
"""How long a job of the queue may take; rounds have bounds of their own."""

_WORKERS = """
SELECT id, host, pid, version, queue, started_at, beat_at, stopped_at, current_jobs
FROM worker_heartbeat WHERE beat_at > $1 ORDER BY stopped_at IS NOT NULL, beat_at < $2, started_at DESC, id LIMIT 200
"""


class WorkerState(StrEnum):
    """SILENT: no beat for 15 seconds; killed, cut off, or held up by blocking code. STOPPED: left in good order."""

    ALIVE = "alive"
    SILENT = "silent"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningJob:
    """What a worker is at. `is_stuck`: for longer than it may."""

    name: str
    record_id: str | None
    started_at: datetime
    is_stuck: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    id: UUID
    host: str
    pid: int
    version: str
    queue: str
    state: WorkerState
    started_at: datetime
    beat_at: datetime
    stopped_at: datetime | None
    jobs: tuple[RunningJob, ...]

    @property
    def is_stuck(self) -> bool:
        return self.state is WorkerState.ALIVE and any(job.is_stuck for job in self.jobs)


async def read_workers(
    *, now: datetime, bounds: Mapping[str, timedelta] | None = None, gone_for: timedelta = GONE_FOR
) -> tuple[WorkerView, ...]:
    """Return the workers of the last day: the living first, then the silent, then those that stopped. One statement.

    `bounds`: how long what has that name may take, where it is not JOB_BOUND.
    """
    rows = await fetch_all(_WORKERS, now - gone_for, now - SILENT_AFTER)
    return tuple(_worker(row, now, bounds or {}) for row in rows)


def _worker(row: Any, now: datetime, bounds: Mapping[str, timedelta]) -> WorkerView:
    jobs = orjson.loads(row["current_jobs"])
    return WorkerView(
        id=row["id"],
        host=row["host"],
        pid=row["pid"],
        version=row["version"],
        queue=row["queue"],
        state=_state(row, now),
        started_at=row["started_at"],
        beat_at=row["beat_at"],
        stopped_at=row["stopped_at"],
        jobs=tuple(_job(job, now, bounds) for job in jobs),
    )


def _state(row: Any, now: datetime) -> WorkerState:
    if row["stopped_at"] is not None:
        return WorkerState.STOPPED
    return WorkerState.SILENT if now - row["beat_at"] > SILENT_AFTER else WorkerState.ALIVE


def _job(job: Mapping[str, Any], now: datetime, bounds: Mapping[str, timedelta]) -> RunningJob:
    started_at = datetime.fromisoformat(job["started_at"])
    return RunningJob(
        name=job["name"],
        record_id=job["id"],
        started_at=started_at,
        is_stuck=now - started_at > bounds.get(job["name"], JOB_BOUND),
    )
