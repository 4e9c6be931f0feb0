"""Rounds: one of a name at a time, ended in good order, and the ones that announce and certify."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from jobs.certification import CERTIFY_DUE, begin_certification
from jobs.context import WorkerContext
from jobs.cron import FORGET_HEARTBEATS, forget_heartbeats
from jobs.current import CurrentJobs
from jobs.notification import NOTIFY_DUE, is_within_hours, notify_approval, notify_due, notify_regularly
from jobs.rounds import Rounds
from models import CronRun
from models.database import write
from models.enums import NotificationStatus as Status
from services.clock import PARIS
from tests.factories import make_job_seeker
from tests.integration.jobs.conftest import WorkerParts
from tests.integration.services.notifications import attempts_of, make_sendable, profile_of, status_of
from tests.unit.clients.france_travail import FakeFranceTravail
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database", "api")


async def run_of(name: str) -> CronRun | None:
    return await CronRun.get_or_none(name=name)


async def is_finished(name: str) -> bool:
    run = await run_of(name)
    return run is not None and run.finished_at is not None


async def test_a_round_is_not_begun_twice_and_not_after_the_end():
    stop, current = asyncio.Event(), CurrentJobs()
    rounds = Rounds(stop, current)
    release = asyncio.Event()

    async def body() -> None:
        await release.wait()

    begun = [rounds.start("round", body), rounds.start("round", body)]
    await asyncio.sleep(0)
    shown = [job["name"] for job in current.as_json()]
    release.set()
    await rounds.finish(timedelta(seconds=5))
    stop.set()

    assert begun == [True, False]
    assert shown == ["round"]
    assert current.as_json() == []
    assert not rounds.start("round", body)


async def test_a_round_that_fails_is_logged_by_its_class_and_may_begin_again():
    rounds = Rounds(asyncio.Event(), CurrentJobs())

    async def fail() -> None:
        raise KeyError("something personal")

    with capture_logs() as logs:
        rounds.start("round", fail)
        await rounds.finish(timedelta(seconds=5))

    assert [(entry["event"], entry["error_class"]) for entry in logs] == [("round_failed", "KeyError")]
    assert "personal" not in str(logs)
    assert rounds.start("round", fail)
    await rounds.finish(timedelta(seconds=5))


async def test_a_round_that_does_not_end_in_time_is_cancelled():
    rounds = Rounds(asyncio.Event(), CurrentJobs())
    rounds.start("round", asyncio.Event().wait)  # type: ignore[arg-type]

    with capture_logs() as logs:
        await rounds.finish(timedelta(milliseconds=10))

    assert [entry["event"] for entry in logs] == ["round_cancelled"]


async def test_a_pause_ends_when_the_process_is_to_end():
    stop = asyncio.Event()
    pause = asyncio.create_task(Rounds(stop, CurrentJobs()).pause(timedelta(hours=1)))

    stop.set()

    async with asyncio.timeout(2):
        await pause


async def test_a_run_announces_what_is_due_and_leaves_its_counts(worker: WorkerParts):
    approval = await make_sendable()

    await notify_due(worker.context)

    assert await status_of(approval) is Status.SUCCESS
    run = await run_of(NOTIFY_DUE)
    assert run is not None
    assert run.succeeded
    assert (run.summary["attempted"], run.summary["notification_success"]) == (1, 1)


async def test_the_attempts_of_one_run_bear_one_trace(worker: WorkerParts):
    approvals = [await make_sendable() for _ in range(2)]

    await notify_due(worker.context)

    traces = {attempt.trace_id for approval in approvals for attempt in await attempts_of(approval)}
    assert len(traces) == 1
    assert len(traces.pop() or "") == 32


async def test_a_run_does_not_begin_before_its_interval_is_over(worker: WorkerParts):
    plan = replace(worker.context.notification, interval=timedelta(minutes=5))
    context = replace(worker.context, notification=plan)
    await notify_due(context)
    approval = await make_sendable()

    await notify_due(context)
    too_early = await status_of(approval)
    await write("UPDATE cron_run SET started_at = started_at - interval '5 minutes' RETURNING name")
    await notify_due(context)

    assert (too_early, await status_of(approval)) == (Status.READY, Status.SUCCESS)


async def test_runs_begin_by_themselves_until_the_process_ends(worker: WorkerParts):
    approval = await make_sendable()
    regularly = asyncio.create_task(notify_regularly(worker.context))

    async def is_sent() -> bool:
        return await status_of(approval) is Status.SUCCESS

    await until(is_sent)
    later = await make_sendable()

    async def is_sent_too() -> bool:
        return await status_of(later) is Status.SUCCESS

    await until(is_sent_too)
    worker.stop.set()
    async with asyncio.timeout(5):
        await regularly


@pytest.mark.parametrize("off", ["switch", "partner"])
async def test_nothing_is_announced_while_it_is_switched_off(worker: WorkerParts, api: FakeFranceTravail, off: str):
    context: WorkerContext = (
        replace(worker.context, notification=replace(worker.context.notification, enabled=False))
        if off == "switch"
        else replace(worker.context, france_travail=None)
    )
    approval = await make_sendable()

    await notify_regularly(context)
    await notify_approval(context, approval.id)

    assert await status_of(approval) is Status.READY
    assert not api.router.calls.called
    assert await run_of(NOTIFY_DUE) is None


async def test_the_bell_announces_one_approval_at_once(worker: WorkerParts):
    approval, other = await make_sendable(Status.PENDING), await make_sendable(Status.PENDING)

    await notify_approval(worker.context, approval.id)

    assert [await status_of(row) for row in (approval, other)] == [Status.SUCCESS, Status.PENDING]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 7, 1, 0, 0, tzinfo=PARIS), True),
        (datetime(2026, 7, 1, 21, 59, tzinfo=PARIS), True),
        (datetime(2026, 7, 1, 22, 0, tzinfo=PARIS), False),
        (datetime(2026, 7, 1, 21, 0, tzinfo=UTC), False),  # 23:00 in Paris
        (datetime(2026, 1, 15, 20, 59, tzinfo=UTC), True),  # 21:59 in Paris
        (datetime(2026, 1, 15, 23, 0, tzinfo=UTC), True),  # midnight in Paris: approvals of that day may be told
    ],
)
def test_runs_start_from_midnight_to_the_last_hour_of_a_day_in_paris(at: datetime, expected: bool):
    assert is_within_hours(at, last_hour=21) is expected


async def test_the_tick_begins_a_certification_that_goes_on_in_the_background(worker: WorkerParts):
    person = await make_job_seeker()

    await begin_certification(worker.context)

    async def is_over() -> bool:
        return await is_finished(CERTIFY_DUE)

    await until(is_over)
    assert (await profile_of(person.id)).pe_obfuscated_nir is not None
    run = await run_of(CERTIFY_DUE)
    assert run is not None
    assert run.summary["certified"] == 1


async def test_workers_that_start_together_certify_once(worker: WorkerParts, api: FakeFranceTravail):
    for _ in range(3):
        await make_job_seeker()
    others = [replace(worker.context, rounds=Rounds(worker.stop, CurrentJobs())) for _ in range(3)]

    for context in others:
        await begin_certification(context)
    for context in others:
        await context.rounds.finish(timedelta(seconds=5))

    assert api.search.call_count == 3


async def test_the_daily_tick_leaves_its_run(worker: WorkerParts):
    await forget_heartbeats(worker.context)

    run = await run_of(FORGET_HEARTBEATS)
    assert run is not None
    assert (run.succeeded, run.summary) == (True, {"deleted": 0})
