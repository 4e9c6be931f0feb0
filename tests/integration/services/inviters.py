"""What the tests of invitations share: an employer's candidate, RDV-Insertion on a faked wire, and what was kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from clients.rdv_insertion import Invitee
from models import Company, InvitationAttempt, InvitationRequest, JobApplication, User
from models.database import write
from models.enums import Title
from services.appointments.attempts import begin
from services.appointments.invitees import read_candidate
from services.appointments.inviting import HOLD, Inviting, InvitingOutcome
from tests.conftest import NOW
from tests.factories import make_company, make_employer, make_job_application, make_job_seeker
from tests.unit.clients.rdv_insertion import ORGANISATION, FakeRDV, fake_rdv


@pytest.fixture
async def rdv(database: object) -> AsyncIterator[FakeRDV]:
    """Everything goes well until a test says otherwise."""
    async with fake_rdv() as rdv:
        yield rdv


@pytest.fixture
async def inviting(rdv: FakeRDV) -> AsyncIterator[Inviting]:
    inviting = Inviting(rdv.client, clock=lambda: NOW)
    yield inviting
    await inviting.aclose()


async def make_candidate(**values: Any) -> User:
    """The person whom the contract's examples are about."""
    profile: dict[str, Any] = {
        "birthdate": date(1989, 5, 1),
        "address_line_1": "6 rue Imaginaire",
        "post_code": "75010",
        "city": "Paris",
    }
    details: dict[str, Any] = {
        "first_name": "Zélie",
        "last_name": "Fictive",
        "title": Title.MME,
        "email": "zelie.fictive@exemple.test",
        "phone": "0600000000",
    }
    profile |= values.pop("profile", {})
    return await make_job_seeker(profile=profile, **(details | values))


async def make_linked_company(**values: Any) -> Company:
    return await make_company(**({"rdv_solidarites_id": ORGANISATION} | values))


async def make_application(candidate: User | None = None, company: Company | None = None) -> JobApplication:
    return await make_job_application(candidate or await make_candidate(), company or await make_linked_company())


async def invite(inviting: Inviting, application: JobApplication, **values: Any) -> InvitingOutcome:
    arguments: dict[str, Any] = {"reason_category": "siae_interview", "requested_by": None, "now": NOW}
    return await inviting.invite(application.id, **(arguments | values))


async def make_request(application: JobApplication, **values: Any) -> InvitationRequest:
    defaults: dict[str, Any] = {
        "job_seeker_id": application.job_seeker_id,
        "company_id": application.company_id,
        "reason_category": "siae_interview",
        "rdv_insertion_user_id": 3432,
        "created_at": NOW,
    }
    return await InvitationRequest.create(**(defaults | values))


async def the_attempt() -> InvitationAttempt:
    return await InvitationAttempt.get()


async def employer_of(application: JobApplication) -> User:
    return await make_employer(await Company.get(id=application.company_id))


async def begin_and_die(application: JobApplication) -> UUID:
    """What a process that was killed between its intent and the answer leaves behind; the attempt's id."""
    candidate = await read_candidate(application.id)
    assert candidate is not None
    assert candidate.organisation_id is not None
    invitee = candidate.invitee()
    assert isinstance(invitee, Invitee)
    attempt_id = await begin(
        candidate,
        invitee,
        organisation_id=candidate.organisation_id,
        reason_category="siae_interview",
        requested_by=None,
        hold=HOLD,
        now=NOW,
    )
    assert isinstance(attempt_id, UUID)
    await write("UPDATE invitation_attempt SET answer_due_at = clock_timestamp() - interval '1 second' RETURNING id")
    return attempt_id
