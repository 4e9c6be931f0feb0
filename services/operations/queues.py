"""What lies in the queue, as values. Who reads it (jobs/queue_reading.py) alone knows how it lies there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

DEFAULT_SIZE = 50


class JobState(StrEnum):
    QUEUED = "queued"
    DEFERRED = "deferred"
    RUNNING = "running"
    FINISHED = "finished"


class PayloadState(StrEnum):
    """Whether what is stored with a job could be read. FOREIGN: not of our form, and not looked into any further."""

    READABLE = "readable"
    MISSING = "missing"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """One job in Valkey. What could not be read is None; `record_id` is shown only where it is a UUID.

    `due_at`: when it may begin; `tries`: how often the queue has begun it. `succeeded`, `error_class`, `started_at` and
    `finished_at` are of finished ones.
    """

    job_id: str
    state: JobState
    payload: PayloadState
    name: str | None = None
    record_id: str | None = None
    due_at: datetime | None = None
    enqueued_at: datetime | None = None
    tries: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    succeeded: bool | None = None
    error_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedPage:
    """Jobs in order of their due time, from `offset` on. `next_offset` None: that is all."""

    jobs: tuple[QueuedJob, ...]
    offset: int
    total: int
    next_offset: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundJobs:
    """What a search through all keys found in its time. `is_complete` False: the time was over before the keys were."""

    jobs: tuple[QueuedJob, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """The queue at a glance. `oldest_due_at`: of the job that waits the longest; None: nobody waits."""

    name: str
    queued: int
    deferred: int
    oldest_due_at: datetime | None
    read_in: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueUnavailable:
    """Valkey gave no answer in time. `code`: the class of what happened. Work goes on: rows wait in PostgreSQL."""

    code: str


class QueueReader(Protocol):
    """Reads the queue without taking anything from it. Never raises for what lies there, nor for Valkey's absence."""

    async def figures(self, *, now: datetime) -> QueueFigures | QueueUnavailable: ...

    async def queued(
        self, *, now: datetime, offset: int = 0, size: int = DEFAULT_SIZE
    ) -> QueuedPage | QueueUnavailable:
        """Jobs that may begin now, those that wait the longest first."""
        ...

    async def deferred(
        self, *, now: datetime, offset: int = 0, size: int = DEFAULT_SIZE
    ) -> QueuedPage | QueueUnavailable:
        """Jobs that may begin later, the next one first."""
        ...

    async def running(self) -> FoundJobs | QueueUnavailable:
        """Jobs that a worker holds, or held when it died."""
        ...

    async def results(self) -> FoundJobs | QueueUnavailable:
        """What ended and is still remembered, the last one first."""
        ...
