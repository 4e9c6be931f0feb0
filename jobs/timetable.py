"""The timetable as the dashboard shows it: when each cron runs next, and how long what may last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from jobs.cron import TICKS
from jobs.mails import SEND_DUE as SEND_MAILS
from jobs.notification import NOTIFY_DUE, is_within_hours
from jobs.queue import JOB_TIMEOUT, Tick
from services.clock import PARIS
from services.operations.crons import AtLeastEvery, AtMinute, PlannedCron, Schedule

# What a tick leaves in `cron_run`, where that is not its own name without the prefix.
_RUN_NAMES = {
    "tick_count_cancellations": "count_old_cancellations",
    "tick_purge_webhooks": "purge_webhook_bodies",
    "tick_reopen_webhooks": "reopen_webhook_events",
    "tick_watch_webhooks": "watch_webhooks",
}
_PREFIX = "tick_"
# Rounds last as long as their batch: a call a second, and waits that the partner asks for.
_A_ROUND = timedelta(minutes=30)
BOUNDS: Mapping[str, timedelta] = MappingProxyType(
    {
        NOTIFY_DUE: timedelta(minutes=15),
        "certify_job_seekers": _A_ROUND,
        "ask_api_particulier": _A_ROUND,
        "geocode_addresses": _A_ROUND,
        "synchronise_communes": _A_ROUND,
        SEND_MAILS: _A_ROUND,
        "send_surveys": _A_ROUND,
        "reconcile_invitations": _A_ROUND,
        "run_operations": _A_ROUND,
        "process_webhooks": timedelta(minutes=5),
        **{tick.name: JOB_TIMEOUT for tick in TICKS},
    }
)
"""How long what a worker is at may take, by the name in its heartbeat; see services/operations/workers.py."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EveryInterval:
    """Again and again, but not begun in the last hours of the day in Europe/Paris."""

    interval: timedelta
    last_hour: int

    def next_after(self, instant: datetime) -> datetime:
        following = instant + self.interval
        if is_within_hours(following, last_hour=self.last_hour):
            return following
        return _midnight(following) + timedelta(days=1)

    def last_before(self, instant: datetime) -> datetime:
        """When a run should have begun at the latest: two intervals, since workers look a few times in each."""
        if not is_within_hours(instant, last_hour=self.last_hour):
            evening = _midnight(instant) + timedelta(hours=self.last_hour + 1)
            return evening - 2 * self.interval
        earliest = _midnight(instant)
        # In the first minutes of the day the last run may be that of the evening before.
        if instant - earliest < 2 * self.interval:
            return earliest - timedelta(hours=24 - self.last_hour - 1) - 2 * self.interval
        return instant - 2 * self.interval


@dataclass(frozen=True, slots=True)
class OnceInTwo:
    """As its schedule says, but a time soon after another run, as at the start of a worker, is let pass."""

    schedule: Schedule

    def next_after(self, instant: datetime) -> datetime:
        return self.schedule.next_after(instant)

    def last_before(self, instant: datetime) -> datetime:
        return self.schedule.last_before(self.schedule.last_before(instant) - timedelta(minutes=1))


# Ticks whose sweep lets some times pass.
_SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        "tick_reopen_webhooks": AtLeastEvery(timedelta(minutes=6)),
        "tick_certify_job_seekers": OnceInTwo(AtMinute(minute=10)),
        "tick_synchronise_communes": AtLeastEvery(timedelta(hours=25)),
    }
)


def planned_crons(*, notification_interval: timedelta, notification_last_hour: int) -> tuple[PlannedCron, ...]:
    """Return everything that runs by the clock, under the names of `cron_run`."""
    notifications = EveryInterval(interval=notification_interval, last_hour=notification_last_hour)
    return (
        PlannedCron(name=NOTIFY_DUE, schedule=notifications),
        *(PlannedCron(name=run_name(tick), schedule=_schedule(tick)) for tick in TICKS),
    )


def _schedule(tick: Tick) -> Schedule:
    return _SCHEDULES.get(tick.name) or AtMinute(minute=tick.minute, hour=tick.hour)


def run_name(tick: Tick) -> str:
    return _RUN_NAMES.get(tick.name, tick.name.removeprefix(_PREFIX))


def _midnight(instant: datetime) -> datetime:
    return instant.astimezone(PARIS).replace(hour=0, minute=0, second=0, microsecond=0)
