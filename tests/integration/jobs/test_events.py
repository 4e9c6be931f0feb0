"""The nightly shortening of the logs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobs.cron import TICKS
from jobs.events import FORGET_EVENTS, forget_events
from models import AppointmentEvent, CronRun
from models.enums import AppointmentEventKind
from services.event_log import AppointmentChanged, append
from tests.factories import make_appointment, make_company
from tests.integration.jobs.conftest import WorkerParts


@pytest.mark.usefixtures("database")
async def test_what_is_older_than_the_retention_is_deleted_and_counted(worker: WorkerParts):
    appointment = await make_appointment(await make_company())
    change = AppointmentChanged(
        kind=AppointmentEventKind.UPDATED, appointment_id=appointment.id, company_id=appointment.company_id
    )
    now = datetime.now(UTC)
    await append([change, change], now=now - timedelta(days=4))
    await append([change], now=now - timedelta(days=2))

    await forget_events(replace(worker.context, events_kept=timedelta(days=3)))

    assert await AppointmentEvent.all().count() == 1
    run = await CronRun.get(name=FORGET_EVENTS)
    assert run.summary == {"appointment_event": 2, "approval_event": 0}


def test_the_logs_are_shortened_every_night():
    assert [(tick.hour, tick.minute) for tick in TICKS if tick.run is forget_events] == [(3, 20)]
