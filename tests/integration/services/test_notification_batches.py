"""A run: what comes back, what is promoted, and who is sent in which order."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from clients.france_travail import FranceTravailClient
from models import Approval, NotificationAttempt
from models.database import fetch_all, write
from models.enums import NotificationEndpoint
from models.enums import NotificationStatus as Status
from services.notification import Subject, preview_batch
from tests.conftest import NOW
from tests.factories import TODAY, make_approval, make_job_seeker
from tests.integration.services.conftest import TickingClock
from tests.integration.services.notifications import (
    attempts_of,
    days_ago,
    make_cancellation,
    make_known_job_seeker,
    make_sendable,
    numbers_told,
    run,
    state_of,
    status_of,
)
from tests.unit.clients.france_travail import FakeFranceTravail

pytestmark = pytest.mark.usefixtures("database", "api")


async def make_retry(*, minutes_ago: int, **values: Any) -> Approval:
    attempted_at = NOW - timedelta(minutes=minutes_ago)
    return await make_sendable(Status.SHOULD_RETRY, pe_notification_time=attempted_at, **values)


async def test_a_run_makes_complete_approvals_ready_and_sends_them(
    france_travail: FranceTravailClient, clock: TickingClock
):
    approval = await make_approval()
    cancellation = await make_cancellation()

    summary = await run(france_travail, clock)

    assert (summary.promoted, summary.attempted) == (2, 2)
    assert summary.statuses == {Status.SUCCESS: 2}
    assert await status_of(approval) is Status.SUCCESS
    assert await status_of(cancellation) is Status.SUCCESS


async def test_what_cannot_be_sent_is_left_out_of_the_batch_and_untouched(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    waiting = [
        await make_sendable(Status.PENDING, start_at=TODAY + timedelta(days=2)),
        await make_sendable(Status.PENDING, accepted_application=False),
        await make_approval(await make_job_seeker(profile={"nir": None})),
        await make_approval(await make_job_seeker(profile={"birthdate": None})),
        await make_approval(await make_job_seeker(first_name=" ")),
        await make_approval(await make_job_seeker(last_name="")),
    ]

    summary = await run(france_travail, clock)

    assert summary.attempted == 0
    assert [await state_of(approval) for approval in waiting] == [(Status.PENDING, None, None, None)] * 6
    assert api.router.calls.call_count == 0


async def test_promotion_leaves_the_other_fields_as_they_were(france_travail: FranceTravailClient, clock: TickingClock):
    before = NOW - timedelta(days=2)
    approval = await make_sendable(
        Status.PENDING, pe_notification_time=before, pe_notification_exit_code="STARTS_IN_FUTURE"
    )

    await run(france_travail, clock, keep_going=lambda: False)

    assert await state_of(approval) == (Status.READY, before, None, "STARTS_IN_FUTURE")


async def test_an_unknown_kind_of_structure_is_promoted_and_tried_once(
    france_travail: FranceTravailClient, clock: TickingClock
):
    approval = await make_sendable(Status.PENDING, origin_siae_kind="OPCS")

    first = await run(france_travail, clock)
    second = await run(france_travail, clock)

    assert (first.attempted, second.attempted) == (1, 0)
    assert (await state_of(approval))[::3] == (Status.ERROR, "INVALID_SIAE_KIND")


async def test_only_a_refused_search_comes_back_once_the_person_is_known(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    refused: dict[str, Any] = {"pe_notification_status": Status.ERROR, "pe_notification_exit_code": "S002"}
    search, update = NotificationEndpoint.RECHERCHE_INDIVIDU, NotificationEndpoint.MISE_A_JOUR_PASS_IAE
    known = await make_approval(await make_known_job_seeker(), pe_notification_endpoint=search, **refused)
    unknown = await make_approval(pe_notification_endpoint=search, **refused)
    of_update = await make_approval(await make_known_job_seeker(), pe_notification_endpoint=update, **refused)
    of_kind = await make_approval(await make_known_job_seeker(), **refused)
    cancellation = await make_cancellation(Status.ERROR)
    await write("UPDATE cancelled_approval SET pe_notification_endpoint = 'rech_individu' RETURNING id")

    summary = await run(france_travail, clock)

    assert (summary.revived, summary.attempted) == (1, 1)
    assert numbers_told(api.update) == [known.number]
    assert await status_of(known) is Status.SUCCESS
    untouched = [await status_of(row) for row in (unknown, of_update, of_kind, cancellation)]
    assert untouched == [Status.ERROR] * 4


async def test_cancellations_get_what_the_approvals_leave_of_the_batch(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    for _ in range(10):
        await make_cancellation()
    approvals = [await make_sendable() for _ in range(3)]

    summary = await run(france_travail, clock, batch_size=10)

    assert summary.attempted == 10
    told = numbers_told(api.update)
    assert sorted(told[:3]) == sorted(approval.number for approval in approvals)
    assert await NotificationAttempt.filter(cancelled_approval_id__isnull=False).count() == 7


async def test_what_failed_before_goes_first_then_the_newest_start(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    older_ready = await make_sendable(start_at=days_ago(40))
    newer_ready = await make_sendable(start_at=days_ago(2))
    older_retry = await make_retry(minutes_ago=5, start_at=days_ago(300))
    newer_retry = await make_retry(minutes_ago=90, start_at=days_ago(200))

    await run(france_travail, clock, batch_size=10)

    expected = [newer_retry, older_retry, newer_ready, older_ready]
    assert numbers_told(api.update) == [approval.number for approval in expected]


async def test_cancellations_follow_the_same_order(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    older = await make_cancellation(Status.READY, start_at=days_ago(40))
    newer = await make_cancellation(Status.READY, start_at=days_ago(2))
    retry = await make_cancellation(Status.SHOULD_RETRY, start_at=days_ago(90))

    await run(france_travail, clock, batch_size=10)

    assert numbers_told(api.update) == [retry.number, newer.number, older.number]


async def test_while_others_wait_retries_get_half_of_the_batch_the_oldest_attempt_first(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    api.update.respond(503)
    retries = [await make_retry(minutes_ago=minutes, start_at=days_ago(minutes)) for minutes in (10, 50, 30)]
    ready = [await make_sendable(start_at=days_ago(day)) for day in (1, 2, 3)]

    summary = await run(france_travail, clock, batch_size=4)

    assert summary.attempted == 4
    tried = [*retries[1:], *ready[:2]]
    assert [approval.number for approval in tried] == numbers_told(api.update)
    assert await status_of(ready[2]) is Status.READY


async def test_retries_take_what_the_ready_ones_leave(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    for minutes in range(1, 6):
        await make_retry(minutes_ago=minutes)
    await make_sendable()

    summary = await run(france_travail, clock, batch_size=6)

    assert summary.statuses == {Status.SUCCESS: 6}


async def test_more_retries_than_the_batch_holds_have_their_turns(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    api.update.respond(503)
    retries = [await make_retry(minutes_ago=10 + day, start_at=days_ago(day)) for day in range(1, 5)]

    await run(france_travail, clock, batch_size=2)
    await run(france_travail, clock, batch_size=2)

    numbers = [approval.number for approval in retries]
    assert numbers_told(api.update) == list(reversed(numbers))


async def test_a_record_is_tried_once_a_run(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    api.update.respond(503)
    approval = await make_sendable()

    summary = await run(france_travail, clock)

    assert summary.attempted == 1
    assert len(await attempts_of(approval)) == 1


async def test_a_row_is_not_tried_before_its_next_attempt(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    await make_retry(minutes_ago=5, next_attempt_at=NOW + timedelta(minutes=1))
    due = await make_retry(minutes_ago=5, next_attempt_at=NOW)

    await run(france_travail, clock)

    assert numbers_told(api.update) == [due.number]


async def test_two_workers_at_once_share_the_batch_and_send_nothing_twice(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    approvals = [await make_sendable() for _ in range(30)]

    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(run(france_travail, clock)) for _ in range(3)]

    told = numbers_told(api.update)
    assert sorted(told) == sorted(approval.number for approval in approvals)
    assert sum(task.result().attempted for task in runs) == 30
    assert min(task.result().attempted for task in runs) > 0


async def test_a_preview_names_what_a_run_would_try_and_writes_nothing(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    retries = [await make_retry(minutes_ago=minutes, start_at=days_ago(minutes)) for minutes in (10, 50, 30)]
    pending = await make_sendable(Status.PENDING, start_at=days_ago(1))
    ready = await make_sendable(start_at=days_ago(2))
    cancellation = await make_cancellation()
    revivable = await make_sendable(
        Status.ERROR, pe_notification_endpoint=NotificationEndpoint.RECHERCHE_INDIVIDU, start_at=days_ago(3)
    )
    before = await everything()

    preview = await preview_batch(batch_size=7, clock=clock)

    assert (preview.revived, preview.promoted) == (1, 3)
    in_order = [retries[0], retries[2], retries[1], pending, ready, revivable]
    expected = [(Subject.APPROVAL, row.id) for row in in_order] + [(Subject.CANCELLATION, cancellation.id)]
    assert list(preview.due) == expected
    assert await everything() == before
    assert api.router.calls.call_count == 0


async def test_a_preview_and_the_run_after_it_agree(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    for minutes in (10, 50, 30, 20):
        await make_retry(minutes_ago=minutes, start_at=days_ago(minutes))
    for day in (1, 2, 3):
        await make_sendable(Status.PENDING, start_at=days_ago(day))
    for day in (4, 5):
        await make_cancellation(start_at=days_ago(day))

    preview = await preview_batch(batch_size=8, clock=clock)
    await run(france_travail, clock, batch_size=8)

    rows = await fetch_all("SELECT id, number FROM approval UNION ALL SELECT id, number FROM cancelled_approval")
    numbers = {row["id"]: row["number"] for row in rows}
    assert numbers_told(api.update) == [numbers[row_id] for _, row_id in preview.due]


async def everything() -> list[Any]:
    """Every row that a run may write, as the database holds it."""
    tables = ("approval", "cancelled_approval", "notification_attempt", "job_seeker_profile")
    return [[tuple(row) for row in await fetch_all(f"SELECT * FROM {table} ORDER BY id")] for table in tables]
