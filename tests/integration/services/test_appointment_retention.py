"""What is forgotten of appointments, and what is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import Appointment, AppointmentEvent, AppointmentVersion, Participation, User
from services.appointments.retention import forget_old_appointments
from services.webhooks.outcomes import Ignored
from tests.factories import NOW, make_appointment, make_company, make_job_seeker, make_participation
from tests.integration.services.rdv_events import START, apply, make_setting, rdv

KEPT = timedelta(days=730)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("database")


async def test_an_appointment_is_forgotten_once_it_ended_longer_ago_than_it_is_kept():
    company, person = await make_company(), await make_job_seeker()
    kept: set[int] = set()
    for start_at, duration in (
        (NOW - KEPT - HOUR, HOUR - timedelta(seconds=1)),
        (NOW - KEPT - HOUR, HOUR),
        (NOW - KEPT - HOUR, 2 * HOUR),
        (NOW + HOUR, HOUR),
    ):
        appointment = await make_appointment(company, start_at=start_at, duration=duration)
        await make_participation(person, appointment)
        if start_at + duration >= NOW - KEPT:
            kept.add(appointment.rdv_insertion_id)

    forgotten = await forget_old_appointments(KEPT, now=NOW, batch_size=1)

    assert forgotten == 1
    assert {row.rdv_insertion_id for row in await Appointment.all()} == kept
    assert await Participation.all().count() == 3
    assert await User.filter(id=person.id).exists()


async def test_a_forgotten_appointment_leaves_its_place_in_the_order_of_events():
    await make_setting(2)
    await apply(rdv(1, at=5))

    await forget_old_appointments(KEPT, now=START + KEPT + HOUR)

    assert await AppointmentEvent.all().count() == 0
    assert await AppointmentVersion.filter(rdv_insertion_id=1).exists()


async def test_a_destroyed_appointment_does_not_come_back_when_it_is_forgotten():
    await make_setting(2)
    await apply(rdv(1, at=5))
    await apply(rdv(1, "destroyed", at=6))
    await forget_old_appointments(KEPT, now=START + KEPT + HOUR)

    outcome = await apply(rdv(1, at=7))

    assert outcome == Ignored("destroyed")
    assert await Appointment.all().count() == 0
