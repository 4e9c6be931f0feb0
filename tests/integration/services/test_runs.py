"""Runs of crons: alone, on time, taken over when their worker dies; and the leases they stand on."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from models import Approval, CronRun
from models.database import fetch_all, write
from services.leases import Lease, LeasedTable
from services.runs import exclusive_run
from tests.factories import make_approval
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

NAME = "sweep"
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DIED = (
    "UPDATE cron_run SET finished_at = NULL, succeeded = NULL, lease_token = gen_random_uuid(), lease_until = {until}"
)


async def test_a_run_is_remembered_with_its_outcome():
    async with exclusive_run(NAME) as run:
        assert run is not None
        run.summary = {"sent": 3}
        under_way = await CronRun.get(name=NAME)

    finished = await CronRun.get(name=NAME)
    assert (under_way.finished_at, under_way.succeeded) == (None, None)
    assert under_way.lease_until is not None
    assert (finished.succeeded, finished.summary, finished.lease_until) == (True, {"sent": 3}, None)
    assert finished.finished_at is not None
    assert finished.finished_at >= finished.started_at


async def test_a_run_that_fails_is_remembered_by_the_class_of_its_error():
    async def fail() -> None:
        async with exclusive_run(NAME) as run:
            assert run is not None
            run.summary = {"sent": 1}
            raise KeyError("something personal")

    with pytest.raises(KeyError):
        await fail()

    failed = await CronRun.get(name=NAME)
    assert (failed.succeeded, failed.summary) == (False, {"sent": 1, "error_class": "KeyError"})
    assert failed.lease_token is None


async def test_only_one_of_many_begins_the_run():
    begun: list[bool] = []
    release = asyncio.Event()

    async def take_part() -> None:
        async with exclusive_run(NAME) as run:
            begun.append(run is not None)
            if len(begun) == 5:
                release.set()
            await release.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(take_part())

    assert sorted(begun) == [False] * 4 + [True]


async def test_a_run_that_began_a_short_while_ago_does_not_begin_again():
    async with exclusive_run(NAME, every=HOUR) as first:
        assert first is not None

    async with exclusive_run(NAME, every=HOUR) as too_early:
        assert too_early is None
    await write("UPDATE cron_run SET started_at = started_at - interval '1 hour' RETURNING name")
    async with exclusive_run(NAME, every=HOUR) as on_time:
        assert on_time is not None


async def test_the_run_of_a_dead_worker_goes_on_elsewhere_once_its_lease_ends():
    async with exclusive_run(NAME, every=HOUR):
        pass
    await write(DIED.format(until="now() + interval '1 minute'") + " RETURNING name")
    async with exclusive_run(NAME, every=HOUR) as while_leased:
        assert while_leased is None

    await write(DIED.format(until="now() - interval '1 second'") + " RETURNING name")

    async with exclusive_run(NAME, every=HOUR) as taken_over:
        assert taken_over is not None


async def test_a_run_that_was_taken_over_neither_counts_as_ours_nor_ends_the_other():
    other = uuid4()
    async with exclusive_run(NAME, lease=timedelta(milliseconds=60)) as run:
        assert run is not None
        await write(
            "UPDATE cron_run SET lease_token = $1, lease_until = now() + interval '1 minute' RETURNING name", other
        )

        async def is_lost() -> bool:
            return not run.is_ours

        await until(is_lost)

    row = await CronRun.get(name=NAME)
    assert (row.lease_token, row.finished_at) == (other, None)


async def take_lease(approval: Approval, duration: timedelta) -> Lease:
    """A lease that has just run out, and is still nobody else's."""
    token = uuid4()
    await write(
        "UPDATE approval SET lease_token = $2, lease_until = now() WHERE id = $1 RETURNING id", approval.id, token
    )
    return Lease(table=LeasedTable.APPROVAL, key=approval.id, token=token, duration=duration)


async def seconds_left(approval: Approval) -> float:
    rows = await fetch_all(
        "SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 AS left FROM approval WHERE id = $1",
        approval.id,
    )
    return rows[0]["left"]


async def test_a_lease_is_renewed_while_the_work_goes_on():
    approval = await make_approval()
    lease = await take_lease(approval, timedelta(milliseconds=300))

    async def is_renewed() -> bool:
        return await seconds_left(approval) > 0

    async with lease.kept():
        await until(is_renewed)
        renewed = await seconds_left(approval)

    assert 0 < renewed <= 0.3
    assert not lease.is_lost


async def test_a_lease_is_renewed_and_released_by_its_holder_only():
    approval = await make_approval()
    ours = await take_lease(approval, MINUTE)
    theirs = Lease(table=LeasedTable.APPROVAL, key=approval.id, token=uuid4(), duration=MINUTE)

    assert not await theirs.renew()
    await theirs.release()
    assert await ours.renew()
    assert await seconds_left(approval) > 50
    await ours.release()

    await approval.refresh_from_db()
    assert (approval.lease_token, approval.lease_until) == (None, None)
    assert not await ours.renew()
    assert ours.is_lost
