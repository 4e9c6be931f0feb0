"""The log of changes: complete, in the order of the commits, whatever the writers do at once."""

from __future__ import annotations

import pytest

from models import Appointment, AppointmentEvent, Participation
from models.database import counting_statements, transaction
from models.enums import AppointmentEventKind, ParticipationStatus
from services.event_log import AppointmentChanged, ParticipationStatusChanged, append, appending_together
from tests.factories import NOW, make_appointment, make_company, make_job_seeker, make_participation

pytestmark = pytest.mark.usefixtures("database")


def changed(appointment: Appointment, kind: AppointmentEventKind = AppointmentEventKind.UPDATED) -> AppointmentChanged:
    return AppointmentChanged(kind=kind, appointment_id=appointment.id, company_id=appointment.company_id)


def seen(participation: Participation, appointment: Appointment) -> ParticipationStatusChanged:
    return ParticipationStatusChanged(
        participation_id=participation.id,
        appointment_id=appointment.id,
        company_id=appointment.company_id,
        previous_status=ParticipationStatus.UNKNOWN,
        status=ParticipationStatus.SEEN,
    )


async def test_entries_are_kept_in_the_order_in_which_they_were_given():
    appointment = await make_appointment(await make_company())
    participation = await make_participation(await make_job_seeker(), appointment)
    kinds = list(AppointmentEventKind)

    async with transaction():
        await append([*(changed(appointment, kind) for kind in kinds), seen(participation, appointment)], now=NOW)

    rows = await AppointmentEvent.all().order_by("position")
    assert [row.kind for row in rows] == [*kinds, None]
    assert rows[-1].participation_id == participation.id
    assert (rows[-1].previous_status, rows[-1].status) == (ParticipationStatus.UNKNOWN, ParticipationStatus.SEEN)
    assert {row.occurred_at for row in rows} == {NOW}


@pytest.mark.parametrize("number", [1, 50])
async def test_any_number_of_entries_is_one_statement(number: int):
    appointment = await make_appointment(await make_company())

    async with counting_statements() as counter, transaction():
        await append([changed(appointment)] * number, now=NOW)

    assert counter.statements == 1
    assert await AppointmentEvent.all().count() == number


async def test_no_entry_is_no_statement():
    async with counting_statements() as counter:
        await append([], now=NOW)

    assert counter.statements == 0


async def test_what_is_appended_together_is_one_statement_at_the_end_in_its_order():
    appointment = await make_appointment(await make_company())
    kinds = list(AppointmentEventKind)

    async with counting_statements() as counter, transaction(), appending_together(lambda: NOW):
        for kind in kinds:
            await append([changed(appointment, kind)], now=NOW)

    assert counter.statements == 1
    assert [row.kind for row in await AppointmentEvent.all().order_by("position")] == kinds


async def test_nothing_is_appended_of_what_is_undone():
    appointment = await make_appointment(await make_company())

    async def undone() -> None:
        async with transaction(), appending_together(lambda: NOW):
            await append([changed(appointment)], now=NOW)
            raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        await undone()
    async with transaction():
        await append([changed(appointment)], now=NOW)

    assert await AppointmentEvent.all().count() == 1
