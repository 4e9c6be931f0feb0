from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from models import Approval, AuditEntry, CancelledApproval, OperationRun, OperationRunItem, WebhookEvent
from models.database import write
from models.enums import (
    AuditAction,
    NotificationEndpoint,
    NotificationStatus,
    OperationKind,
    OperationState,
    Partner,
    WebhookEventStatus,
)
from services.approvals import cancel_approval
from services.operations import runs
from services.operations.bulk_work import MOST_FAILURES, BulkSummary, work_through_runs
from services.operations.notifications import NotificationFilter
from services.operations.runs import Begun, begin_run, cancel_run, criteria_of, filter_of, preview, read_run
from services.operations.webhooks import WebhookFilter
from services.outcomes import ConflictFound, Invalid, NotFound
from tests.integration.operations.rows import LATER, NOW, REASON, make_event, make_operator, make_refused

pytestmark = pytest.mark.usefixtures("database")

REFUSED = NotificationFilter(status=NotificationStatus.ERROR, code="S008")
FAILED = WebhookFilter(status=WebhookEventStatus.FAILED)


async def begun(narrowed: runs.RunFilter, by: UUID | None = None) -> UUID:
    outcome = await begin_run(narrowed, by=by or (await make_operator()).id, reason=REASON, now=LATER)
    assert isinstance(outcome, Begun)
    return outcome.run_id


async def work(**options: object) -> BulkSummary:
    return await work_through_runs(clock=lambda: LATER, **options)  # pyright: ignore[reportArgumentType]


async def status_of(approval: Approval) -> NotificationStatus:
    await approval.refresh_from_db()
    return approval.pe_notification_status


async def test_a_run_retries_everything_that_matches_and_nothing_else():
    refused = [await make_refused() for _ in range(3)]
    other = await make_refused("S012")
    run_id = await begun(REFUSED)

    summary = await work(batch_size=2)

    run = await read_run(run_id)
    assert run is not None
    assert (run.state, run.total, run.changed, run.skipped, run.progress) == (OperationState.FINISHED, 3, 3, 0, 1.0)
    assert (summary.runs, summary.changed) == (1, 3)
    assert {await status_of(approval) for approval in refused} == {NotificationStatus.PENDING}
    assert await status_of(other) is NotificationStatus.ERROR
    assert await OperationRunItem.all().count() == 0


async def test_the_cancellation_of_a_cancelled_approval_is_what_is_retried():
    approval = await make_refused()
    await cancel_approval(approval.id, now=NOW)
    await CancelledApproval.filter(approval_id=approval.id).update(
        pe_notification_status=NotificationStatus.ERROR, pe_notification_exit_code="S008"
    )
    run_id = await begun(REFUSED)

    await work()

    cancellation = await CancelledApproval.get(approval_id=approval.id)
    run = await read_run(run_id)
    assert cancellation.pe_notification_status is NotificationStatus.PENDING
    assert await status_of(approval) is NotificationStatus.ERROR
    assert run is not None
    assert (run.total, run.changed) == (1, 1)


async def test_each_changed_row_is_recorded_with_what_was_before():
    operator, approval = await make_operator(), await make_refused()
    run_id = await begun(REFUSED, by=operator.id)

    await work()

    entry = await AuditEntry.get(action=AuditAction.NOTIFICATION_RETRIED)
    assert (entry.actor_id, entry.run_id, entry.reason) == (operator.id, run_id, REASON)
    assert (entry.subject_type, entry.subject_id) == ("approval", str(approval.id))
    assert entry.before == {"status": "notification_error", "code": "S008"}
    assert entry.after == {"status": "notification_pending", "code": "S008"}
    assert await AuditEntry.filter(action=AuditAction.RUN_BEGUN, run_id=run_id).count() == 1


async def test_events_that_match_are_processed_again_but_for_those_that_cannot_be():
    event = await make_event()
    purged = await make_event(body=None)
    unknown = await make_event(error="unknown_model")
    run_id = await begun(FAILED)

    await work()

    statuses = {row.id: (row.status, row.attempts) for row in await WebhookEvent.all()}
    run = await read_run(run_id)
    assert statuses[event.id] == (WebhookEventStatus.RECEIVED, 0)
    assert statuses[purged.id][0] is statuses[unknown.id][0] is WebhookEventStatus.FAILED
    assert run is not None
    assert run.total == 1


async def test_the_preview_counts_what_a_run_would_take():
    for _ in range(3):
        await make_refused()
    await make_refused("S012")

    assert (await preview(REFUSED)).number == 3
    assert (await preview(NotificationFilter(status=NotificationStatus.ERROR))).number == 4
    assert (await preview(FAILED)).number == 0


async def test_what_has_moved_on_since_the_confirmation_is_left_alone():
    succeeded, refused = await make_refused(), await make_refused()
    run_id = await begun(REFUSED)
    await Approval.filter(id=succeeded.id).update(pe_notification_status=NotificationStatus.SUCCESS)

    await work()

    run = await read_run(run_id)
    assert run is not None
    assert (run.changed, run.skipped) == (1, 1)
    assert await status_of(succeeded) is NotificationStatus.SUCCESS
    assert await status_of(refused) is NotificationStatus.PENDING


async def test_what_a_worker_is_announcing_is_left_to_it():
    held = await make_refused()
    run_id = await begun(REFUSED)
    await write(
        "UPDATE approval SET lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute'"
        " WHERE id = $1 RETURNING id",
        held.id,
    )

    await work()

    run = await read_run(run_id)
    assert run is not None
    assert (run.changed, run.skipped) == (0, 1)
    assert await status_of(held) is NotificationStatus.ERROR


