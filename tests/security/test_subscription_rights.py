"""Every subscription × every kind of viewer × every row of the world: who is told of which change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from execution.engine import GraphQLEngine
from models import Approval
from models.database import DatabaseConfig, transaction
from models.enums import AppointmentEventKind, NotificationStatus, ParticipationStatus
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from services.event_log import AppointmentChanged, LogEntry, ParticipationStatusChanged, append
from tests.factories import NOW
from tests.integration.schema.client import never_ring
from tests.integration.schema.crowd import empty_database
from tests.integration.schema.subscribers import Station, Subscriber, station
from tests.security import matrix
from tests.security.matrix import ANONYMOUS, EVERY_ROW, SIGNED_IN
from tests.security.world import World, make_world

QUERIES = {
    "participationStatusChanged": "subscription { participationStatusChanged { participation { id } } }",
    "appointmentChanged": "subscription { appointmentChanged { appointment { id } } }",
    "approvalNotificationChanged": "subscription { approvalNotificationChanged { id notification { status } } }",
}
TYPES = {
    "participationStatusChanged": "Participation",
    "appointmentChanged": "Appointment",
    "approvalNotificationChanged": "Approval",
}


@dataclass(slots=True)
class Court:
    """The world, and subscribers to what happens in it."""

    here: Station
    world: World


@pytest.fixture(scope="module")
async def court(_open_database: DatabaseConfig, engine: GraphQLEngine) -> AsyncIterator[Court]:
    world = await make_world()
    resources = Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=never_ring)
    async with station(engine, resources, _open_database) as here:
        yield Court(here, world)
    await empty_database()


async def change(world: World, name: str, row: str) -> None:
    """Let something happen to a row of the type that a subscription tells of."""
    record = world.row(TYPES[name], row)
    if name == "approvalNotificationChanged":
        current = await Approval.get(id=record.id)
        other = {NotificationStatus.READY: NotificationStatus.SHOULD_RETRY}
        status = other.get(current.pe_notification_status, NotificationStatus.READY)
        await Approval.filter(id=record.id).update(pe_notification_status=status)
        return
    async with transaction():
        await append([_entry(world, name, record)], now=NOW)


def _entry(world: World, name: str, record: Any) -> LogEntry:
    if name == "appointmentChanged":
        return AppointmentChanged(
            kind=AppointmentEventKind.UPDATED, appointment_id=record.id, company_id=record.company_id
        )
    appointment = next(one for one in world.rows["Appointment"].values() if one.id == record.appointment_id)
    return ParticipationStatusChanged(
        participation_id=record.id,
        appointment_id=appointment.id,
        company_id=appointment.company_id,
        previous_status=ParticipationStatus.UNKNOWN,
        status=ParticipationStatus.CANCELLED,
    )


def id_of(name: str, answer: dict[str, Any]) -> str | None:
    told = answer["data"][name]
    match name:
        case "participationStatusChanged":
            return told["participation"]["id"]
        case "appointmentChanged":
            return told["appointment"] and told["appointment"]["id"]
        case _:
            return told["id"]


def expected_rows(world: World, name: str, viewer: str) -> list[str]:
    rows = matrix.SUBSCRIPTIONS[name].get(viewer, frozenset[str]())
    return [row for row in world.rows[TYPES[name]] if rows == EVERY_ROW or row in rows]


@pytest.mark.parametrize("name", QUERIES)
async def test_each_viewer_is_told_of_what_the_table_says_and_of_nothing_else(court: Court, name: str):
    world, here = court.world, court.here
    subscribers: dict[str, Subscriber] = {}
    for viewer in SIGNED_IN:
        if name == "approvalNotificationChanged" and viewer not in matrix.SUBSCRIPTIONS[name]:
            continue
        asker = world.viewers[viewer]
        subscribers[viewer] = await here.subscribe(QUERIES[name], as_=asker.who, of=asker.of)

    for row in world.rows[TYPES[name]]:
        await change(world, name, row)
    # Last, once more a row that each of them sees: whatever else they were told has come before it.
    for viewer, subscriber in subscribers.items():
        expected = expected_rows(world, name, viewer)
        if expected:
            await subscriber.until(len(expected))
            before = len(subscriber.received)
            await change(world, name, expected[0])
            await subscriber.until(before + 1)

    destroyed = {one.id for one in world.rows["Appointment"].values() if one.destroyed_at is not None}
    assert destroyed, "the world holds no destroyed appointment"
    for viewer, subscriber in subscribers.items():
        told = {id_of(name, answer) for answer in subscriber.received} - {None}
        assert told == {world.id(TYPES[name], row) for row in expected_rows(world, name, viewer)}, viewer
    for subscriber in subscribers.values():
        await subscriber.leave()


REFUSED = [
    *((ANONYMOUS, name, "UNAUTHENTICATED") for name in QUERIES),
    *(
        (viewer, "approvalNotificationChanged", "FORBIDDEN")
        for viewer in SIGNED_IN
        if viewer not in matrix.SUBSCRIPTIONS["approvalNotificationChanged"]
    ),
]


@pytest.mark.parametrize(("viewer", "name", "expected"), REFUSED)
async def test_who_may_not_follow_at_all_is_told_so_at_once(court: Court, viewer: str, name: str, expected: str):
    asker = court.world.viewers[viewer]

    error = await court.here.refusal(QUERIES[name], as_=asker.who, of=asker.of)

    assert error["extensions"]["code"] == expected


def test_every_subscription_is_walked():
    assert set(QUERIES) == set(TYPES) == set(matrix.SUBSCRIPTIONS)
