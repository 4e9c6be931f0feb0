"""The door of invitations: the sweep looks for lost answers, and does nothing where RDV-Insertion is off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.cron import TICKS
from jobs.invitations import begin_reconciling, reconcile_invitations
from models import CronRun, InvitationAttempt
from models.enums import InvitationAttemptState
from tests.integration.jobs.conftest import WorkerParts
from tests.integration.services.inviters import begin_and_die, make_application
from tests.unit.clients.rdv_insertion import FakeRDV, fake_rdv

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def rdv(database: object) -> AsyncIterator[FakeRDV]:
    async with fake_rdv() as rdv:
        yield rdv


async def test_the_sweep_takes_up_what_a_killed_process_left_and_sends_nothing(worker: WorkerParts, rdv: FakeRDV):
    await begin_and_die(await make_application())

    await reconcile_invitations(replace(worker.context, rdv_insertion=rdv.client))

    # Begun long ago by the clock of these tests: whom they do not know by now was not invited.
    assert (await InvitationAttempt.get()).state is InvitationAttemptState.NOT_SENT
    assert (await CronRun.get(name="reconcile_invitations")).summary["absent"] == 1
    assert not rdv.invite.called


async def test_where_rdv_insertion_is_off_attempts_wait(worker: WorkerParts):
    await begin_and_die(await make_application())

    await begin_reconciling(worker.context)
    await worker.context.rounds.finish(timedelta(seconds=5))

    assert (await InvitationAttempt.get()).state is InvitationAttemptState.SENDING
    assert not await CronRun.filter(name="reconcile_invitations").exists()


def test_the_sweep_is_in_the_timetable_of_every_minute():
    [tick] = [tick for tick in TICKS if tick.run is begin_reconciling]

    assert (tick.hour, tick.minute, tick.at_start) == (None, None, True)
