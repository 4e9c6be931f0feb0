"""Staff see everybody: what they read of a person beyond the name leaves a trace of who looked."""

from __future__ import annotations

import pytest

from models import AccessLog, User
from models.enums import JobApplicationState, UserKind
from resolvers.global_ids import encode
from tests.factories import NOW, make_company, make_employer, make_job_application, make_job_seeker, make_user
from tests.integration.schema.client import GraphQLClient

PERSONAL = (
    "title",
    "email",
    "phone",
    "birthdate",
    "birthPlace { name }",
    "birthCountry { name }",
    "franceTravailId",
    "address { city }",
    "isCertified",
    "identityCertifications { authority }",
    "readonlyFields",
    "consents { purpose }",
    "nir",
)


@pytest.mark.parametrize("is_operator", [False, True])
@pytest.mark.parametrize("field", PERSONAL)
async def test_each_personal_field_that_staff_read_leaves_a_trace(
    graphql: GraphQLClient, field: str, is_operator: bool
):
    staff = await make_user(UserKind.STAFF, is_operator=is_operator)
    person = await make_job_seeker()

    answer = await graphql(
        f"query($id: ID!) {{ node(id: $id) {{ ... on JobSeeker {{ {field} }} }} }}",
        {"id": encode("JobSeeker", person.id)},
        as_=staff,
    )

    assert set(answer.codes) <= {"PARTNER_UNAVAILABLE"}  # places are asked of nobody here
    trace = await AccessLog.get()
    assert (trace.viewer_id, trace.viewer_kind) == (staff.id, UserKind.STAFF)
    assert (trace.job_seeker_id, trace.field) == (person.id, "profile")


async def test_a_name_alone_leaves_none(graphql: GraphQLClient):
    staff = await make_user(UserKind.STAFF)
    await make_job_seeker()

    answer = await graphql("{ jobSeekers { nodes { id firstName lastName } } }", as_=staff)

    assert len(answer.data["jobSeekers"]["nodes"]) == 1
    assert not await AccessLog.exists()


async def test_a_list_of_fifty_leaves_one_trace_each_and_costs_one_statement_more(graphql: GraphQLClient):
    staff = await make_user(UserKind.STAFF)
    for _ in range(50):
        await make_job_seeker()
    names = await graphql("{ jobSeekers(first: 50) { nodes { id } } }", as_=staff)

    answer = await graphql("{ jobSeekers(first: 50) { nodes { email phone birthdate } } }", as_=staff)

    assert await AccessLog.all().count() == 50
    assert answer.statements == names.statements + 1


@pytest.mark.parametrize("kind", [UserKind.EMPLOYER, UserKind.JOB_SEEKER])
async def test_whom_a_profile_concerns_leaves_no_trace_for_reading_it(graphql: GraphQLClient, kind: UserKind):
    company = await make_company()
    person = await make_job_seeker()
    await make_job_application(person, company, state=JobApplicationState.ACCEPTED)
    viewer = person if kind is UserKind.JOB_SEEKER else await make_employer(company)
    of = None if kind is UserKind.JOB_SEEKER else company

    answer = await graphql("{ jobSeekers { nodes { email } } }", as_=viewer, of=of)

    assert len(answer.data["jobSeekers"]["nodes"]) == 1
    assert not await AccessLog.exists()


async def test_what_is_left_of_an_erased_person_is_found_by_nobody(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    staff = await make_user(UserKind.STAFF)
    person = await make_job_seeker()
    await make_job_application(person, company, state=JobApplicationState.ACCEPTED)
    await User.filter(id=person.id).update(
        subject=None, title=None, first_name="", last_name="", email=None, phone="", is_active=False, erased_at=NOW
    )
    node = "query($id: ID!) { node(id: $id) { id } jobSeekers { nodes { id } } }"
    identifier = {"id": encode("JobSeeker", person.id)}

    answers = [
        await graphql(node, identifier, as_=staff),
        await graphql(node, identifier, as_=employer, of=company),
    ]

    assert [answer.data for answer in answers] == [{"node": None, "jobSeekers": {"nodes": []}}] * 2