async def test_another_worker_goes_on_where_a_killed_one_stopped():
    refused = [await make_refused() for _ in range(5)]
    run_id = await begun(REFUSED)
    asked = iter([True, True])

    def killed_after_one_batch() -> bool:
        if next(asked, None) is None:
            raise asyncio.CancelledError
        return True

    with pytest.raises(asyncio.CancelledError):
        await work(batch_size=2, keep_going=killed_after_one_batch)
    halfway = await read_run(run_id)
    idle = await work(batch_size=2)
    await OperationRun.filter(id=run_id).update(lease_until=NOW - timedelta(days=3650))
    await work(batch_size=2)

    run = await read_run(run_id)
    assert halfway is not None
    assert run is not None
    assert (halfway.state, halfway.done, halfway.is_held) == (OperationState.RUNNING, 2, True)
    assert idle.runs == 0
    assert (run.state, run.changed) == (OperationState.FINISHED, 5)
    assert await AuditEntry.filter(action=AuditAction.NOTIFICATION_RETRIED).count() == len(refused)


async def test_a_batch_whose_lease_was_lost_is_taken_back_whole():
    approval = await make_refused()
    run_id = await begun(REFUSED)
    asked = iter([True, True])

    summary = await work(lease=timedelta(0), keep_going=lambda: next(asked, False))

    assert (summary.runs, summary.changed) == (1, 0)
    assert await status_of(approval) is NotificationStatus.ERROR
    assert await OperationRunItem.filter(run_id=run_id).count() == 1
    assert await AuditEntry.filter(action=AuditAction.NOTIFICATION_RETRIED).count() == 0


async def test_two_workers_at_once_change_each_row_once():
    for _ in range(6):
        await make_refused()
    run_id = await begun(REFUSED)

    await asyncio.gather(work(batch_size=1), work(batch_size=1))

    run = await read_run(run_id)
    assert run is not None
    assert (run.changed, run.skipped) == (6, 0)
    assert await AuditEntry.filter(action=AuditAction.NOTIFICATION_RETRIED).count() == 6


async def test_a_worker_that_is_to_end_gives_the_run_back_at_once():
    for _ in range(3):
        await make_refused()
    run_id = await begun(REFUSED)
    asked = iter([True, True])

    await work(batch_size=1, keep_going=lambda: next(asked, False))
    summary = await work()

    run = await read_run(run_id)
    assert summary.changed == 2
    assert run is not None
    assert run.state is OperationState.FINISHED


async def test_a_cancelled_run_leaves_the_rest_alone():
    operator = await make_operator()
    approval = await make_refused()
    run_id = await begun(REFUSED)

    cancelled = await cancel_run(run_id, by=operator.id, reason=REASON, now=LATER)
    again = await cancel_run(run_id, by=operator.id, reason=REASON, now=LATER)
    summary = await work()

    assert isinstance(cancelled, runs.RunView)
    assert cancelled.state is OperationState.CANCELLED
    assert isinstance(again, ConflictFound)
    assert summary.runs == 0
    assert await status_of(approval) is NotificationStatus.ERROR
    assert await AuditEntry.filter(action=AuditAction.RUN_CANCELLED).count() == 1


async def test_a_run_that_breaks_again_and_again_is_given_up():
    await make_refused()
    run_id = await begun(REFUSED)
    # A row of a table that this version does not know.
    await OperationRunItem.filter(run_id=run_id).update(subject_type="unheard_of")

    for attempt in range(MOST_FAILURES):
        later = LATER + timedelta(hours=attempt)
        await work_through_runs(clock=lambda: later)  # noqa: B023 - called at once

    run = await read_run(run_id)
    assert run is not None
    assert (run.state, run.error_class, run.is_over) == (OperationState.FAILED, "ValueError", True)
    assert (await work()).runs == 0


async def test_a_run_without_criteria_or_reason_is_not_begun():
    operator = await make_operator()
    await make_refused()

    everything = await begin_run(NotificationFilter(), by=operator.id, reason=REASON, now=LATER)
    silent = await begin_run(REFUSED, by=operator.id, reason=" ", now=LATER)
    nothing = await begin_run(FAILED, by=operator.id, reason=REASON, now=LATER)

    assert isinstance(everything, Invalid)
    assert isinstance(silent, Invalid)
    assert isinstance(nothing, ConflictFound)
    assert await OperationRun.all().count() == await AuditEntry.all().count() == 0


async def test_a_run_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runs, "LARGEST_RUN", 1)
    for _ in range(2):
        await make_refused()

    outcome = await begin_run(REFUSED, by=(await make_operator()).id, reason=REASON, now=LATER)

    assert isinstance(outcome, ConflictFound)
    assert (await preview(REFUSED)).is_too_many
    assert await OperationRun.all().count() == 0


async def test_a_run_that_does_not_exist_cannot_be_cancelled():
    assert isinstance(await cancel_run(uuid4(), by=uuid4(), reason=REASON, now=LATER), NotFound)


@pytest.mark.parametrize(
    ("kind", "narrowed"),
    [
        (
            OperationKind.RETRY_NOTIFICATIONS,
            NotificationFilter(
                status=NotificationStatus.ERROR,
                code="S008",
                endpoint=NotificationEndpoint.RECHERCHE_INDIVIDU,
                label="SIRET",
                number="999990000001",
                job_seeker_id=uuid4(),
                since=NOW,
                until=LATER,
            ),
        ),
        (
            OperationKind.REPLAY_WEBHOOKS,
            WebhookFilter(
                source=Partner.TALLY,
                status=WebhookEventStatus.FAILED,
                model="form_response",
                resource_id="7",
                error="KeyError",
                since=NOW,
                until=LATER,
            ),
        ),
    ],
)
def test_a_filter_survives_being_written_down(kind: OperationKind, narrowed: runs.RunFilter):
    assert filter_of(kind, criteria_of(narrowed)) == narrowed
