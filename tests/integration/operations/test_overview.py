from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models import Approval, CronRun, WebhookEvent, WorkerHeartbeat
from models.database import counting_statements
from models.enums import Delivery, NotificationStatus, WebhookEventStatus
from services.operations.crons import AtLeastEvery, AtMinute, CronView, PlannedCron, Schedule, read_crons
from services.operations.due import DueKind, DueWork, read_due
from services.operations.series import Window, read_notification_series, read_webhook_series
from services.operations.workers import SILENT_AFTER, WorkerState, read_workers
from services.webhooks.replaying import replay
from services.webhooks.silence import read_backlog
from tests.factories import make_approval, make_job_seeker
from tests.integration.operations.rows import LATER, NOW, make_attempt, make_event

pytestmark = pytest.mark.usefixtures("database")


async def due_of(kind: DueKind, now: datetime = LATER) -> DueWork:
    return next(work for work in await read_due(now=now) if work.kind is kind)


async def test_the_age_of_due_notifications_is_that_of_the_one_that_waits_the_longest():
    for status, at in (
        (NotificationStatus.READY, NOW - timedelta(minutes=5)),
        (NotificationStatus.SHOULD_RETRY, NOW - timedelta(minutes=20)),
        (NotificationStatus.SUCCESS, NOW - timedelta(days=1)),
        (NotificationStatus.PENDING, NOW - timedelta(days=1)),
    ):
        await make_approval(pe_notification_status=status, pe_notification_time=at)

    work = await due_of(DueKind.NOTIFICATIONS)

    assert work.due.number == 2
    assert work.age(LATER) == timedelta(minutes=80)


async def test_what_may_not_be_tried_yet_is_not_due():
    await make_approval(
        pe_notification_status=NotificationStatus.SHOULD_RETRY,
        pe_notification_time=NOW,
        next_attempt_at=LATER + timedelta(seconds=1),
    )

    work = await due_of(DueKind.NOTIFICATIONS)

    assert (work.due.number, work.oldest_due_at, work.age(LATER)) == (0, None, None)


async def test_events_are_due_from_their_reception_or_their_next_attempt():
    await make_event(WebhookEventStatus.RECEIVED, at=NOW, next_attempt_at=NOW + timedelta(minutes=30))
    await make_event(WebhookEventStatus.RECEIVED, at=NOW + timedelta(minutes=45))
    await make_event(WebhookEventStatus.PROCESSED, at=NOW)

    work = await due_of(DueKind.WEBHOOK_EVENTS)

    assert (work.due.number, work.oldest_due_at) == (2, NOW + timedelta(minutes=30))


async def test_a_notification_that_is_retried_has_not_waited_since_its_last_attempt():
    approval = await make_approval(
        pe_notification_status=NotificationStatus.ERROR, pe_notification_time=NOW - timedelta(days=900)
    )
    asked = datetime.now(UTC)

    await Approval.filter(id=approval.id).update(pe_notification_status=NotificationStatus.PENDING)
    await Approval.filter(id=approval.id).update(pe_notification_status=NotificationStatus.READY)

    work = await due_of(DueKind.NOTIFICATIONS, asked + timedelta(hours=1))
    assert work.oldest_due_at is not None
    assert abs(work.oldest_due_at - asked) < timedelta(minutes=5)


async def test_an_event_that_is_replayed_has_not_waited_since_it_came():
    event = await make_event(WebhookEventStatus.PROCESSED, at=NOW - timedelta(days=90))
    asked = datetime.now(UTC)

    await replay(event.id, by=None, now=asked)

    work, backlog = await due_of(DueKind.WEBHOOK_EVENTS, asked + timedelta(hours=1)), await read_backlog()
    assert work.oldest_due_at is not None
    assert abs(work.oldest_due_at - asked) < timedelta(minutes=5)
    assert backlog.oldest_due_at == work.oldest_due_at


