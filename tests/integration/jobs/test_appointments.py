"""The tick that forgets appointments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobs.appointments import FORGET_APPOINTMENTS, forget_appointments
from models import Appointment, CronRun
from tests.factories import make_appointment, make_company
from tests.integration.jobs.conftest import WorkerParts


@pytest.mark.usefixtures("database")
async def test_appointments_older_than_the_setting_are_forgotten_once_a_night(worker: WorkerParts):
    company, now = await make_company(), datetime.now(UTC)
    await make_appointment(company, start_at=now - timedelta(days=12))
    recent = await make_appointment(company, start_at=now - timedelta(days=8))
    context = replace(worker.context, appointments_kept=timedelta(days=10))

    await forget_appointments(context)
    again = await make_appointment(company, start_at=now - timedelta(days=12))
    await forget_appointments(context)

    assert {row.id for row in await Appointment.all()} == {recent.id, again.id}
    run = await CronRun.get(name=FORGET_APPOINTMENTS)
    assert (run.succeeded, run.summary) == (True, {"deleted": 1})


@pytest.mark.usefixtures("database")
async def test_by_default_nothing_is_forgotten_within_two_years(worker: WorkerParts):
    company, now = await make_company(), datetime.now(UTC)
    kept = await make_appointment(company, start_at=now - timedelta(days=729))
    await make_appointment(company, start_at=now - timedelta(days=731))

    await forget_appointments(worker.context)

    assert [row.id for row in await Appointment.all()] == [kept.id]
