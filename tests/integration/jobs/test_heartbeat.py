"""A worker's heartbeat: there while it lives, signed off when it leaves, forgotten in the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.current import CurrentJobs
from jobs.heartbeat import beating, forget_old_heartbeats
from models import WorkerHeartbeat
from models.database import write
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

OFTEN = timedelta(milliseconds=20)


async def test_a_worker_beats_while_it_lives_and_signs_off_when_it_leaves():
    async with beating("queue", CurrentJobs(), interval=OFTEN) as worker_id:
        first = await WorkerHeartbeat.get(id=worker_id)

        async def has_beaten_again() -> bool:
            return (await WorkerHeartbeat.get(id=worker_id)).beat_at > first.beat_at

        await until(has_beaten_again)

    left = await WorkerHeartbeat.get(id=worker_id)
    assert first.stopped_at is None
    assert left.stopped_at is not None
    assert left.stopped_at >= left.beat_at > first.started_at
    assert (left.queue, left.pid > 0, left.host != "") == ("queue", True, True)


async def test_the_heartbeat_says_what_runs_and_nothing_once_the_worker_left():
    current = CurrentJobs()

    async with beating("queue", current, interval=OFTEN) as worker_id:

        async def names() -> list[str]:
            return [job["name"] for job in (await WorkerHeartbeat.get(id=worker_id)).current_jobs]

        async def is_shown() -> bool:
            return await names() == ["notify_approval"]

        with current.tracking("notify_approval", "an-id"):
            await until(is_shown)

    assert await names() == []


async def test_a_worker_whose_row_was_deleted_comes_back():
    async with beating("queue", CurrentJobs(), interval=OFTEN) as worker_id:
        await write("DELETE FROM worker_heartbeat RETURNING id")

        async def is_back() -> bool:
            return await WorkerHeartbeat.filter(id=worker_id).exists()

        await until(is_back)


async def test_two_workers_have_a_row_each():
    async with beating("queue", CurrentJobs()) as one, beating("queue", CurrentJobs()) as other:
        assert one != other

        assert await WorkerHeartbeat.filter(stopped_at=None).count() == 2


async def test_only_workers_that_are_gone_for_days_are_forgotten():
    async with beating("queue", CurrentJobs()) as old:
        pass
    async with beating("queue", CurrentJobs()) as recent:
        pass
    await write(
        "UPDATE worker_heartbeat SET started_at = now() - interval '9 days', beat_at = now() - interval '8 days'"
        " WHERE id = $1 RETURNING id",
        old,
    )

    forgotten = await forget_old_heartbeats()

    assert forgotten == 1
    assert [row.id for row in await WorkerHeartbeat.all()] == [recent]
