"""The ticks that forget by age leave what they did in their run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from jobs.privacy import COUNT_CANCELLATIONS, FORGET_TRACES, count_cancellations, forget_old_traces
from models import AccessLog, CancelledApproval, CronRun, User
from models.enums import UserKind
from services.clock import paris_day
from tests.factories import make_approval, make_job_seeker
from tests.integration.jobs.conftest import WorkerParts

pytestmark = pytest.mark.usefixtures("database")


async def test_traces_of_access_are_kept_for_a_year_by_default(worker: WorkerParts):
    now = datetime.now(UTC)
    for days in (364, 366):
        await AccessLog.create(
            at=now - timedelta(days=days),
            viewer_kind=UserKind.STAFF,
            viewer_id=uuid4(),
            job_seeker_id=uuid4(),
            field="nir",
            request_id="r",
        )

    await forget_old_traces(worker.context)

    assert await AccessLog.all().count() == 1
    run = await CronRun.get(name=FORGET_TRACES)
    assert (run.succeeded, run.summary["access_log"]) == (True, 1)


async def test_old_cancellations_and_what_is_left_of_erased_people_go_in_one_night(worker: WorkerParts):
    over = paris_day(datetime.now(UTC)) - timedelta(days=730)
    person = await make_job_seeker()
    old = await make_approval(person, start_at=over - timedelta(days=729), end_at=over, accepted_application=False)
    await make_approval(accepted_application=False)
    await CancelledApproval.create(
        approval=old,
        number=old.number,
        start_at=old.start_at,
        end_at=old.end_at,
        origin_siae_siret=old.origin_siae_siret,
        origin_siae_kind=old.origin_siae_kind,
    )
    await User.filter(id=person.id).update(
        subject=None,
        title=None,
        first_name="",
        last_name="",
        email=None,
        phone="",
        is_active=False,
        erased_at=datetime.now(UTC) - timedelta(days=600),
    )

    await count_cancellations(worker.context)

    run = await CronRun.get(name=COUNT_CANCELLATIONS)
    assert (run.succeeded, run.summary) == (True, {"counted": 1, "erasures_finished": 1})
    assert not await CancelledApproval.exists()
    assert not await User.filter(id=person.id).exists()