async def test_people_are_due_for_certification_a_week_after_the_last_attempt():
    week = timedelta(days=7)
    await make_job_seeker(profile={"pe_last_certification_attempt_at": LATER - week - timedelta(hours=2)})
    await make_job_seeker(profile={"pe_last_certification_attempt_at": LATER - week + timedelta(seconds=1)})
    await make_job_seeker(profile={"pe_obfuscated_nir": "known"})

    work = await due_of(DueKind.CERTIFICATIONS)

    assert (work.due.number, work.age(LATER)) == (1, timedelta(hours=2))


async def test_all_kinds_are_read_in_one_statement():
    async with counting_statements() as counter:
        kinds = [work.kind for work in await read_due(now=LATER)]

    assert kinds == list(DueKind)
    assert counter.statements == 1


async def make_worker(**values: Any) -> WorkerHeartbeat:
    defaults: dict[str, Any] = {
        "host": "hôte",
        "pid": 7,
        "version": "1",
        "queue": "q",
        "started_at": NOW,
        "beat_at": LATER,
    }
    return await WorkerHeartbeat.create(**(defaults | values))


async def test_workers_are_told_apart_by_their_beats():
    alive = await make_worker(beat_at=LATER - SILENT_AFTER)
    silent = await make_worker(beat_at=LATER - SILENT_AFTER - timedelta(seconds=1))
    stopped = await make_worker(beat_at=LATER - timedelta(minutes=3), stopped_at=LATER - timedelta(minutes=3))
    await make_worker(beat_at=LATER - timedelta(days=2))

    workers = await read_workers(now=LATER)

    assert [(worker.id, worker.state) for worker in workers] == [
        (alive.id, WorkerState.ALIVE),
        (silent.id, WorkerState.SILENT),
        (stopped.id, WorkerState.STOPPED),
    ]


async def test_a_worker_whose_job_takes_longer_than_it_may_is_stuck():
    def job(name: str, age: timedelta) -> dict[str, str | None]:
        return {"name": name, "id": None, "started_at": (LATER - age).isoformat()}

    jobs = [job("send_mail", timedelta(seconds=61)), job("notify_approvals", timedelta(minutes=5))]
    await make_worker(current_jobs=jobs)

    [worker] = await read_workers(now=LATER, bounds={"notify_approvals": timedelta(minutes=15)})

    assert [running.is_stuck for running in worker.jobs] == [True, False]
    assert worker.is_stuck


async def view_of(schedule: Schedule, **values: Any) -> CronView:
    defaults: dict[str, Any] = {"name": "cron", "succeeded": True}
    await CronRun.create(**(defaults | values))
    [view] = await read_crons([PlannedCron(name="cron", schedule=schedule)], now=LATER)
    return view


async def test_a_cron_that_ran_at_its_time_is_not_missed():
    view = await view_of(
        AtMinute(minute=LATER.minute), started_at=LATER - timedelta(hours=1), finished_at=LATER, summary={"sent": 1}
    )

    assert not view.is_missed
    assert view.next_at == LATER + timedelta(hours=1)
    assert (view.duration, view.summary) == (timedelta(hours=1), {"sent": 1})


@pytest.mark.parametrize(
    ("schedule", "age", "is_missed"),
    [
        (AtMinute(), timedelta(minutes=3), False),
        (AtMinute(), timedelta(minutes=5), True),
        (AtMinute(minute=0), timedelta(minutes=29), False),
        (AtMinute(minute=0), timedelta(hours=3), True),
        (AtMinute(minute=0, hour=3), timedelta(hours=7), False),
        (AtMinute(minute=0, hour=3), timedelta(hours=30), True),
        (AtLeastEvery(timedelta(minutes=6)), timedelta(minutes=9), False),
        (AtLeastEvery(timedelta(minutes=6)), timedelta(minutes=11), True),
    ],
)
async def test_a_cron_is_missed_when_its_time_passed_without_a_run(schedule: Schedule, age: timedelta, is_missed: bool):
    view = await view_of(schedule, started_at=LATER - age)

    assert view.is_missed is is_missed


async def test_a_cron_under_way_is_not_missed_however_long_it_takes():
    view = await view_of(
        AtMinute(),
        started_at=LATER - timedelta(hours=3),
        lease_token=uuid4(),
        lease_until=LATER + timedelta(days=36_500),
    )

    assert view.is_running
    assert not view.is_missed


