"""The doors of runs over many rows: the confirmation rings, and the sweep takes up what was left."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from jobs.operations import RUN_OPERATIONS, begin_operations, wake_operations
from models import Approval, CronRun
from models.enums import NotificationStatus, OperationState
from services.clock import utc_now
from services.operations.notifications import NotificationFilter
from services.operations.runs import Begun, begin_run, read_run
from tests.integration.jobs.conftest import WorkerParts
from tests.integration.operations.rows import REASON, make_operator, make_refused
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")


async def confirmed() -> UUID:
    await make_refused()
    operator = await make_operator()
    outcome = await begin_run(NotificationFilter(code="S008"), by=operator.id, reason=REASON, now=utc_now())
    assert isinstance(outcome, Begun)
    return outcome.run_id


async def is_finished(run_id: UUID) -> bool:
    run = await read_run(run_id)
    return run is not None and run.state is OperationState.FINISHED


async def test_the_bell_begins_a_run_at_once(worker: WorkerParts):
    run_id = await confirmed()

    await wake_operations(worker.context, run_id)
    await until(lambda: is_finished(run_id))

    assert (await Approval.get()).pe_notification_status is NotificationStatus.PENDING
    async with asyncio.timeout(10):
        await worker.context.inbox.awake.wait()


async def test_the_sweep_takes_up_a_run_for_which_nobody_rang(worker: WorkerParts):
    run_id = await confirmed()

    await begin_operations(worker.context)
    await until(lambda: is_finished(run_id))

    await until(lambda: CronRun.filter(name=RUN_OPERATIONS, succeeded=True).exists())
    assert (await CronRun.get(name=RUN_OPERATIONS)).summary["changed"] == 1
