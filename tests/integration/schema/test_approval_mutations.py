"""createApproval, updateApprovalDates, cancelApproval, retryApprovalNotification, as a front end calls them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from models import Approval
from models.enums import JobApplicationState, NotificationStatus, UserKind
from resolvers.global_ids import encode
from services.clock import paris_day, utc_now
from tests.factories import (
    make_approval,
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
    make_user,
)
from tests.integration.schema.conftest import GraphQLClient

CREATE = """
mutation Create($input: CreateApprovalInput!) {
  createApproval(input: $input) {
    __typename
    ... on Approval { id number startAt endAt state jobSeeker { firstName } notification { status } }
    ... on Error { message code }
    ... on InvalidInput { problems { path message } }
  }
}
"""
MOVE = """
mutation Move($input: UpdateApprovalDatesInput!) {
  updateApprovalDates(input: $input) {
    __typename
    ... on Approval { startAt endAt notification { status } }
    ... on InvalidInput { problems { path } }
    ... on Error { code }
  }
}
"""
CANCEL = """
mutation Cancel($id: ID!) {
  cancelApproval(id: $id) { __typename ... on Approval { number state notification { status } } ... on Error { code } }
}
"""
RETRY = """
mutation Retry($id: ID!) {
  retryApprovalNotification(id: $id) { __typename ... on Approval { notification { status } } ... on Error { code } }
}
"""


async def test_an_employer_gives_the_approval_of_an_accepted_application(
    graphql: GraphQLClient, rung: list[tuple[str, UUID]]
):
    company = await make_company()
    employer = await make_employer(company)
    application = await make_job_application(company=company, state=JobApplicationState.ACCEPTED)

    answer = await graphql(
        CREATE,
        {"input": {"jobApplicationId": encode("JobApplication", application.id), "startAt": "2026-03-02"}},
        as_=employer,
        of=company,
    )

    created = answer.data["createApproval"]
    assert created["__typename"] == "Approval"
    assert (created["startAt"], created["endAt"]) == ("2026-03-02", "2028-02-29")
    assert created["notification"] == {"status": "PENDING"}
    row = await Approval.get(number=created["number"])
    await application.refresh_from_db()
    assert application.approval_id == row.id
    assert rung == [("notify_approval", row.id)]


async def test_bad_dates_come_back_as_problems_with_their_path(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    application = await make_job_application(company=company, state=JobApplicationState.ACCEPTED)
    given = {
        "jobApplicationId": encode("JobApplication", application.id),
        "startAt": "2026-03-02",
        "endAt": "2026-03-02",
    }

    answer = await graphql(CREATE, {"input": given}, as_=employer, of=company)

    refused = answer.data["createApproval"]
    assert (refused["__typename"], refused["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert refused["problems"][0]["path"] == ["endAt"]


async def test_an_impossible_day_is_bad_user_input(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    given = {"jobApplicationId": encode("JobApplication", company.id), "startAt": "2026-02-30"}

    answer = await graphql(CREATE, {"input": given}, as_=employer, of=company)

    assert answer.codes == ["BAD_USER_INPUT"]


async def test_a_second_approval_for_somebody_who_has_a_valid_one_is_a_conflict(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    job_seeker = await make_job_seeker()
    await make_approval(job_seeker, start_at=paris_day(utc_now()) - timedelta(days=10))
    application = await make_job_application(job_seeker, company, state=JobApplicationState.ACCEPTED)
    given = {"jobApplicationId": encode("JobApplication", application.id), "startAt": paris_day(utc_now()).isoformat()}

    answer = await graphql(CREATE, {"input": given}, as_=employer, of=company)

    assert answer.data["createApproval"]["code"] == "CONFLICT"


async def test_an_application_out_of_sight_is_not_found(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    foreign = await make_job_application(state=JobApplicationState.ACCEPTED)
    given = {"jobApplicationId": encode("JobApplication", foreign.id), "startAt": "2026-03-02"}

    answer = await graphql(CREATE, {"input": given}, as_=employer, of=company)

    assert answer.data["createApproval"]["code"] == "NOT_FOUND"


async def test_moved_dates_make_the_notification_due_again(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    approval = await make_approval(company=company, pe_notification_status=NotificationStatus.SUCCESS)
    given = {"id": encode("Approval", approval.id), "endAt": (approval.end_at + timedelta(days=30)).isoformat()}

    answer = await graphql(MOVE, {"input": given}, as_=employer, of=company)

    assert answer.data["updateApprovalDates"] == {
        "__typename": "Approval",
        "startAt": approval.start_at.isoformat(),
        "endAt": given["endAt"],
        "notification": {"status": "PENDING"},
    }


async def test_a_cancelled_approval_stays_readable_and_its_cancellation_is_due(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    approval = await make_approval(company=company, pe_notification_status=NotificationStatus.SUCCESS)

    answer = await graphql(CANCEL, {"id": encode("Approval", approval.id)}, as_=employer, of=company)
    again = await graphql(CANCEL, {"id": encode("Approval", approval.id)}, as_=employer, of=company)

    assert answer.data["cancelApproval"] == {
        "__typename": "Approval",
        "number": approval.number,
        "state": "CANCELLED",
        "notification": {"status": "PENDING"},
    }
    assert again.data["cancelApproval"]["code"] == "CONFLICT"


async def test_another_company_that_sees_the_approval_may_not_change_it(graphql: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    approval = await make_approval()
    await make_job_application(await approval.job_seeker, company)

    answer = await graphql(CANCEL, {"id": encode("Approval", approval.id)}, as_=employer, of=company)

    assert answer.codes == ["FORBIDDEN"]


async def test_staff_with_operate_have_an_error_tried_again(graphql: GraphQLClient, rung: list[tuple[str, UUID]]):
    operator = await make_user(UserKind.STAFF, is_operator=True)
    approval = await make_approval(pe_notification_status=NotificationStatus.ERROR)

    answer = await graphql(RETRY, {"id": encode("Approval", approval.id)}, as_=operator)

    assert answer.data["retryApprovalNotification"]["notification"] == {"status": "PENDING"}
    assert rung == [("notify_approval", approval.id)]


async def test_staff_without_operate_may_not(graphql: GraphQLClient):
    staff = await make_user(UserKind.STAFF)
    approval = await make_approval(pe_notification_status=NotificationStatus.ERROR)

    answer = await graphql(RETRY, {"id": encode("Approval", approval.id)}, as_=staff)

    assert answer.codes == ["FORBIDDEN"]


async def test_two_mutations_on_one_row_each_show_what_they_wrote(graphql: GraphQLClient):
    staff = await make_user(UserKind.STAFF)
    approval = await make_approval()
    query = """
    mutation($id: ID!) {
      a: updateApprovalDates(input: { id: $id, startAt: "2026-01-05" }) { ... on Approval { startAt state } }
      b: updateApprovalDates(input: { id: $id, startAt: "2026-01-06" }) { ... on Approval { startAt state } }
      c: cancelApproval(id: $id) { ... on Approval { startAt state } }
    }
    """

    answer = await graphql(query, {"id": encode("Approval", approval.id)}, as_=staff)

    assert answer.data == {
        "a": {"startAt": "2026-01-05", "state": "VALID"},
        "b": {"startAt": "2026-01-06", "state": "VALID"},
        "c": {"startAt": "2026-01-06", "state": "CANCELLED"},
    }
