"""Crons as their last runs tell, beside when they should have run: what was missed, what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import orjson

from models.database import fetch_all

LATE_AFTER = timedelta(minutes=2)
"""How long after its time a run counts as missed: workers look at the clock, and one may be held up."""

_RUNS = """
SELECT name, started_at, finished_at, succeeded, summary,
    lease_until IS NOT NULL AND lease_until >= clock_timestamp() AS is_running
FROM cron_run
"""


class Schedule(Protocol):
    """When something is to run."""

    def next_after(self, instant: datetime) -> datetime: ...

    def last_before(self, instant: datetime) -> datetime:
        """The last time at or before that instant."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMinute:
    """At a minute of every hour, or of one hour a day (UTC); without a minute, every minute."""

    minute: int | None = None
    hour: int | None = None

    def next_after(self, instant: datetime) -> datetime:
        following = self.last_before(instant) + self._step
        return following if following > instant else following + self._step

    def last_before(self, instant: datetime) -> datetime:
        whole = instant.astimezone(UTC).replace(second=0, microsecond=0)
        if self.minute is None:
            return whole
        at = whole.replace(minute=self.minute)
        if self.hour is not None:
            at = at.replace(hour=self.hour)
        return at if at <= instant else at - self._step

    @property
    def _step(self) -> timedelta:
        if self.minute is None:
            return timedelta(minutes=1)
        return timedelta(hours=1) if self.hour is None else timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AtLeastEvery:
    """So long after the last time at the latest."""

    interval: timedelta

    def next_after(self, instant: datetime) -> datetime:
        return instant + self.interval

    def last_before(self, instant: datetime) -> datetime:
        return instant - self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCron:
    """What runs by the clock. `name` is that of its row in `cron_run`."""

    name: str
    schedule: Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class CronView:
    """One cron. `started_at` None: it never ran; `next_at` None: it is planned no more.

    `is_missed`: its last time passed without a run, though it had run before. What never ran may well be switched off.
    `summary`: counts and codes of the last run.
    """

    name: str
    started_at: datetime | None
    finished_at: datetime | None
    succeeded: bool | None
    is_running: bool
    next_at: datetime | None
    is_missed: bool
    summary: Mapping[str, Any]

    @property
    def duration(self) -> timedelta | None:
        return None if self.started_at is None or self.finished_at is None else self.finished_at - self.started_at


async def read_crons(planned: Sequence[PlannedCron], *, now: datetime) -> tuple[CronView, ...]:
    """Return what is planned, in that order, then what once ran and is not planned. One statement."""
    rows: dict[str, Any] = {row["name"]: row for row in await fetch_all(_RUNS)}
    schedules = {each.name: each.schedule for each in planned}
    names = [*schedules, *sorted(set(rows) - set(schedules))]
    return tuple(_view(name, schedules.get(name), rows.get(name), now) for name in names)


def _view(name: str, schedule: Schedule | None, row: Any, now: datetime) -> CronView:
    next_at = schedule.next_after(now) if schedule else None
    if row is None:
        return CronView(
            name=name,
            started_at=None,
            finished_at=None,
            succeeded=None,
            is_running=False,
            next_at=next_at,
            is_missed=False,
            summary={},
        )
    is_running = bool(row["is_running"])
    return CronView(
        name=name,
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        succeeded=row["succeeded"],
        is_running=is_running,
        next_at=next_at,
        # The run of the time before the last grace began: a worker may be a little late with the present one.
        is_missed=schedule is not None and not is_running and _is_missed(schedule, row["started_at"], now),
        summary=orjson.loads(row["summary"]),
    )


def _is_missed(schedule: Schedule, started_at: datetime, now: datetime) -> bool:
    expected = schedule.last_before(now - LATE_AFTER)
    # A worker that starts also begins rounds at its start: a little before the time counts for the time.
    return started_at < expected - LATE_AFTER
