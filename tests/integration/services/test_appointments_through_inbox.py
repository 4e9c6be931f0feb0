"""Appointments from the door's INSERT to the rows that people read, through the engine and several workers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import User, WebhookEvent, database
from models.enums import WebhookEventStatus
from services.webhooks.deliveries import read_rdv_insertion
from services.webhooks.dispatch import appliers
from services.webhooks.engine import work_off
from services.webhooks.inbox import store
from services.webhooks.redrive import reopen_for_invitation_request, reopen_forgotten
from tests.factories import NOW, make_company, make_job_seeker
from tests.integration.services.rdv_events import (
    Setting,
    ask_to_come,
    forget,
    make_setting,
    next_number,
    rdv,
    shown,
    shown_parts,
)
from tests.integration.services.test_appointment_event_orders import (
    COMPARED,
    INVITED,
    NUMBER,
    Event,
    drawn_event,
    expected,
    part_of,
)

APPLIERS = appliers(survey_kinds={})


@pytest.fixture
async def setting(database: object) -> Setting:
    return await make_setting(*INVITED)


async def deliver(*bodies: bytes) -> None:
    for body in bodies:
        await store(read_rdv_insertion(body), writer=database, received_at=NOW)


async def work_off_by(workers: int) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work_off(APPLIERS))


async def stored(body: bytes) -> WebhookEvent:
    return await WebhookEvent.get(fingerprint=read_rdv_insertion(body).fingerprint)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(drawn_event(), min_size=1, max_size=7),
    batches=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=4),
    data=st.data(),
)
async def test_whatever_is_delivered_when_the_newest_event_prevails(
    setting: Setting, events: list[Event], batches: list[tuple[int, int]], data: Any
):
    await forget(NUMBER)
    bodies = [(event, event.body(NUMBER)) for event in events]
    again: list[tuple[Event, bytes]] = data.draw(st.lists(st.sampled_from(bodies), max_size=4))
    waiting = [body for _, body in [*bodies, *again]]

    for size, workers in batches:
        await deliver(*waiting[:size])
        del waiting[:size]
        await work_off_by(workers)
    await deliver(*waiting)
    await work_off_by(2)

    people = {user: person.id for user, person in setting.people.items()}
    assert part_of(await shown(NUMBER), COMPARED) == expected(bodies, people)
    assert not await WebhookEvent.filter(status=WebhookEventStatus.RECEIVED).exists()


def story(number: int, late: int) -> Sequence[bytes]:
    users = (2, late)
    return (
        rdv(number, "created", at=1, users=users),
        rdv(number, at=2, users=users, statuses={2: "unknown", late: "seen"}),
        rdv(number, at=3, users=users, statuses={2: "seen", late: "noshow"}),
    )


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("others_are_invited", [True, False])
async def test_a_person_takes_part_wherever_among_the_events_their_invitation_commits(others_are_invited: bool):
    setting = await make_setting(*((2,) if others_are_invited else ()))
    ends: list[str] = []

    for moment in range(4):
        number = next_number()
        user, late = 7_000 + number, await make_job_seeker()
        for position, body in enumerate(story(number, user)):
            if position == moment:
                await invite_late(setting, late, user)
            await deliver(body)
            await work_off(APPLIERS)
        if moment == 3:
            await invite_late(setting, late, user)
        ends.append((await shown_parts(number))[late.id].status)

    assert ends == ["absent"] * 4


async def invite_late(setting: Setting, person: User, user: int) -> None:
    """As the mutation does: commit the request, then have the events looked at again."""
    request = await ask_to_come(person, setting.company, user)
    await reopen_for_invitation_request(request.id)
    await work_off(APPLIERS)


@pytest.mark.usefixtures("database")
async def test_events_wait_for_the_company_they_belong_to():
    body = rdv(1, organisation=777)
    company = await make_company()
    person = await make_job_seeker()
    await ask_to_come(person, company, 2)
    await deliver(body)
    await work_off(APPLIERS)
    before = await stored(body)

    await company.filter(id=company.id).update(rdv_solidarites_id=777)
    await reopen_forgotten(now=NOW + timedelta(days=30))
    await work_off(APPLIERS)

    assert (before.status, (await stored(body)).status) == (WebhookEventStatus.UNMATCHED, WebhookEventStatus.PROCESSED)
    assert set(await shown_parts(1)) == {person.id}


@pytest.mark.usefixtures("setting")
async def test_what_came_of_each_event_is_recorded_with_its_reason():
    bodies = {
        "processed": rdv(1, at=3),
        "ignored": rdv(1, at=2),
        "unmatched": rdv(2, users=(99,)),
        "failed": rdv(3, status="postponed"),
    }
    await deliver(*bodies.values())

    await work_off(APPLIERS)

    rows = {name: await stored(body) for name, body in bodies.items()}
    assert {name: row.status.value for name, row in rows.items()} == {name: name for name in bodies}
    assert {name: row.error for name, row in rows.items()} == {
        "processed": None,
        "ignored": "stale",
        "unmatched": "nobody_invited",
        "failed": "unlisted_status",
    }
