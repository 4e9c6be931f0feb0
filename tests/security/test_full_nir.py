"""The whole NIR: what it takes to get it, the trace that is left, and that none leaves where none can be kept.

Who gets it is a part of the table: test_access_matrix.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from models import AccessLog, Company, User
from models.database import fetch_all
from models.enums import JobApplicationState, UserKind
from models.people import JobSeekerProfile
from resolvers.global_ids import encode
from tests.factories import (
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
    make_membership,
    make_prescriber,
    make_prescriber_organization,
    make_user,
)
from tests.integration.schema.client import Answer, GraphQLClient

FULL = "query($id: ID!) { node(id: $id) { ... on JobSeeker { nir(format: FULL) } } }"


async def read(graphql: GraphQLClient, job_seeker: User, **who: Any) -> Answer:
    return await graphql(FULL, {"id": encode("JobSeeker", job_seeker.id)}, **who)


def digits(answer: Answer) -> str | None:
    nir = answer.body["data"]["node"]["nir"]
    return nir.replace(" ", "") if nir is not None else None


async def test_the_trace_tells_who_read_whose_number_when_and_by_which_request(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    person = await make_job_seeker()
    await make_job_application(person, company, state=JobApplicationState.ACCEPTED)

    answer = await read(graphql, person, as_=employer, of=company, headers={"X-Request-ID": "the-request-0001"})

    trace = await AccessLog.get()
    assert digits(answer) is not None
    assert (trace.viewer_kind, trace.viewer_id, trace.organization_id) == (UserKind.EMPLOYER, employer.id, company.id)
    assert (trace.job_seeker_id, trace.field, trace.request_id) == (person.id, "nir", "the-request-0001")
    stored = await fetch_all("SELECT row_to_json(l)::text AS line FROM access_log l")
    assert digits(answer) not in stored[0]["line"]


@pytest.fixture
async def hired(graphql: GraphQLClient) -> tuple[Company, User, list[User]]:
    company = await make_company()
    people = [await make_job_seeker() for _ in range(3)]
    for person in people:
        await make_job_application(person, company, state=JobApplicationState.ACCEPTED)
    return company, await make_employer(company), people


async def test_a_list_leaves_one_trace_a_person_in_one_statement(
    graphql: GraphQLClient, hired: tuple[Company, User, list[User]]
):
    company, employer, people = hired
    query = "{ jobSeekers { nodes { a: nir(format: FULL) b: nir(format: FULL) c: nir } } }"

    answer = await graphql(query, as_=employer, of=company)

    nodes = answer.data["jobSeekers"]["nodes"]
    assert all(node["a"] == node["b"] != node["c"] for node in nodes)
    assert {trace.job_seeker_id for trace in await AccessLog.all()} == {person.id for person in people}
    assert await AccessLog.all().count() == 3
    assert answer.statements == 3


@pytest.mark.parametrize(
    "path",
    [
        "{ jobApplications { nodes { jobSeeker { nir(format: FULL) } } } }",
        "{ companies { nodes { jobApplications { nodes { jobSeeker { ...F } } } } } }"
        " fragment F on JobSeeker { nir(format: FULL) }",
        "{ jobSeekers { nodes { jobApplications { nodes { jobSeeker { nir(format: FULL) } } } } } }",
    ],
)
async def test_every_path_to_the_number_leaves_a_trace(
    graphql: GraphQLClient, hired: tuple[Company, User, list[User]], path: str
):
    company, employer, people = hired

    answer = await graphql(path, as_=employer, of=company)

    assert answer.codes == []
    assert {trace.job_seeker_id for trace in await AccessLog.all()} == {person.id for person in people}


@pytest.mark.parametrize("state", [state for state in JobApplicationState if state is not JobApplicationState.ACCEPTED])
async def test_only_an_accepted_application_shows_it_to_the_employer(
    graphql: GraphQLClient, state: JobApplicationState
):
    company = await make_company()
    employer = await make_employer(company)
    person = await make_job_seeker()
    await make_job_application(person, company, state=state)

    answer = await read(graphql, person, as_=employer, of=company)

    assert (digits(answer), answer.codes) == (None, ["FORBIDDEN"])
    assert not await AccessLog.exists()


async def test_an_application_that_another_company_accepted_shows_nothing(graphql: GraphQLClient):
    company, other = await make_company(), await make_company()
    employer = await make_employer(company)
    person = await make_job_seeker()
    await make_job_application(person, company)
    await make_job_application(person, other, state=JobApplicationState.ACCEPTED)

    answer = await read(graphql, person, as_=employer, of=company)

    assert (digits(answer), answer.codes) == (None, ["FORBIDDEN"])


async def test_a_prescriber_who_also_belongs_to_the_company_is_no_employer(graphql: GraphQLClient):
    organization, company = await make_prescriber_organization(), await make_company()
    prescriber = await make_prescriber(organization)
    await make_membership(prescriber, company)
    person = await make_job_seeker()
    await make_job_application(person, company, state=JobApplicationState.ACCEPTED, sender=prescriber)

    answer = await read(graphql, person, as_=prescriber, of=company)

    assert (digits(answer), answer.codes) == (None, ["FORBIDDEN"])
    assert not await AccessLog.exists()


async def test_a_person_without_number_has_none_to_show(graphql: GraphQLClient):
    person = await make_job_seeker(profile={"nir": None})

    answer = await read(graphql, person, as_=person)

    assert (digits(answer), answer.codes) == (None, [])


async def test_no_number_leaves_while_the_log_cannot_be_written(
    graphql: GraphQLClient, hired: tuple[Company, User, list[User]], capfd: pytest.CaptureFixture[str]
):
    company, employer, people = hired
    number = (await JobSeekerProfile.get(id=people[0].id)).nir
    assert isinstance(number, str)
    await fetch_all("ALTER TABLE access_log RENAME TO access_log_away")

    try:
        answer = await read(graphql, people[0], as_=employer, of=company)
        masked = await graphql("{ jobSeekers { nodes { nir } } }", as_=employer, of=company)
    finally:
        await fetch_all("ALTER TABLE access_log_away RENAME TO access_log")

    assert answer.status == 500
    assert answer.codes == ["INTERNAL"]
    assert set(answer.body) == {"errors"}
    assert number not in str(answer.body).replace(" ", "")
    assert "access_log" not in str(answer.body)
    assert len(masked.data["jobSeekers"]["nodes"]) == 3
    assert number not in "".join(capfd.readouterr()).replace(" ", "")


async def test_staff_read_it_by_a_right_of_their_own_and_not_by_operate(graphql: GraphQLClient):
    person = await make_job_seeker()
    operator = await make_user(UserKind.STAFF, is_operator=True)
    reader = await make_user(UserKind.STAFF, may_read_full_nir=True)

    refused = await read(graphql, person, as_=operator)
    shown = await read(graphql, person, as_=reader)

    assert (digits(refused), refused.codes) == (None, ["FORBIDDEN"])
    assert digits(shown) == (await JobSeekerProfile.get(id=person.id)).nir
    assert [trace.viewer_id for trace in await AccessLog.filter(field="nir")] == [reader.id]
