"""Granting, moving, cancelling and retrying approvals: the rules that hold for everyone."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from models import Approval, CancelledApproval, Company, JobApplication, User
from models.database import write
from models.enums import CompanyKind, JobApplicationState, PrescriberKind, SenderKind
from models.enums import NotificationStatus as Status
from services.approvals import (
    ApprovalOutcome,
    cancel_approval,
    create_approval,
    retry_notification,
    update_approval_dates,
)
from services.numbering import ApprovalNumbersExhausted
from services.outcomes import ConflictFound, Invalid, NotFound
from tests.conftest import NOW
from tests.factories import (
    TODAY,
    make_approval,
    make_company,
    make_job_application,
    make_job_seeker,
    make_prescriber_organization,
    make_user,
)
from tests.integration.services.notifications import days_ago, make_cancellation, make_sendable, status_of

pytestmark = pytest.mark.usefixtures("database")

FIRST_NUMBER = "999990000001"


async def make_accepted(job_seeker: User | None = None, company: Company | None = None) -> JobApplication:
    return await make_job_application(job_seeker, company, state=JobApplicationState.ACCEPTED)


async def grant(application_id: UUID, start_at: date = TODAY, end_at: date | None = None) -> ApprovalOutcome:
    return await create_approval(application_id, start_at=start_at, end_at=end_at, now=NOW)


async def granted(application_id: UUID, start_at: date = TODAY, end_at: date | None = None) -> Approval:
    outcome = await grant(application_id, start_at, end_at)
    assert isinstance(outcome, Approval), outcome
    return outcome


def paths(outcome: ApprovalOutcome) -> list[tuple[str, ...]]:
    assert isinstance(outcome, Invalid), outcome
    assert all(problem.message for problem in outcome.problems)
    return [problem.path for problem in outcome.problems]


async def test_an_approval_lasts_two_years_with_its_last_day_and_is_due():
    application = await make_accepted()

    approval = await granted(application.id, start_at=date(2026, 3, 2))

    assert (approval.number, approval.end_at) == (FIRST_NUMBER, date(2028, 2, 29))
    assert approval.job_seeker_id == application.job_seeker_id
    assert await status_of(approval) is Status.PENDING
    await application.refresh_from_db()
    assert application.approval_id == approval.id


async def test_the_origin_is_that_of_the_application_and_stays_when_the_company_moves():
    company = await make_company(kind=CompanyKind.ETTI)
    organization = await make_prescriber_organization(kind=PrescriberKind.SPIP)
    application = await make_job_application(
        company=company,
        state=JobApplicationState.ACCEPTED,
        sender_kind=SenderKind.PRESCRIBER,
        sender_prescriber_organization=organization,
    )

    approval = await granted(application.id)
    await Company.filter(id=company.id).update(kind=CompanyKind.ACI)

    await approval.refresh_from_db()
    assert approval.origin_company_id == company.id
    assert approval.origin_siae_siret == company.siret
    assert approval.origin_siae_kind == "ETTI"
    assert approval.origin_sender_kind == "prescriber"
    assert approval.origin_prescriber_organization_kind == "SPIP"


async def test_without_an_organisation_the_prescriber_kind_is_empty():
    approval = await granted((await make_accepted()).id)

    assert approval.origin_prescriber_organization_kind == ""


async def test_parallel_creations_get_consecutive_numbers_after_the_highest_ever_given():
    await make_cancellation(number="999990004217")
    applications = [await make_accepted() for _ in range(20)]

    async with asyncio.TaskGroup() as group:
        creations = [group.create_task(granted(application.id)) for application in applications]

    numbers = sorted(creation.result().number for creation in creations)
    assert numbers == [f"99999{number:07d}" for number in range(4218, 4238)]


async def test_a_refused_creation_leaves_no_hole_in_the_numbers():
    refused = await make_job_application(state=JobApplicationState.NEW)
    first = await granted((await make_accepted()).id)
    assert isinstance(await grant(refused.id), ConflictFound)

    second = await granted((await make_accepted()).id)

    assert int(second.number) == int(first.number) + 1


async def test_numbers_of_other_prefixes_and_letters_do_not_count():
    await make_approval(number="XXXXX9999999")
    await make_approval(number="99999AAAAAAA")
    await make_approval(number="888880000009")

    approval = await granted((await make_accepted()).id)

    assert approval.number == FIRST_NUMBER


async def test_the_last_number_is_followed_by_an_error_that_says_what_to_do():
    await make_approval(number="999999999999")
    application = await make_accepted()

    with pytest.raises(ApprovalNumbersExhausted, match="choose a new prefix"):
        await grant(application.id)

    await application.refresh_from_db()
    assert application.approval_id is None


async def test_the_dates_of_a_new_approval_must_be_in_order():
    application = await make_accepted()

    same_day = await grant(application.id, end_at=TODAY)
    reversed_days = await grant(application.id, end_at=TODAY - timedelta(days=1))

    assert paths(same_day) == paths(reversed_days) == [("endAt",)]
    assert await Approval.all().count() == 0


async def test_a_start_beyond_the_calendar_is_a_problem_of_the_start():
    application = await make_accepted()

    assert paths(await grant(application.id, start_at=date.max)) == [("startAt",)]


async def test_an_unknown_application_is_not_found():
    assert await grant(uuid4()) == NotFound()


@pytest.mark.parametrize("state", [state for state in JobApplicationState if state is not JobApplicationState.ACCEPTED])
async def test_only_an_accepted_application_leads_to_an_approval(state: JobApplicationState):
    application = await make_job_application(state=state)

    assert isinstance(await grant(application.id), ConflictFound)


async def test_an_application_leads_to_one_approval():
    application = await make_accepted()
    approval = await granted(application.id)
    await cancel_approval(approval.id, now=NOW)
    again = await granted(application.id)

    outcome = await grant(application.id, start_at=again.end_at + timedelta(days=1))

    assert isinstance(outcome, ConflictFound)


@pytest.mark.parametrize("start_at", [TODAY - timedelta(days=30), TODAY + timedelta(days=30)])
async def test_a_person_has_one_valid_approval_at_a_time_and_a_future_one_is_valid(start_at: date):
    job_seeker = await make_job_seeker()
    standing = await make_approval(job_seeker, start_at=start_at)
    application = await make_accepted(job_seeker)

    outcome = await grant(application.id, start_at=standing.end_at + timedelta(days=10))

    assert isinstance(outcome, ConflictFound)


async def test_an_expired_or_cancelled_approval_is_no_obstacle():
    job_seeker = await make_job_seeker()
    await make_approval(job_seeker, start_at=days_ago(730 + 730))
    cancelled = await make_approval(job_seeker, start_at=days_ago(30))
    await cancel_approval(cancelled.id, now=NOW)

    approval = await granted((await make_accepted(job_seeker)).id)

    assert approval.start_at == TODAY


async def test_an_approval_may_not_share_a_day_with_an_expired_one():
    job_seeker = await make_job_seeker()
    expired = await make_approval(job_seeker, start_at=days_ago(740))
    application = await make_accepted(job_seeker)

    outcome = await grant(application.id, start_at=expired.end_at)

    assert isinstance(outcome, ConflictFound)


async def test_two_creations_for_one_person_at_once_give_one_approval():
    job_seeker = await make_job_seeker()
    applications = [await make_accepted(job_seeker) for _ in range(5)]

    async with asyncio.TaskGroup() as group:
        creations = [group.create_task(grant(application.id)) for application in applications]

    outcomes = [creation.result() for creation in creations]
    assert sum(isinstance(outcome, Approval) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ConflictFound) for outcome in outcomes) == 4


async def test_new_dates_are_kept_and_make_the_approval_due():
    approval = await make_sendable(Status.SUCCESS)

    outcome = await update_approval_dates(approval.id, end_at=approval.end_at + timedelta(days=90))

    assert isinstance(outcome, Approval)
    assert (outcome.start_at, outcome.end_at) == (approval.start_at, approval.end_at + timedelta(days=90))
    assert outcome.pe_notification_status is Status.PENDING


async def test_the_same_dates_again_leave_the_approval_as_announced():
    approval = await make_sendable(Status.SUCCESS)

    await update_approval_dates(approval.id, start_at=approval.start_at, end_at=approval.end_at)

    assert await status_of(approval) is Status.SUCCESS


async def test_moved_dates_must_be_in_order_and_one_must_be_given():
    approval = await make_sendable(Status.SUCCESS)

    late_start = await update_approval_dates(approval.id, start_at=approval.end_at)
    early_end = await update_approval_dates(approval.id, end_at=approval.start_at)
    nothing = await update_approval_dates(approval.id)

    assert (paths(late_start), paths(early_end)) == ([("startAt",)], [("endAt",)])
    assert paths(nothing) == [("startAt",), ("endAt",)]
    assert await status_of(approval) is Status.SUCCESS


async def test_dates_may_not_be_moved_over_another_approval_nor_after_a_cancellation():
    job_seeker = await make_job_seeker()
    expired = await make_approval(job_seeker, start_at=days_ago(800))
    await make_approval(job_seeker, start_at=days_ago(20))
    cancelled = await make_cancellation()

    over = await update_approval_dates(expired.id, end_at=TODAY)
    after = await update_approval_dates(UUID(str(cancelled.approval_id)), end_at=TODAY)

    assert isinstance(over, ConflictFound)
    assert isinstance(after, ConflictFound)
    assert await update_approval_dates(uuid4(), end_at=TODAY) == NotFound()


async def test_a_cancellation_freezes_the_approval_and_the_person_and_frees_the_applications():
    job_seeker = await make_job_seeker(profile={"pe_obfuscated_nir": "identifier"})
    staff = await make_user()
    approval = await make_sendable(Status.SUCCESS, job_seeker=job_seeker)
    application = await JobApplication.get(approval_id=approval.id)

    outcome = await cancel_approval(approval.id, cancelled_by=staff.id, now=NOW)
    await User.filter(id=job_seeker.id).update(last_name="Autrement")

    assert isinstance(outcome, Approval)
    assert outcome.cancelled_at == NOW
    await application.refresh_from_db()
    assert application.approval_id is None
    copy = await CancelledApproval.get(approval_id=approval.id)
    assert (copy.number, copy.start_at, copy.end_at) == (approval.number, approval.start_at, approval.end_at)
    assert (copy.user_first_name, copy.user_last_name) == (job_seeker.first_name, job_seeker.last_name)
    assert copy.user_id_national_pe == "identifier"
    assert copy.user_nir is not None
    assert copy.user_birthdate is not None
    assert copy.cancelled_by_id == staff.id
    assert (copy.origin_siae_siret, copy.origin_siae_kind) == (approval.origin_siae_siret, approval.origin_siae_kind)
    assert copy.pe_notification_status is Status.PENDING
    assert await status_of(approval) is Status.SUCCESS


async def test_an_approval_is_cancelled_once():
    approval = await make_sendable()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(cancel_approval(approval.id, now=NOW)) for _ in range(3)]

    assert sum(isinstance(task.result(), Approval) for task in tasks) == 1
    assert sum(isinstance(task.result(), ConflictFound) for task in tasks) == 2
    assert await CancelledApproval.all().count() == 1
    assert await cancel_approval(uuid4(), now=NOW) == NotFound()


@pytest.mark.parametrize("status", list(Status))
async def test_a_retry_makes_any_announcement_due_at_once(status: Status):
    approval = await make_sendable(status, next_attempt_at=NOW + timedelta(hours=1))

    outcome = await retry_notification(approval.id)

    assert isinstance(outcome, Approval)
    assert (outcome.pe_notification_status, outcome.next_attempt_at) == (Status.PENDING, None)


async def test_a_retry_of_a_cancelled_approval_is_one_of_its_cancellation():
    cancellation = await make_cancellation(Status.ERROR)

    outcome = await retry_notification(UUID(str(cancellation.approval_id)))

    assert isinstance(outcome, Approval)
    assert outcome.pe_notification_status is Status.READY
    assert await status_of(cancellation) is Status.PENDING


async def test_nothing_is_retried_while_it_is_being_sent_nor_when_it_is_unknown():
    approval = await make_sendable(Status.SHOULD_RETRY)
    await write(
        "UPDATE approval SET lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute' RETURNING id"
    )

    outcome = await retry_notification(approval.id)

    assert isinstance(outcome, ConflictFound)
    assert await status_of(approval) is Status.SHOULD_RETRY
    assert await retry_notification(uuid4()) == NotFound()
