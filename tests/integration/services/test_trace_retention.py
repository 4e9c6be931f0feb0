"""What is deleted by its age, and what old cancellations become."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models import (
    AccessLog,
    Approval,
    AuditEntry,
    CancelledApproval,
    CancelledApprovalStatistic,
    DashboardVisit,
    InvitationAttempt,
    ManualPause,
    NotificationAttempt,
    OperationRun,
    SilencedAlarm,
    WebhookEvent,
)
from models.database import write
from models.enums import (
    AuditAction,
    Delivery,
    NotificationStatus,
    OperationKind,
    OperationState,
    UserKind,
    WebhookEventStatus,
)
from services.privacy.retention import TraceRetention, count_old_cancellations, forget_traces
from tests.factories import NOW, TODAY, make_approval, make_company, make_job_seeker
from tests.integration.services.rdv_events import keep, rdv

pytestmark = pytest.mark.usefixtures("database")

KEPT = TraceRetention(
    traces=timedelta(days=10),
    visits=timedelta(days=20),
    attempts=timedelta(days=30),
    webhooks=timedelta(days=40),
    actions=timedelta(days=50),
)
SECOND = timedelta(seconds=1)


async def make_trace(at: datetime) -> AccessLog:
    return await AccessLog.create(
        at=at, viewer_kind=UserKind.STAFF, viewer_id=uuid4(), job_seeker_id=uuid4(), field="nir", request_id="r"
    )


async def test_traces_of_access_are_kept_for_their_time_and_no_longer():
    await make_trace(NOW - KEPT.traces - SECOND)
    young = await make_trace(NOW - KEPT.traces)

    forgotten = await forget_traces(KEPT, now=NOW)

    assert forgotten["access_log"] == 1
    assert await AccessLog.all().values_list("id", flat=True) == [young.id]


async def test_visits_of_dashboards_are_kept_for_their_time_and_no_longer():
    for age in (KEPT.visits + SECOND, KEPT.visits):
        await DashboardVisit.create(
            at=NOW - age, dashboard_id=1, slug="suivi", user_kind=UserKind.LABOR_INSPECTOR, user_id=uuid4()
        )

    forgotten = await forget_traces(KEPT, now=NOW)

    assert forgotten["dashboard_visit"] == 1
    assert (await DashboardVisit.get()).at == NOW - KEPT.visits


async def test_what_operators_did_is_kept_for_its_time_and_no_longer():
    for age in (KEPT.actions + SECOND, KEPT.actions):
        run = await OperationRun.create(
            kind=OperationKind.RETRY_NOTIFICATIONS,
            criteria={},
            author_id=uuid4(),
            reason="Panne du partenaire",
            state=OperationState.FINISHED,
            total=0,
            created_at=NOW - age - timedelta(hours=1),
            finished_at=NOW - age,
        )
        await AuditEntry.create(
            at=NOW - age,
            actor_id=run.author_id,
            action=AuditAction.RUN_BEGUN,
            subject_type="operation_run",
            subject_id=str(run.id),
        )
        await SilencedAlarm.create(
            target=f"tally:model_{'ab'[age == KEPT.actions]}",
            silenced_at=NOW - age - timedelta(days=1),
            until=NOW - age,
            author_id=run.author_id,
            reason="Formulaire fermé",
        )

    forgotten = await forget_traces(KEPT, now=NOW)

    assert [forgotten[table] for table in ("audit_entry", "operation_run", "silenced_alarm")] == [1, 1, 1]
    assert (await AuditEntry.get()).at == (await OperationRun.get()).finished_at == NOW - KEPT.actions
    assert (await SilencedAlarm.get()).until == NOW - KEPT.actions


async def test_what_still_stands_is_kept_however_old_it_is():
    await OperationRun.create(
        kind=OperationKind.RETRY_NOTIFICATIONS,
        criteria={},
        author_id=uuid4(),
        reason="Panne du partenaire",
        total=3,
        created_at=NOW - KEPT.actions * 3,
        next_attempt_at=NOW,
    )
    await ManualPause.create(
        target="queue:webhooks", paused_at=NOW - KEPT.actions * 3, author_id=uuid4(), reason="Fermé"
    )

    await forget_traces(KEPT, now=NOW)

    assert await OperationRun.all().count() == await ManualPause.all().count() == 1


async def test_the_last_attempt_of_an_announcement_stays_however_old_it_is():
    approval = await make_approval(accepted_application=False)
    attempts = [
        await NotificationAttempt.create(
            approval=approval,
            started_at=NOW - KEPT.attempts - timedelta(days=days),
            outcome=NotificationStatus.SHOULD_RETRY,
            delivery=Delivery.UNKNOWN,
        )
        for days in (3, 2, 1)
    ]

    forgotten = await forget_traces(KEPT, now=NOW)

    assert forgotten["notification_attempt"] == 2
    assert (await NotificationAttempt.get()).id == attempts[-1].id


async def test_attempts_to_invite_are_forgotten_once_settled():
    person, company = await make_job_seeker(), await make_company()
    common: dict[str, Any] = {
        "job_seeker": person,
        "company": company,
        "organisation_id": 654,
        "reason_category": "siae_interview",
        "begun_at": NOW - KEPT.attempts - timedelta(days=1),
    }
    await InvitationAttempt.create(**common, state="refused", settled_at=NOW - KEPT.attempts - SECOND)
    open_one = await InvitationAttempt.create(**common, state="unknown", next_look_at=NOW)

    forgotten = await forget_traces(KEPT, now=NOW)

    assert forgotten["invitation_attempt"] == 1
    assert (await InvitationAttempt.get()).id == open_one.id


@pytest.mark.parametrize(
    ("status", "has_body", "forgotten"),
    [
        (WebhookEventStatus.PROCESSED, False, 1),
        (WebhookEventStatus.UNMATCHED, False, 1),
        (WebhookEventStatus.PROCESSED, True, 0),
        (WebhookEventStatus.RECEIVED, True, 0),
    ],
)
async def test_the_row_of_a_webhook_goes_after_its_body(status: WebhookEventStatus, has_body: bool, forgotten: int):
    await keep(rdv(5))
    await WebhookEvent.all().update(
        received_at=NOW - KEPT.webhooks - SECOND,
        status=status,
        processed_at=None if status is WebhookEventStatus.RECEIVED else NOW - KEPT.webhooks,
    )
    if not has_body:
        await write("UPDATE webhook_event SET body = NULL RETURNING id")

    counts = await forget_traces(KEPT, now=NOW)

    assert counts["webhook_event"] == forgotten
    assert await WebhookEvent.all().count() == 1 - forgotten


async def test_traces_are_deleted_in_steps_until_the_worker_is_to_end():
    for _ in range(5):
        await make_trace(NOW - KEPT.traces - SECOND)
    answers = iter((True, True))

    forgotten = await forget_traces(KEPT, now=NOW, batch_size=2, keep_going=lambda: next(answers, False))

    assert forgotten["access_log"] == 4
    assert await AccessLog.all().count() == 1


async def make_cancellation(*, end_at: date, sender: str = "employer", announced: bool = True) -> CancelledApproval:
    start_at = end_at - timedelta(days=729)
    approval = await make_approval(accepted_application=False, cancelled_at=NOW, start_at=start_at, end_at=end_at)
    return await CancelledApproval.create(
        approval=approval,
        number=approval.number,
        start_at=start_at,
        end_at=end_at,
        user_first_name="Orphéa",
        user_last_name="Quasimodoline",
        origin_siae_siret=approval.origin_siae_siret,
        origin_siae_kind="ACI",
        origin_sender_kind=sender,
        pe_notification_status=NotificationStatus.SUCCESS if announced else NotificationStatus.ERROR,
    )


OVER = TODAY - timedelta(days=730)


async def test_a_cancellation_becomes_a_number_730_days_after_its_end_and_no_earlier():
    await make_cancellation(end_at=OVER)
    young = await make_cancellation(end_at=OVER + timedelta(days=1))

    counted = await count_old_cancellations(now=NOW)

    assert counted == 1
    assert [row.id for row in await CancelledApproval.all()] == [young.id]
    assert await Approval.all().count() == 2
    statistic = await CancelledApprovalStatistic.get()
    assert (statistic.start_month, statistic.end_month) == (date(2022, 2, 1), date(2024, 2, 1))
    assert (statistic.origin_siae_kind, statistic.origin_sender_kind) == ("ACI", "employer")
    assert (statistic.was_announced, statistic.number) == (True, 1)


async def test_cancellations_that_are_alike_are_counted_together_whenever_they_are():
    await make_cancellation(end_at=OVER)
    await count_old_cancellations(now=NOW)
    await make_cancellation(end_at=OVER)
    await make_cancellation(end_at=OVER)
    await make_cancellation(end_at=OVER, sender="prescriber")
    await make_cancellation(end_at=OVER, announced=False)

    counted = await count_old_cancellations(now=NOW, batch_size=1)

    assert counted == 4
    assert sorted([row.number for row in await CancelledApprovalStatistic.all()]) == [1, 1, 3]


async def test_a_cancellation_that_a_worker_holds_waits_for_the_next_night():
    await make_cancellation(end_at=OVER)
    await write(
        "UPDATE cancelled_approval SET lease_token = gen_random_uuid(),"
        " lease_until = clock_timestamp() + interval '1 minute' RETURNING id"
    )

    assert await count_old_cancellations(now=NOW) == 0
    assert await CancelledApproval.exists()


async def test_a_statistic_holds_nothing_that_is_about_one_person():
    columns = CancelledApprovalStatistic._meta.db_fields  # pyright: ignore[reportPrivateUsage]: Tortoise's own description

    assert set(columns) == {
        "id",
        "cancelled_month",
        "start_month",
        "end_month",
        "origin_siae_kind",
        "origin_sender_kind",
        "origin_prescriber_organization_kind",
        "was_announced",
        "number",
    }