async def test_what_never_ran_and_what_is_planned_no_more_are_shown_as_such():
    await CronRun.create(name="retired", started_at=NOW)

    views = await read_crons([PlannedCron(name="new", schedule=AtMinute(minute=7))], now=LATER)

    assert [(view.name, view.started_at, view.is_missed) for view in views] == [
        ("new", None, False),
        ("retired", NOW, False),
    ]
    assert views[1].next_at is None


@pytest.mark.parametrize("schedule", [AtMinute(), AtMinute(minute=10), AtMinute(minute=50, hour=3)])
@pytest.mark.parametrize("minutes", [0, 1, 9, 10, 11, 229, 230, 231, 1439])
def test_the_next_time_follows_the_last_one(schedule: AtMinute, minutes: int):
    instant = NOW.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(minutes=minutes)

    assert schedule.last_before(instant) <= instant < schedule.next_after(instant)
    assert schedule.last_before(schedule.next_after(instant)) == schedule.next_after(instant)


async def test_attempts_are_summed_up_by_bucket_and_as_a_whole():
    approval = await make_approval(accepted_application=False)
    for minute, outcome, duration in (
        (1, NotificationStatus.SUCCESS, 100),
        (1, NotificationStatus.ERROR, 900),
        (2, NotificationStatus.PENDING, 1),
    ):
        at = LATER - timedelta(minutes=minute)
        held_back = outcome is NotificationStatus.PENDING
        await make_attempt(
            approval.id,
            at=at,
            outcome=outcome,
            duration_ms=duration,
            delivery=Delivery.NOT_SENT if held_back else Delivery.ACCEPTED,
            **({"endpoint": None} if held_back else {}),
        )

    async with counting_statements() as counter:
        series = await read_notification_series(Window.HOUR, now=LATER)

    last, before = series.buckets[-2], series.buckets[-3]
    assert len(series.buckets) == 60
    assert [bucket.start for bucket in series.buckets] == sorted(bucket.start for bucket in series.buckets)
    assert (last.total, last.succeeded, last.failed, last.failure_rate) == (2, 1, 1, 0.5)
    assert (last.p50_ms, last.p95_ms) == (100, 900)
    assert (before.total, before.failed, before.p50_ms) == (1, 0, None)
    assert (series.whole.total, series.whole.succeeded, series.whole.p99_ms) == (3, 1, 900)
    assert series.buckets[0].failure_rate is None
    assert counter.statements == 1


async def test_the_latency_of_events_runs_from_their_reception_to_their_outcome():
    at = LATER - timedelta(minutes=3)
    await make_event(WebhookEventStatus.PROCESSED, at=at, processed_at=at + timedelta(seconds=3))
    await make_event(WebhookEventStatus.FAILED, at=at, processed_at=at + timedelta(seconds=1))
    await make_event(WebhookEventStatus.RECEIVED, at=at)

    series = await read_webhook_series(Window.DAY, now=LATER)

    assert (series.whole.total, series.whole.succeeded, series.whole.failed) == (3, 1, 1)
    assert (series.whole.p50_ms, series.whole.p99_ms) == (1000, 3000)


async def test_the_latency_of_an_event_that_was_replayed_runs_from_then():
    now = datetime.now(UTC)
    event = await make_event(WebhookEventStatus.FAILED, at=now - timedelta(hours=20))
    await replay(event.id, by=None, now=now)
    await WebhookEvent.filter(id=event.id).update(
        status=WebhookEventStatus.PROCESSED, processed_at=now + timedelta(minutes=1)
    )

    series = await read_webhook_series(Window.DAY, now=now)

    assert (series.whole.total, series.whole.succeeded) == (1, 1)
    assert series.whole.p50_ms == pytest.approx(60_000, abs=30_000)


@pytest.mark.parametrize("window", list(Window))
async def test_a_window_is_shown_whole_even_when_nothing_happened(window: Window):
    series = await read_notification_series(window, now=LATER)

    assert len(series.buckets) == window.length // window.step
    assert series.buckets[-1].start <= LATER < series.buckets[-1].start + window.step
    assert series.whole.total == 0
