"""A filter tells nothing that its viewer may not read, and nothing of another request."""

from __future__ import annotations

from datetime import date

from models.enums import NotificationStatus, UserKind
from tests.factories import (
    make_appointment,
    make_approval,
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
    make_participation,
    make_partner_client,
    make_prescriber,
    make_prescriber_organization,
    make_user,
)
from tests.integration.schema.client import GraphQLClient


async def test_a_partner_does_not_find_out_a_profile_by_asking_for_it(graphql: GraphQLClient):
    company = await make_company()
    person = await make_job_seeker(profile={"department": "59"})
    await make_participation(person, await make_appointment(company))
    partner = await make_partner_client(company)

    by_name = await graphql('{ jobSeekers(filter: { search: "inventee" }) { totalCount } }', as_=partner)
    probes = [
        await graphql(f"{{ jobSeekers(filter: {{ {probe} }}) {{ totalCount }} }}", as_=partner)
        for probe in ('departmentCode: "59"', "isCertified: false", "hasValidApproval: false")
    ]

    assert by_name.data["jobSeekers"]["totalCount"] == 1
    assert [probe.codes for probe in probes] == [["BAD_USER_INPUT"]] * 3


async def test_a_notification_status_is_asked_for_by_who_reads_it(graphql: GraphQLClient):
    company, organization = await make_company(), await make_prescriber_organization()
    employer, prescriber = await make_employer(company), await make_prescriber(organization)
    person, other = await make_job_seeker(), await make_job_seeker()
    await make_approval(person, company, pe_notification_status=NotificationStatus.ERROR)
    elsewhere = await make_approval(other, pe_notification_status=NotificationStatus.ERROR)
    await make_job_application(other, company, sender=prescriber, sender_prescriber_organization=organization)
    query = "{ approvals(filter: { notificationStatuses: [ERROR] }) { totalCount nodes { number } } }"

    for_employer = await graphql(query, as_=employer, of=company)
    for_prescriber = await graphql(query, as_=prescriber, of=organization)

    assert elsewhere.number not in str(for_employer.data)
    assert for_employer.data["approvals"]["totalCount"] == 1
    assert for_prescriber.codes == ["BAD_USER_INPUT"]


async def test_filters_and_their_values_do_not_leak_from_one_request_into_the_next(graphql: GraphQLClient):
    staff = await make_user(UserKind.STAFF)
    await make_approval(start_at=date(2020, 1, 1), end_at=date(2021, 1, 1), accepted_application=False)
    query = "query($after: Date) { approvals(filter: { startAfter: $after }) { totalCount } }"

    counts = [
        (await graphql(query, {"after": after}, as_=staff)).data["approvals"]["totalCount"]
        for after in ("2019-12-31", "2020-01-01", None, "2019-12-31")
    ]

    assert counts == [1, 0, 1, 1]
