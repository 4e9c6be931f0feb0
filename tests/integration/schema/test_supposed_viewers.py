"""Who asked a moment ago is supposed to be the same: one statement less, and not a moment longer than it is true."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from execution.engine import GraphQLEngine
from models import Company, Membership, PrescriberOrganization, User
from models.enums import SenderKind, UserKind
from resolvers.context import Resources
from resolvers.supposed_viewers import ViewerMemory
from resolvers.viewer import Viewer
from services.tokens import Claims
from tests.factories import (
    make_approval,
    make_company,
    make_job_application,
    make_job_seeker,
    make_membership,
    make_prescriber_organization,
    make_user,
)
from tests.integration.schema.client import CONFIG, GraphQLClient, serve

PAGE = "{ jobApplications(first: 5) { nodes { id jobSeeker { lastName email } } } }"
PERSON = "query Person($id: ID!) { jobSeeker(id: $id) { id email } }"
PEOPLE = "{ jobSeekers(first: 5) { nodes { id } } }"


@pytest.fixture
async def remembering(database: object, engine: GraphQLEngine, resources: Resources) -> AsyncIterator[GraphQLClient]:
    async with serve(engine, resources, config=replace(CONFIG, remembers_viewers=True)) as client:
        yield client


@pytest.fixture
async def company(database: object) -> Company:
    return await make_company()


@pytest.fixture
async def employer(company: Company) -> User:
    employer = await make_user(kind=UserKind.EMPLOYER)
    await make_membership(employer, company)
    await make_job_application(await make_job_seeker(email="quelquun@exemple.test"), company)
    return employer


async def test_the_second_page_of_a_viewer_costs_one_statement(
    remembering: GraphQLClient, employer: User, company: Company
):
    pages = [await remembering(PAGE, as_=employer, of=company) for _ in range(3)]

    assert [page.statements for page in pages] == [2, 1, 1]
    assert pages[0].data == pages[1].data == pages[2].data
    assert len(pages[0].data["jobApplications"]["nodes"]) == 1


async def test_a_page_without_rows_is_believed_once_the_viewer_was_asked_about(
    remembering: GraphQLClient, company: Company
):
    employer = await make_user(kind=UserKind.EMPLOYER)
    await make_membership(employer, company)

    pages = [await remembering(PAGE, as_=employer, of=company) for _ in range(2)]

    assert [page.statements for page in pages] == [2, 2]
    assert pages[1].data == {"jobApplications": {"nodes": []}}


async def test_a_membership_that_ended_shows_nothing_more(remembering: GraphQLClient, employer: User, company: Company):
    await remembering(PAGE, as_=employer, of=company)
    await Membership.filter(user=employer).update(ended_at=datetime.now(UTC))

    answer = await remembering(PAGE, as_=employer, of=company)

    assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"])
    assert "quelquun" not in str(answer.body)


async def test_a_closed_account_shows_nothing_more(remembering: GraphQLClient, employer: User, company: Company):
    await remembering(PAGE, as_=employer, of=company)
    await User.filter(id=employer.id).update(is_active=False)

    answer = await remembering(PAGE, as_=employer, of=company)

    assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"])


async def test_a_subject_that_is_somebody_elses_now_shows_what_that_one_sees(
    remembering: GraphQLClient, employer: User, company: Company
):
    await remembering(PAGE, as_=employer, of=company)
    heir = await make_user(kind=UserKind.EMPLOYER, subject="heir")
    await make_membership(heir, company, is_admin=True)
    subject = employer.subject
    await User.filter(id=employer.id).update(subject=f"{uuid4()}")
    await User.filter(id=heir.id).update(subject=subject)

    answer = await remembering("{ viewer { permissions user { id } } }", as_=employer, of=company)
    page = await remembering(PAGE, as_=employer, of=company)

    assert "MANAGE_COMPANY" in answer.data["viewer"]["permissions"]
    assert len(page.data["jobApplications"]["nodes"]) == 1


async def sent_by_a_colleague(*, is_authorized: bool) -> tuple[PrescriberOrganization, User]:
    """Somebody whom an organisation follows, and a member who sees them if it is authorised."""
    organization = await make_prescriber_organization(is_authorized=is_authorized)
    prescriber, colleague = [await make_user(kind=UserKind.PRESCRIBER) for _ in range(2)]
    await make_membership(prescriber, organization)
    await make_job_application(
        sender=colleague, sender_kind=SenderKind.PRESCRIBER, sender_prescriber_organization=organization
    )
    return organization, prescriber


async def test_rights_that_were_lost_hide_what_they_showed(remembering: GraphQLClient):
    """Rows came back that the viewer saw a moment ago, and sees no more."""
    organization, prescriber = await sent_by_a_colleague(is_authorized=True)
    before = await remembering(PEOPLE, as_=prescriber, of=organization)
    await PrescriberOrganization.filter(id=organization.id).update(is_authorized=False)

    after = await remembering(PEOPLE, as_=prescriber, of=organization)

    assert len(before.data["jobSeekers"]["nodes"]) == 1
    assert after.data == {"jobSeekers": {"nodes": []}}


async def test_rights_that_were_won_show_at_once(remembering: GraphQLClient):
    """No row came back to tell of it."""
    organization, prescriber = await sent_by_a_colleague(is_authorized=False)
    before = await remembering(PEOPLE, as_=prescriber, of=organization)
    await PrescriberOrganization.filter(id=organization.id).update(is_authorized=True)

    after = await remembering(PEOPLE, as_=prescriber, of=organization)

    assert before.data == {"jobSeekers": {"nodes": []}}
    assert len(after.data["jobSeekers"]["nodes"]) == 1


async def test_a_field_that_an_operator_may_read_no_more_is_refused(remembering: GraphQLClient):
    approval = await make_approval()
    staff = await make_user(kind=UserKind.STAFF, is_operator=True)
    query = f'{{ approval(number: "{approval.number}") {{ notification {{ attempts {{ nodes {{ id }} }} }} }} }}'
    before = await remembering(query, as_=staff)
    await User.filter(id=staff.id).update(is_operator=False)

    after = await remembering(query, as_=staff)

    assert before.codes == []
    assert after.errors_by_path == {"approval.notification.attempts": "FORBIDDEN"}


async def test_what_does_more_than_reading_rows_asks_first(
    remembering: GraphQLClient, employer: User, company: Company
):
    queries = ["{ viewer { kind } }", "{ departments { code } jobApplications(first: 1) { nodes { id } } }"]

    for query in queries:
        costs = [(await remembering(query, as_=employer, of=company)).statements for _ in range(2)]
        assert costs[0] == costs[1]


def claims(subject: str, **others: Any) -> Claims:
    return Claims(subject, others.get("organization_id"), datetime.now(UTC), others.get("scopes"))


def test_machine_clients_are_not_remembered():
    memory = ViewerMemory()
    memory.keep(claims("machine"), Viewer(kind=UserKind.PARTNER), None)

    assert memory.suppose(claims("machine")) is None
    assert memory.suppose(claims("machine", scopes=frozenset({"appointments:read"}))) is None


def test_viewers_are_told_apart_by_their_organisation_and_forgotten_in_time():
    memory, elsewhere = ViewerMemory(size=2), uuid4()
    memory.keep(claims("one", organization_id=elsewhere), Viewer(kind=UserKind.EMPLOYER), "1")

    assert memory.suppose(claims("one")) is None
    assert memory.suppose(claims("one", organization_id=elsewhere)) is not None
    for subject in ("two", "three"):
        memory.keep(claims(subject), Viewer(kind=UserKind.STAFF), "1")
    assert memory.suppose(claims("one", organization_id=elsewhere)) is None
    late = ViewerMemory(seconds=-1)
    late.keep(claims("one"), Viewer(kind=UserKind.STAFF), "1")
    assert late.suppose(claims("one")) is None
