"""What is upcoming, to the second: the next start, the number of participations, and what their labels say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from execution.engine import GraphQLEngine, OperationRequest
from models import Company, JobApplication, User
from models.database import counting_statements
from models.enums import CancelledBy, ParticipationStatus
from resolvers.context import OperationContext, Resources
from resolvers.viewers import load_viewer
from services.tokens import Claims
from tests.factories import (
    NOW,
    make_appointment,
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
    make_participation,
)

SECOND = timedelta(seconds=1)
PAGE = """{ jobApplications(first: 50) { nodes { id nextAppointmentStartAt upcomingParticipationsCount } } }"""
LABELS = """{ participations(first: 50) { nodes { status cancelledBy statusLabel appointment { startAt } } } }"""

pytestmark = pytest.mark.usefixtures("database")


async def ask(engine: GraphQLEngine, resources: Resources, query: str, employer: User, company: Company) -> Any:
    """What the employer is answered when it is NOW."""
    assert employer.subject is not None
    claims = Claims(subject=employer.subject, organization_id=company.id, expires_at=NOW + timedelta(days=1))
    viewer = await load_viewer(claims)
    context = OperationContext(viewer=viewer, resources=resources, now=NOW, request_id="tests")
    result = await engine.execute(OperationRequest(query=query), context, deadline_seconds=10)
    assert result.errors is None
    return orjson.loads(orjson.dumps(result.data))  # as a client reads it


async def make_part(person: User, company: Company, start_at: datetime, **values: Any) -> None:
    await make_participation(person, await make_appointment(company, start_at=start_at), **values)


async def make_parts_around_now(person: User, company: Company) -> None:
    for offset in (-SECOND, timedelta(), SECOND):
        await make_part(person, company, NOW + offset)
    await make_part(person, company, NOW + timedelta(hours=1), status=ParticipationStatus.SEEN)


async def test_only_what_starts_after_now_and_is_undecided_is_upcoming(engine: GraphQLEngine, resources: Resources):
    company = await make_company()
    employer, person = await make_employer(company), await make_job_seeker()
    await make_job_application(person, company)
    await make_parts_around_now(person, company)

    page = await ask(engine, resources, PAGE, employer, company)
    row = await JobApplication.with_next_appointment_start_at(NOW).with_upcoming_participations_count(NOW).get()

    [node] = page["jobApplications"]["nodes"]
    assert node["upcomingParticipationsCount"] == row.upcoming_participations_count == 1
    assert datetime.fromisoformat(node["nextAppointmentStartAt"]) == row.next_appointment_start_at == NOW + SECOND


async def test_labels_tell_what_is_to_come_from_what_was_not_filled_in(engine: GraphQLEngine, resources: Resources):
    company = await make_company()
    employer, person = await make_employer(company), await make_job_seeker()
    await make_job_application(person, company)
    await make_parts_around_now(person, company)
    for hours, status, cancelled_by in (
        (2, ParticipationStatus.ABSENT, None),
        (3, ParticipationStatus.CANCELLED, CancelledBy.JOB_SEEKER),
        (4, ParticipationStatus.CANCELLED, CancelledBy.SERVICE),
    ):
        await make_part(person, company, NOW + timedelta(hours=hours), status=status, cancelled_by=cancelled_by)

    page = await ask(engine, resources, LABELS, employer, company)

    nodes = sorted(page["participations"]["nodes"], key=lambda node: str(node["appointment"]["startAt"]))
    assert [node["statusLabel"] for node in nodes] == [
        "Statut du RDV à préciser",
        "Statut du RDV à préciser",
        "RDV à venir",
        "RDV honoré",
        "Absence non excusée au RDV",
        "RDV annulé à l’initiative de l’usager",
        "RDV annulé à l’initiative du service",
    ]


async def test_removed_parts_destroyed_appointments_and_other_companies_do_not_count(
    engine: GraphQLEngine, resources: Resources
):
    company, elsewhere = await make_company(), await make_company()
    employer, person = await make_employer(company), await make_job_seeker()
    application = await make_job_application(person, company)
    await make_part(person, company, NOW + SECOND, removed_at=NOW)
    await make_part(person, elsewhere, NOW + SECOND)
    await make_part(await make_job_seeker(), company, NOW + SECOND)
    await make_participation(person, await make_appointment(company, start_at=NOW + 2 * SECOND, destroyed_at=NOW))

    page = await ask(engine, resources, PAGE, employer, company)
    row = (
        await JobApplication.with_next_appointment_start_at(NOW)
        .with_upcoming_participations_count(NOW)
        .get(id=application.id)
    )

    [node] = page["jobApplications"]["nodes"]
    assert (node["nextAppointmentStartAt"], node["upcomingParticipationsCount"]) == (None, 0)
    assert (row.next_appointment_start_at, row.upcoming_participations_count) == (None, 0)


async def test_a_cancelled_appointment_counts_as_long_as_the_part_is_undecided(
    engine: GraphQLEngine, resources: Resources
):
    company = await make_company()
    employer, person = await make_employer(company), await make_job_seeker()
    await make_job_application(person, company)
    appointment = await make_appointment(
        company, start_at=NOW + SECOND, status=ParticipationStatus.CANCELLED, cancelled_at=NOW
    )
    await make_participation(person, appointment)

    page = await ask(engine, resources, PAGE, employer, company)

    assert page["jobApplications"]["nodes"][0]["upcomingParticipationsCount"] == 1


async def test_fifty_applications_with_both_columns_are_one_statement():
    company = await make_company()
    for offset in range(50):
        person = await make_job_seeker()
        await make_job_application(person, company)
        await make_part(person, company, NOW + offset * SECOND)

    async with counting_statements() as counter:
        rows = await (
            JobApplication.with_next_appointment_start_at(NOW)
            .with_upcoming_participations_count(NOW)
            .filter(company=company)
            .select_related("job_seeker")
            .order_by("-created_at")
        )

    assert counter.statements == 1
    assert sum(row.upcoming_participations_count for row in rows) == 49
    assert sorted(row.next_appointment_start_at for row in rows if row.next_appointment_start_at) == [
        NOW + offset * SECOND for offset in range(1, 50)
    ]


async def test_the_columns_can_be_filtered_and_sorted_by_as_of_the_present():
    company = await make_company()
    late, early, past = [await make_job_seeker() for _ in range(3)]
    for person, days in ((late, 3650), (early, 3649), (past, -3650)):
        await make_job_application(person, company)
        await make_part(person, company, NOW + timedelta(days=days))

    rows = (
        await JobApplication.queryset()
        .with_next_appointment_start_at()
        .with_upcoming_participations_count()
        .filter(upcoming_participations_count__gt=0)
        .order_by("next_appointment_start_at")
    )

    assert [row.job_seeker_id for row in rows] == [early.id, late.id]
