"""Who may send what and when: leases, cancellations, and what changes while a call is under way."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from clients.france_travail import FranceTravailClient
from models import Approval, IdentityCertification, User
from models.database import write
from models.enums import Delivery, NotificationEndpoint
from models.enums import NotificationStatus as Status
from tests.factories import make_approval, make_job_seeker
from tests.integration.services.notifications import (
    attempts_of,
    is_leased,
    make_cancellation,
    make_sendable,
    notify,
    profile_of,
    status_of,
)
from tests.unit.clients.france_travail import FakeFranceTravail

pytestmark = pytest.mark.usefixtures("database")

SEARCH = NotificationEndpoint.RECHERCHE_INDIVIDU
UPDATE = NotificationEndpoint.MISE_A_JOUR_PASS_IAE
FOUND_ID = "invented-identifier"


async def test_dates_that_change_during_the_call_leave_the_approval_due(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()

    async def prolong(request: httpx.Request) -> httpx.Response:
        await write("UPDATE approval SET end_at = end_at + 1 WHERE id = $1 RETURNING id", approval.id)
        return httpx.Response(200, json={"codeSortie": "S000"})

    api.update.mock(side_effect=prolong)

    status = await notify(approval, france_travail)

    assert status is Status.PENDING
    assert await status_of(approval) is Status.PENDING
    assert not await is_leased(approval)
    (attempt,) = await attempts_of(approval)
    assert (attempt.outcome, attempt.delivery) == (Status.SUCCESS, Delivery.ACCEPTED)


async def test_a_cancellation_is_told_with_its_start_as_end_and_its_own_copy_of_the_person(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    job_seeker = await make_job_seeker(last_name="Clairval")
    cancellation = await make_cancellation(job_seeker=job_seeker)
    await User.filter(id=job_seeker.id).update(last_name="Renommée")

    status = await notify(await Approval.get(id=cancellation.approval_id), france_travail)

    assert status is Status.SUCCESS
    assert api.search_body["nomNaissance"] == "CLAIRVAL"
    start = cancellation.start_at.isoformat()
    assert (api.update_body["dateDebutPassIAE"], api.update_body["dateFinPassIAE"]) == (start, start)
    await cancellation.refresh_from_db()
    assert cancellation.user_id_national_pe == FOUND_ID
    assert (await profile_of(job_seeker.id)).pe_obfuscated_nir is None
    assert await IdentityCertification.all().count() == 0


async def test_a_cancelled_approval_is_never_announced_itself(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    cancellation = await make_cancellation(status=Status.SUCCESS)
    approval = await Approval.get(id=cancellation.approval_id)

    status = await notify(approval, france_travail)

    assert status is None
    assert await status_of(approval) is Status.READY
    assert api.router.calls.call_count == 0


async def test_a_cancellation_waits_for_the_announcement_that_is_under_way(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    cancellation = await make_cancellation()
    await write(
        "UPDATE approval SET lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute' RETURNING id"
    )
    approval = await Approval.get(id=cancellation.approval_id)

    during = await notify(approval, france_travail)
    await write("UPDATE approval SET lease_token = NULL, lease_until = NULL RETURNING id")
    after = await notify(approval, france_travail)

    assert (during, after) == (None, Status.SUCCESS)
    assert api.update.call_count == 1


async def test_a_row_that_another_worker_holds_is_left_alone(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()
    await write(
        "UPDATE approval SET lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute' RETURNING id"
    )

    status = await notify(approval, france_travail)

    assert status is None
    assert api.router.calls.call_count == 0


async def test_the_row_of_a_dead_worker_is_taken_over_when_its_lease_ends(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()
    await write(
        "UPDATE approval SET lease_token = gen_random_uuid(), lease_until = now() - interval '1 second' RETURNING id"
    )

    status = await notify(approval, france_travail)

    assert status is Status.SUCCESS
    assert not await is_leased(approval)


@pytest.mark.parametrize("call", ["search", "update"])
async def test_an_attempt_that_is_cut_off_in_a_call_leaves_a_row_that_is_taken_over(
    france_travail: FranceTravailClient, api: FakeFranceTravail, call: str
):
    approval = await make_approval(pe_notification_status=Status.READY)
    route = {"search": api.search, "update": api.update}[call]
    answer = {"search": {"codeSortie": "S001", "idNationalDE": FOUND_ID}, "update": {"codeSortie": "S000"}}[call]

    async def be_cut_off(request: httpx.Request) -> httpx.Response:
        attempt.cancel()
        await asyncio.sleep(0)
        raise AssertionError("unreachable")

    route.mock(side_effect=be_cut_off)
    attempt = asyncio.create_task(notify(approval, france_travail))
    await asyncio.wait({attempt})
    route.mock(side_effect=None, return_value=httpx.Response(200, json=answer))

    at_once = await notify(approval, france_travail)
    status_then = await status_of(approval)
    await write("UPDATE approval SET lease_until = now() - interval '1 second' RETURNING id")
    once_the_lease_ended = await notify(approval, france_travail)

    assert attempt.cancelled()
    assert (at_once, status_then, once_the_lease_ended) == (None, Status.READY, Status.SUCCESS)
    left, _ = sorted(await attempts_of(approval), key=lambda row: row.finished_at is not None)
    assert (left.outcome, left.delivery, left.finished_at) == (Status.SHOULD_RETRY, Delivery.UNKNOWN, None)
    assert left.endpoint is (SEARCH if call == "search" else UPDATE)


async def test_a_lease_lost_before_the_update_sends_nothing_and_writes_no_status(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_approval(pe_notification_status=Status.READY)

    async def be_taken_over(request: httpx.Request) -> httpx.Response:
        await write(
            "UPDATE approval SET lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute'"
            " WHERE id = $1 RETURNING id",
            approval.id,
        )
        return httpx.Response(200, json={"codeSortie": "S001", "idNationalDE": FOUND_ID})

    api.search.mock(side_effect=be_taken_over)

    status = await notify(approval, france_travail)

    assert status is None
    assert api.update.call_count == 0
    assert await status_of(approval) is Status.READY
    assert await is_leased(approval)
    (attempt,) = await attempts_of(approval)
    assert (attempt.outcome, attempt.delivery) == (Status.SHOULD_RETRY, Delivery.NOT_SENT)
    assert attempt.finished_at is not None


async def test_an_identity_that_changes_during_the_search_keeps_nothing_of_the_answer(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_approval(pe_notification_status=Status.READY)

    async def rename(request: httpx.Request) -> httpx.Response:
        await User.filter(id=approval.job_seeker_id).update(last_name="Autrement")
        return httpx.Response(200, json={"codeSortie": "S001", "idNationalDE": FOUND_ID})

    api.search.mock(side_effect=rename)

    status = await notify(approval, france_travail)

    assert status is Status.SHOULD_RETRY
    assert api.update.call_count == 0
    assert (await profile_of(approval.job_seeker_id)).pe_obfuscated_nir is None
    assert await IdentityCertification.all().count() == 0


async def test_an_approval_that_is_done_is_not_sent_again(france_travail: FranceTravailClient, api: FakeFranceTravail):
    done = [await make_sendable(status) for status in (Status.SUCCESS, Status.ERROR)]

    statuses = [await notify(approval, france_travail) for approval in done]

    assert statuses == [None, None]
    assert api.router.calls.call_count == 0
