"""The fields of Subscription: who is told of what, from where on, at which cost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import asyncpg
import pytest
from tortoise.connection import get_connection

from execution.engine import GraphQLEngine
from models import Appointment, AppointmentEvent, Approval, Company, Membership, Participation, PartnerClient, User
from models.database import DatabaseConfig, transaction
from models.enums import (
    AppointmentEventKind,
    JobApplicationState,
    NotificationStatus,
    ParticipationStatus,
    UserKind,
)
from resolvers.context import Resources
from resolvers.global_ids import encode
from services.event_log import AppointmentChanged, ParticipationStatusChanged, append
from services.event_log.retention import purge_logs
from tests.factories import (
    NOW,
    make_appointment,
    make_approval,
    make_company,
    make_employer,
    make_institution,
    make_job_application,
    make_job_seeker,
    make_labor_inspector,
    make_participation,
    make_partner_client,
    make_prescriber,
    make_prescriber_organization,
    make_user,
)
from tests.integration.schema.subscribers import Station, Subscriber, station, viewer_of

STATUSES = """
subscription($after: String, $companyIds: [ID!]) {
  participationStatusChanged(after: $after, companyIds: $companyIds) {
    cursor previousStatus status occurredAt
    participation { id status statusLabel jobSeeker { id firstName lastName } appointment { id startAt } }
  }
}
"""
APPOINTMENTS = """
subscription($after: String, $companyIds: [ID!]) {
  appointmentChanged(after: $after, companyIds: $companyIds) {
    cursor kind occurredAt
    appointment { id startAt company { id } participations(first: 5) { nodes { id } } }
  }
}
"""
APPROVALS = "subscription($after: String) { approvalNotificationChanged(after: $after) { id notification { status } } }"


class Scene:
    """A company, somebody who applied to it, and an appointment of theirs; and another company with its own."""

    company: Company
    person: User
    appointment: Appointment
    participation: Participation
    employer: User
    operator: User
    foreign: Appointment
    foreign_participation: Participation

    @staticmethod
    async def make() -> Scene:
        scene = Scene()
        scene.company = await make_company()
        scene.person = await make_job_seeker()
        await make_job_application(scene.person, scene.company)
        scene.appointment = await make_appointment(scene.company)
        scene.participation = await make_participation(scene.person, scene.appointment)
        scene.employer = await make_employer(scene.company)
        scene.operator = await make_user(UserKind.STAFF, is_operator=True)
        scene.foreign = await make_appointment(await make_company())
        other = await make_job_seeker()
        await make_job_application(other, await Company.get(id=scene.foreign.company_id))
        scene.foreign_participation = await make_participation(other, scene.foreign)
        return scene


@pytest.fixture
async def scene(database: DatabaseConfig) -> Scene:
    return await Scene.make()


@pytest.fixture
async def here(database: DatabaseConfig, engine: GraphQLEngine, resources: Resources) -> AsyncIterator[Station]:
    async with station(engine, resources, database) as here:
        yield here


async def mark_seen(participation: Participation, status: ParticipationStatus = ParticipationStatus.SEEN) -> None:
    """As the appliers do: the change and its entry in one transaction."""
    async with transaction():
        appointment = await Appointment.get(id=participation.appointment_id)
        current = await Participation.get(id=participation.id)
        await Participation.filter(id=participation.id).update(status=status)
        entry = ParticipationStatusChanged(
            participation_id=participation.id,
            appointment_id=appointment.id,
            company_id=appointment.company_id,
            previous_status=current.status,
            status=status,
        )
        await append([entry], now=NOW)


async def change(appointment: Appointment, kind: AppointmentEventKind, **values: Any) -> None:
    async with transaction():
        if values:
            await Appointment.filter(id=appointment.id).update(**values)
        entry = AppointmentChanged(kind=kind, appointment_id=appointment.id, company_id=appointment.company_id)
        await append([entry], now=NOW)


async def told_of_last(subscriber: Subscriber, marker: Appointment) -> list[Any]:
    """Everything up to a change that the subscriber certainly sees: what is not there by then was withheld."""
    await change(marker, AppointmentEventKind.UPDATED)
    position = await AppointmentEvent.all().order_by("-position").first()
    assert position is not None
    while not subscriber.received or subscriber.received[-1]["data"]["appointmentChanged"]["kind"] != "UPDATED":
        await subscriber.until(len(subscriber.received) + 1)
    return [answer["data"]["appointmentChanged"] for answer in subscriber.received[:-1]]


# -- what is told


async def test_an_employer_is_told_of_a_status_with_everything_that_was_selected(here: Station, scene: Scene):
    subscriber = await here.subscribe(STATUSES, as_=scene.employer, of=scene.company)

    await mark_seen(scene.participation)

    answer = (await subscriber.until(1))[0]
    told = answer["data"]["participationStatusChanged"]
    assert told == {
        "cursor": told["cursor"],
        "previousStatus": "UNKNOWN",
        "status": "SEEN",
        "occurredAt": "2026-02-18T09:30:00+00:00",
        "participation": {
            "id": encode("Participation", scene.participation.id),
            "status": "SEEN",
            "statusLabel": ParticipationStatus.SEEN.label,
            "jobSeeker": {
                "id": encode("JobSeeker", scene.person.id),
                "firstName": scene.person.first_name,
                "lastName": scene.person.last_name,
            },
            "appointment": {
                "id": encode("Appointment", scene.appointment.id),
                "startAt": "2026-02-21T09:30:00+00:00",
            },
        },
    }
    assert answer["extensions"] == {"cursor": told["cursor"]}


async def test_a_new_participation_has_no_previous_status(here: Station, scene: Scene):
    subscriber = await here.subscribe(STATUSES, as_=scene.operator)
    entry = ParticipationStatusChanged(
        participation_id=scene.participation.id,
        appointment_id=scene.appointment.id,
        company_id=scene.company.id,
        previous_status=None,
        status=ParticipationStatus.UNKNOWN,
    )

    await append([entry], now=NOW)

    assert (await subscriber.until(1))[0]["data"]["participationStatusChanged"]["previousStatus"] is None


async def test_appointments_are_told_of_with_their_kind_and_lists_below_them(here: Station, scene: Scene):
    subscriber = await here.subscribe(APPOINTMENTS, as_=scene.employer, of=scene.company)

    await change(scene.appointment, AppointmentEventKind.MOVED, start_at=NOW + timedelta(days=9))

    told = (await subscriber.until(1))[0]["data"]["appointmentChanged"]
    assert told["kind"] == "MOVED"
    assert told["appointment"] == {
        "id": encode("Appointment", scene.appointment.id),
        "startAt": "2026-02-27T09:30:00+00:00",
        "company": {"id": encode("Company", scene.company.id)},
        "participations": {"nodes": [{"id": encode("Participation", scene.participation.id)}]},
    }


async def test_each_event_shows_its_row_as_it_is_after_it_however_close_they_are(here: Station, scene: Scene):
    subscriber = await here.subscribe(STATUSES, as_=scene.operator)

    for number, status in enumerate((ParticipationStatus.SEEN, ParticipationStatus.ABSENT), start=1):
        await mark_seen(scene.participation, status)
        await subscriber.until(number)

    told = [answer["data"]["participationStatusChanged"] for answer in subscriber.received]
    assert [one["participation"]["status"] for one in told] == ["SEEN", "ABSENT"]


async def test_what_lies_below_an_event_is_read_anew_for_each_event(here: Station, scene: Scene):
    subscriber = await here.subscribe(APPOINTMENTS, as_=scene.operator)
    await change(scene.appointment, AppointmentEventKind.UPDATED)
    await subscriber.until(1)

    await Participation.filter(id=scene.participation.id).update(removed_at=NOW)
    await change(scene.appointment, AppointmentEventKind.UPDATED)

    first, second = (answer["data"]["appointmentChanged"] for answer in await subscriber.until(2))
    assert len(first["appointment"]["participations"]["nodes"]) == 1
    assert second["appointment"]["participations"]["nodes"] == []


# -- to whom


async def viewers_of_the_participation(scene: Scene) -> dict[str, tuple[User | PartnerClient, Any]]:
    """Everybody who might, by their rights: (who, organisation)."""
    organization = await make_prescriber_organization()
    unauthorized = await make_prescriber_organization(is_authorized=False)
    sender = await make_prescriber(organization)
    await make_job_application(
        scene.person,
        scene.company,
        sender=sender,
        sender_kind="prescriber",
        sender_prescriber_organization=organization,
    )
    institution = await make_institution()
    return {
        "employer": (scene.employer, scene.company),
        "person": (scene.person, None),
        "authorized": (await make_prescriber(organization), organization),
        "operator": (scene.operator, None),
        "partner": (await make_partner_client(scene.company), None),
        "partner_of_others": (await make_partner_client(await Company.get(id=scene.foreign.company_id)), None),
        "partner_without_scope": (await make_partner_client(scene.company, scopes=()), None),
        "foreign_employer": (
            await make_employer(await Company.get(id=scene.foreign.company_id)),
            await Company.get(id=scene.foreign.company_id),
        ),
        "other_person": (await make_job_seeker(), None),
        "unauthorized": (await make_prescriber(unauthorized), unauthorized),
        "inspector": (await make_labor_inspector(institution), institution),
    }


SEE_THE_PARTICIPATION = {"employer", "person", "authorized", "operator", "partner"}


async def test_exactly_those_who_may_read_a_participation_are_told_of_it(here: Station, scene: Scene):
    everybody = await viewers_of_the_participation(scene)
    query = STATUSES.replace("statusLabel jobSeeker { id firstName lastName } appointment { id startAt }", "")
    subscribers = {name: await here.subscribe(query, as_=who, of=of) for name, (who, of) in everybody.items()}

    await mark_seen(scene.participation)
    await mark_seen(scene.foreign_participation)
    for name in ("operator", "foreign_employer", "partner_of_others"):
        await subscribers[name].until(2 if name == "operator" else 1)
    for name in SEE_THE_PARTICIPATION:
        await subscribers[name].until(1)

    ours = encode("Participation", scene.participation.id)
    told = {
        name: [answer["data"]["participationStatusChanged"]["participation"]["id"] for answer in one.received]
        for name, one in subscribers.items()
    }
    assert {name for name, ids in told.items() if ours in ids} == SEE_THE_PARTICIPATION
    foreign = encode("Participation", scene.foreign_participation.id)
    assert {name for name, ids in told.items() if foreign in ids} == {
        "operator",
        "foreign_employer",
        "partner_of_others",
    }


async def test_a_person_whose_application_went_elsewhere_is_out_of_the_employers_sight(here: Station, scene: Scene):
    subscriber = await here.subscribe(STATUSES, as_=scene.employer, of=scene.company)
    other = await make_job_seeker()
    gone = await make_participation(other, scene.appointment)

    await mark_seen(gone)
    await mark_seen(scene.participation)

    told = (await subscriber.until(1))[0]["data"]["participationStatusChanged"]
    assert told["participation"]["id"] == encode("Participation", scene.participation.id)


@pytest.mark.parametrize("viewer", ["employer", "person", "operator", "foreign"])
async def test_a_deleted_appointment_is_told_as_null_to_those_who_saw_it(here: Station, scene: Scene, viewer: str):
    foreign_company = await Company.get(id=scene.foreign.company_id)
    who, of, marker = {
        "employer": (scene.employer, scene.company, scene.appointment),
        "person": (scene.person, None, scene.appointment),
        "operator": (scene.operator, None, scene.foreign),
        "foreign": (await make_employer(foreign_company), foreign_company, scene.foreign),
    }[viewer]
    deleted = await make_appointment(scene.company)
    await make_participation(scene.person, deleted, removed_at=NOW)
    marker = await make_appointment(await Company.get(id=marker.company_id))
    await make_participation(scene.person, marker)
    subscriber = await here.subscribe(APPOINTMENTS, as_=who, of=of)

    await change(deleted, AppointmentEventKind.DELETED, destroyed_at=NOW)

    told = await told_of_last(subscriber, marker)
    assert [(one["kind"], one["appointment"]) for one in told] == ([] if viewer == "foreign" else [("DELETED", None)])


async def test_who_was_taken_out_before_the_deletion_is_not_told_of_it(here: Station, scene: Scene):
    deleted = await make_appointment(scene.company)
    await make_participation(scene.person, deleted, removed_at=NOW - timedelta(days=1))
    subscriber = await here.subscribe(APPOINTMENTS, as_=scene.person)

    await change(deleted, AppointmentEventKind.DELETED, destroyed_at=NOW)

    assert await told_of_last(subscriber, scene.appointment) == []


async def test_company_ids_narrow_and_never_widen(here: Station, scene: Scene):
    ours, foreign = encode("Company", scene.company.id), encode("Company", scene.foreign.company_id)
    narrowed = await here.subscribe(APPOINTMENTS, {"companyIds": [ours]}, as_=scene.operator)
    both = await here.subscribe(APPOINTMENTS, {"companyIds": [ours, foreign]}, as_=scene.employer, of=scene.company)
    none = await here.subscribe(APPOINTMENTS, {"companyIds": []}, as_=scene.operator)

    await change(scene.foreign, AppointmentEventKind.MOVED)
    await change(scene.appointment, AppointmentEventKind.CANCELLED)

    for subscriber in (narrowed, both):
        assert [one["data"]["appointmentChanged"]["kind"] for one in await subscriber.until(1)] == ["CANCELLED"]
    assert none.received == []


# -- approvals


async def test_a_notification_is_told_to_staff_and_to_the_company_that_obtained_the_approval(
    here: Station, scene: Scene
):
    approval = await make_approval(scene.person, scene.company, pe_notification_status=NotificationStatus.READY)
    elsewhere = await make_company()
    await make_job_application(scene.person, elsewhere, state=JobApplicationState.ACCEPTED)
    staff = await here.subscribe(APPROVALS, as_=scene.operator)
    origin = await here.subscribe(APPROVALS, as_=scene.employer, of=scene.company)
    # Sees the approval, and may not read how far France Travail knows of it.
    other = await here.subscribe(APPROVALS, as_=await make_employer(elsewhere), of=elsewhere)

    await Approval.filter(id=approval.id).update(pe_notification_status=NotificationStatus.SUCCESS)
    theirs = await make_approval(company=elsewhere, pe_notification_status=NotificationStatus.READY)
    await Approval.filter(id=theirs.id).update(pe_notification_status=NotificationStatus.ERROR)

    assert await staff.until(2)
    told = (await origin.until(1))[0]
    assert told["data"]["approvalNotificationChanged"] == {
        "id": encode("Approval", approval.id),
        "notification": {"status": "SUCCESS"},
    }
    assert [one["data"]["approvalNotificationChanged"]["id"] for one in await other.until(1)] == [
        encode("Approval", theirs.id)
    ]
    resumed = await here.subscribe(APPROVALS, {"after": told["extensions"]["cursor"]}, as_=scene.operator)
    assert (await resumed.until(1))[0]["data"]["approvalNotificationChanged"]["id"] == encode("Approval", theirs.id)


# -- what is refused


@pytest.mark.parametrize("query", [STATUSES, APPOINTMENTS, APPROVALS])
async def test_who_is_not_signed_in_is_told_so(here: Station, query: str):
    assert (await here.refusal(query))["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("viewer", ["person", "authorized", "partner", "inspector"])
async def test_notifications_are_refused_to_who_may_not_read_them(here: Station, scene: Scene, viewer: str):
    who, of = (await viewers_of_the_participation(scene))[viewer]

    error = await here.refusal(APPROVALS, as_=who, of=of)

    assert error["extensions"]["code"] == "FORBIDDEN"


async def test_wrong_arguments_are_refused_before_the_stream_begins(here: Station, scene: Scene):
    subscriber = await here.subscribe(STATUSES, as_=scene.operator)
    await mark_seen(scene.participation)
    cursor = (await subscriber.until(1))[0]["data"]["participationStatusChanged"]["cursor"]

    for query, variables in (
        (STATUSES, {"after": "forged"}),
        (APPOINTMENTS, {"after": cursor}),  # of another field
        (STATUSES, {"after": cursor[:-2] + "AA"}),
        (STATUSES, {"companyIds": [encode("Appointment", uuid4())]}),
        (STATUSES, {"companyIds": [encode("Company", uuid4())] * 1_001}),
    ):
        error = await here.refusal(query, variables, as_=scene.operator)
        assert error["extensions"]["code"] == "BAD_USER_INPUT", variables


async def test_an_expired_cursor_says_to_read_the_present_state(here: Station, scene: Scene):
    subscriber = await here.subscribe(STATUSES, as_=scene.operator)
    await mark_seen(scene.participation)
    cursor = (await subscriber.until(1))[0]["data"]["participationStatusChanged"]["cursor"]
    await mark_seen(scene.participation, ParticipationStatus.ABSENT)
    await subscriber.until(2)
    await purge_logs(before=NOW + timedelta(days=1))

    async with station(here.engine._engine, here.resources, _config(here)) as restarted:  # pyright: ignore[reportPrivateUsage]
        error = await restarted.refusal(STATUSES, {"after": cursor}, as_=scene.operator)

    assert error["extensions"] == {"code": "CURSOR_EXPIRED"}
    assert "read the present state" in error["message"]


def _config(here: Station) -> DatabaseConfig:
    from tests.conftest import KEYS

    return DatabaseConfig(url=here.source.hub._config.url, keys=KEYS)  # pyright: ignore[reportPrivateUsage]


async def test_a_process_without_a_hub_says_that_it_follows_nothing(here: Station, scene: Scene):
    here.resources = Resources(cursors=here.resources.cursors, ring=here.resources.ring)

    assert (await here.refusal(STATUSES, as_=scene.operator))["extensions"]["code"] == "UNAVAILABLE"


# -- rights that end


async def test_a_membership_that_ended_ends_the_stream_before_the_next_event(
    database: DatabaseConfig, engine: GraphQLEngine, resources: Resources, scene: Scene
):
    async with station(engine, resources, database) as here:
        here.source.viewers._fresh_seconds = 0  # pyright: ignore[reportPrivateUsage]: as if a second had passed
        subscriber = await here.subscribe(STATUSES, as_=scene.employer, of=scene.company)

        await Membership.filter(user_id=scene.employer.id).update(ended_at=NOW)
        await mark_seen(scene.participation)

        assert (await subscriber.until_ended())["extensions"]["code"] == "UNAUTHENTICATED"
        assert subscriber.received == []
        assert here.followers == 0


async def test_rights_that_changed_end_the_stream_so_that_it_begins_with_the_new_ones(here: Station, scene: Scene):
    partner = await make_partner_client(scene.company)
    here.source.viewers._fresh_seconds = 0  # pyright: ignore[reportPrivateUsage]: as if a second had passed
    subscriber = await here.subscribe(APPOINTMENTS, as_=partner)
    bystander = await here.subscribe(APPOINTMENTS, as_=scene.operator)

    await PartnerClient.filter(id=partner.id).update(scopes=["appointments:read"])
    await change(scene.appointment, AppointmentEventKind.MOVED)

    error = await subscriber.until_ended()
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert "changed" in error["message"]
    await bystander.until(1)


# -- resuming, and the end


async def test_a_subscriber_resumes_on_another_process_without_gap_or_repeat(
    database: DatabaseConfig, engine: GraphQLEngine, resources: Resources, scene: Scene
):
    async with station(engine, resources, database) as one, station(engine, resources, database) as other:
        first = await one.subscribe(STATUSES, as_=scene.employer, of=scene.company)
        for status in (ParticipationStatus.SEEN, ParticipationStatus.ABSENT):
            await mark_seen(scene.participation, status)
        seen = await first.until(2)
        await first.leave()
        await mark_seen(scene.participation, ParticipationStatus.SEEN)

        cursor = seen[0]["data"]["participationStatusChanged"]["cursor"]
        resumed = await other.subscribe(STATUSES, {"after": cursor}, as_=scene.employer, of=scene.company)
        await mark_seen(scene.participation, ParticipationStatus.UNKNOWN)

        told = [one["data"]["participationStatusChanged"]["status"] for one in await resumed.until(3)]
        assert told == ["ABSENT", "SEEN", "UNKNOWN"]


async def test_a_server_that_stops_says_with_which_cursor_to_come_back(here: Station, scene: Scene):
    subscriber = await here.subscribe(STATUSES, as_=scene.operator)
    await mark_seen(scene.participation)
    last = (await subscriber.until(1))[0]["data"]["participationStatusChanged"]["cursor"]

    here.source.hub.end_followers()

    error = await subscriber.until_ended()
    assert error["extensions"] == {"code": "SERVER_RESTARTING", "cursor": last}
    assert error["path"] == ["participationStatusChanged"]
    assert here.followers == 0


async def test_leaving_forgets_the_subscriber(here: Station, scene: Scene):
    subscriber = await here.subscribe(STATUSES, as_=scene.operator)
    await mark_seen(scene.participation)
    await subscriber.until(1)
    assert here.followers == 1

    await subscriber.leave()

    assert here.followers == 0
    assert here.source.viewers._watched == {}  # pyright: ignore[reportPrivateUsage]


# -- what it costs


@contextmanager
def statements_of_the_pool() -> Generator[list[str]]:
    """Every statement that any connection of the pool is sent, whoever sends it."""
    sent: list[str] = []

    def note(record: Any) -> None:
        sent.append(" ".join(record.query.split()))

    pool = cast("Any", get_connection("default"))._pool
    connections = [holder._con for holder in pool._holders if holder._con is not None]
    for connection in connections:
        connection.add_query_logger(note)
    try:
        yield sent
    finally:
        for connection in connections:
            connection.remove_query_logger(note)


async def warm_pool() -> None:
    """Open every connection, so that none is opened where nobody counts."""
    pool = cast("Any", get_connection("default"))._pool
    held: list[asyncpg.Connection] = [await pool.acquire() for _ in range(20)]
    for connection in held:
        await pool.release(connection)


async def statements_for(here: Station, scene: Scene, number: int) -> list[str]:
    """The reads that answer one event to so many subscribers of each of three kinds.

    Other statements are those of the change itself, of the log, and asyncpg's own when it first meets a type.
    """
    employers = [await make_employer(scene.company) for _ in range(number)]
    strangers = [await make_job_seeker() for _ in range(number)]
    staff = [await make_user(UserKind.STAFF) for _ in range(number)]
    viewers = [await viewer_of(who, scene.company) for who in employers] + [await viewer_of(who) for who in staff]
    told = [await here.subscribe(STATUSES, viewer=viewer) for viewer in viewers]
    for who in strangers:
        await here.subscribe(STATUSES, viewer=await viewer_of(who))
    await warm_pool()
    with statements_of_the_pool() as sent:
        await mark_seen(scene.participation)
        for subscriber in told:
            await subscriber.until(1)
        return [text for text in sent if text.startswith("SELECT t1.")]


async def test_the_statements_of_an_event_do_not_depend_on_the_number_of_subscribers(here: Station, scene: Scene):
    here.source.viewers._fresh_seconds = 3600  # pyright: ignore[reportPrivateUsage]: counted on its own below

    few = await statements_for(here, scene, 2)
    for subscriber in here.subscribers:
        await subscriber.leave()
    many = await statements_for(here, scene, 40)

    # One for the employers of the company; one for the staff; one for the people who may not see it, together, which
    # nobody waits for here. Once more where some were still catching up when the others were told.
    assert len(set(few)) in (2, 3), few
    assert len(set(many)) in (2, 3), many
    assert max(len(few), len(many)) <= 6, many


async def test_rights_of_all_who_listen_are_looked_up_in_one_statement(here: Station, scene: Scene):
    subscribers = [
        await here.subscribe(STATUSES, as_=await make_employer(scene.company), of=scene.company) for _ in range(20)
    ]
    await warm_pool()
    here.source.viewers._fresh_seconds = 0  # pyright: ignore[reportPrivateUsage]: as if a second had passed

    with statements_of_the_pool() as sent:
        await mark_seen(scene.participation)
        for subscriber in subscribers:
            await subscriber.until(1)

    assert sum("partner_client" in text for text in sent) == 1
