"""The employer's page: what it shows, and that its cost is that of its shape."""

from __future__ import annotations

from datetime import timedelta

from models.enums import JobApplicationState
from tests.factories import (
    NOW,
    make_appointment,
    make_approval,
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
    make_participation,
)
from tests.integration.schema.conftest import GraphQLClient

PAGE = """
query Page($first: Int, $after: String) {
  jobApplications(first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges {
      cursor
      node {
        id state createdAt senderKind
        jobSeeker { id firstName lastName nir isCertified }
        approval { number startAt endAt state notification { status } }
        nextAppointmentStartAt
        upcomingParticipationsCount
        canInvite
      }
    }
  }
}
"""


async def test_the_page_shows_applications_with_person_approval_and_next_appointment(graphql: GraphQLClient):
    company = await make_company(rdv_solidarites_id=654)
    employer = await make_employer(company)
    job_seeker = await make_job_seeker(first_name="Zélie", last_name="Fictive")
    approval = await make_approval(job_seeker, company)
    appointment = await make_appointment(company, start_at=NOW + timedelta(days=3650))
    await make_participation(job_seeker, appointment)

    answer = await graphql(PAGE, {"first": 50}, as_=employer, of=company)

    page = answer.data["jobApplications"]
    assert page["totalCount"] == 1
    node = page["edges"][0]["node"]
    assert node["jobSeeker"]["firstName"] == "Zélie"
    assert node["jobSeeker"]["nir"].startswith("2 93 04 ••")
    assert node["approval"]["number"] == approval.number
    assert node["approval"]["notification"] == {"status": "PENDING"}
    assert node["upcomingParticipationsCount"] == 1
    assert node["nextAppointmentStartAt"] == "2036-02-16T09:30:00+00:00"
    assert node["canInvite"] is True


async def test_the_page_costs_the_same_statements_for_1_and_for_50_rows(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    for _ in range(51):
        job_seeker = await make_job_seeker()
        await make_job_application(job_seeker, company, state=JobApplicationState.ACCEPTED)

    one = await graphql(PAGE, {"first": 1}, as_=employer, of=company)
    fifty = await graphql(PAGE, {"first": 50}, as_=employer, of=company)

    assert len(fifty.data["jobApplications"]["edges"]) == 50
    assert one.statements == fifty.statements == 3
