"""A company with enough of everything: lists of several pages, sort keys that tie, parents of several children."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise.connection import get_connection

from models import (
    Appointment,
    Approval,
    Company,
    Invitation,
    InvitationRequest,
    JobApplication,
    Location,
    NotificationAttempt,
    Survey,
    User,
)
from models.database import fetch_all
from models.enums import (
    CancelledBy,
    Delivery,
    InvitationKind,
    JobApplicationState,
    NotificationStatus,
    ParticipationStatus,
    SurveyKind,
    SurveyStatus,
    UserKind,
)
from tests.factories import (
    NOW,
    TODAY,
    make_appointment,
    make_approval,
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
    make_participation,
    make_user,
)

PEOPLE = 50
_serials = iter(range(1, 1_000_000))


@dataclass(slots=True, kw_only=True)
class Crowd:
    """`hub` has seven of everything with `company`; everybody else has one. `operator` sees it all."""

    operator: User
    employer: User
    company: Company
    hub: User
    hub_application: JobApplication
    hub_approval: Approval
    meeting: Appointment  # the appointment with seven participants


async def empty_database() -> None:
    """Delete every row, for rows that outlive one test."""
    tables = await fetch_all(
        "SELECT quote_ident(tablename) AS name FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations'"
    )
    await get_connection("default").execute_script(f"TRUNCATE {', '.join(row['name'] for row in tables)}")


async def make_crowd() -> Crowd:
    company = await make_company(name="Atelier Été", rdv_solidarites_id=next(_serials))
    for name in ("Atelier Été", "atelier été", "Atelier Eté", "Zèbre", "Zèbre", "Ébène"):
        await make_company(name=name)
    people = [await make_job_seeker() for _ in range(PEOPLE)]
    # Five applications share each instant: only the key tells them apart.
    for position, person in enumerate(people):
        await _make_hired(person, company, at=NOW - timedelta(days=1 + position // 5), position=position)
    crowd = Crowd(
        operator=await make_user(UserKind.STAFF, is_operator=True),
        employer=await make_employer(company),
        company=company,
        hub=people[0],
        hub_application=await JobApplication.get(job_seeker=people[0]),
        hub_approval=await Approval.get(job_seeker=people[0]),
        meeting=await _make_meeting(people[:7], company),
    )
    await _fill_hub(crowd)
    # Rows are made at different times; what lists are ordered by must tie.
    await User.filter(id__in=[person.id for person in people[:20]]).update(created_at=NOW + timedelta(days=3650))
    await Survey.all().update(created_at=NOW)
    return crowd


async def _make_hired(person: User, company: Company, *, at: datetime, position: int) -> None:
    approval = await make_approval(
        person, company, accepted_application=False, start_at=TODAY - timedelta(days=position // 5)
    )
    application = await make_job_application(
        person, company, state=JobApplicationState.ACCEPTED, approval=approval, created_at=at
    )
    request = await make_request(person, company, at=at)
    for kind in (InvitationKind.SMS, InvitationKind.EMAIL):
        await Invitation.create(invitation_request=request, kind=kind, rdv_insertion_id=next(_serials))
    await make_survey(application, SurveyKind.POST_HIRING_EMPLOYER)
    await make_attempt(approval, at=at)


async def _make_meeting(people: list[User], company: Company) -> Appointment:
    location = await Location.create(rdv_solidarites_id=next(_serials), name="Maison commune", address="1 rue Inventée")
    meeting = await make_appointment(company, is_collective=True, location=location)
    for person in people:
        await make_participation(
            person, meeting, status=ParticipationStatus.CANCELLED, cancelled_by=CancelledBy.JOB_SEEKER
        )
    return meeting


async def _fill_hub(crowd: Crowd) -> None:
    for number in range(6):
        application = await make_job_application(crowd.hub, crowd.company, created_at=NOW - timedelta(days=1))
        await make_survey(application, list(SurveyKind)[number % 3])
        await make_request(crowd.hub, crowd.company, at=NOW - timedelta(days=1))
        # Cancelled ones may lie on the same days as the one that stands.
        await make_approval(
            crowd.hub,
            crowd.company,
            accepted_application=False,
            start_at=crowd.hub_approval.start_at,
            cancelled_at=NOW,
        )
        await make_attempt(crowd.hub_approval, at=NOW - timedelta(days=1))
        appointment = await make_appointment(crowd.company, start_at=NOW + timedelta(days=3))
        await make_participation(crowd.hub, appointment)
    for kind in (SurveyKind.POST_HIRING_JOB_SEEKER, SurveyKind.PRESCRIBER_SATISFACTION):
        await make_survey(crowd.hub_application, kind)


async def make_request(person: User, company: Company, *, at: datetime = NOW) -> InvitationRequest:
    return await InvitationRequest.create(
        job_seeker=person,
        company=company,
        reason_category="siae_interview",
        rdv_insertion_user_id=next(_serials),
        created_at=at,
    )


async def make_survey(application: JobApplication, kind: SurveyKind) -> Survey:
    return await Survey.create(
        kind=kind,
        status=SurveyStatus.AVAILABLE,
        reference=f"reference-{next(_serials)}",
        form_id="wKx01a",
        job_application=application,
    )


async def make_attempt(approval: Approval, *, at: datetime) -> NotificationAttempt:
    return await NotificationAttempt.create(
        approval=approval, started_at=at, outcome=NotificationStatus.SHOULD_RETRY, delivery=Delivery.UNKNOWN
    )
