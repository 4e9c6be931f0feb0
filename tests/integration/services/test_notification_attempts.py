"""One attempt: which calls are made, what is saved, and in which order."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from clients.france_travail import FranceTravailClient
from models import Approval, IdentityCertification, NotificationAttempt, User
from models.database import write
from models.enums import CertificationAuthority, Delivery, JobApplicationState, NotificationEndpoint
from models.enums import NotificationStatus as Status
from services.notification import notify_one
from tests.conftest import NOW
from tests.factories import TODAY, make_approval, make_job_application, make_job_seeker
from tests.integration.services.notifications import (
    KNOWN_ID,
    attempts_of,
    is_leased,
    make_cancellation,
    make_sendable,
    profile_of,
    state_of,
    status_of,
)
from tests.unit.clients.france_travail import FakeFranceTravail

pytestmark = pytest.mark.usefixtures("database")

SEARCH = NotificationEndpoint.RECHERCHE_INDIVIDU
UPDATE = NotificationEndpoint.MISE_A_JOUR_PASS_IAE
FOUND_ID = "invented-identifier"


async def notify(approval: Approval, france_travail: FranceTravailClient) -> Status | None:
    return await notify_one(approval.id, france_travail=france_travail, clock=lambda: NOW)


async def test_a_complete_approval_is_announced_and_the_person_certified_on_the_way(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_approval()

    status = await notify(approval, france_travail)

    assert status is Status.SUCCESS
    assert await state_of(approval) == (Status.SUCCESS, NOW, None, None)
    profile = await profile_of(approval.job_seeker_id)
    assert (profile.pe_obfuscated_nir, profile.pe_last_certification_attempt_at) == (FOUND_ID, NOW)
    certification = await IdentityCertification.get(jobseeker_profile_id=approval.job_seeker_id)
    assert (certification.certifier, certification.certified_at) == (CertificationAuthority.FRANCE_TRAVAIL, NOW)
    assert api.update_body["idNational"] == FOUND_ID


async def test_a_person_known_to_france_travail_is_not_searched_again(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()

    status = await notify(approval, france_travail)

    assert status is Status.SUCCESS
    assert api.search.call_count == 0
    assert api.update_body["idNational"] == KNOWN_ID


async def test_an_approval_of_tomorrow_waits_without_a_call(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_approval(start_at=TODAY + timedelta(days=1))

    status = await notify(approval, france_travail)

    assert status is Status.PENDING
    assert await state_of(approval) == (Status.PENDING, NOW, None, "STARTS_IN_FUTURE")
    assert api.router.calls.call_count == 0


async def test_the_day_of_the_start_is_a_day_of_paris(france_travail: FranceTravailClient, api: FakeFranceTravail):
    approval = await make_sendable(start_at=TODAY + timedelta(days=1))
    midnight_in_paris = NOW.replace(hour=23, minute=0)

    early = await notify_one(
        approval.id, france_travail=france_travail, clock=lambda: midnight_in_paris - timedelta(seconds=1)
    )
    on_time = await notify_one(approval.id, france_travail=france_travail, clock=lambda: midnight_in_paris)

    assert (early, on_time) == (Status.PENDING, Status.SUCCESS)
    assert api.update.call_count == 1


@pytest.mark.parametrize("missing", ["first_name", "last_name", "nir", "birthdate"])
async def test_missing_data_of_the_person_waits_without_a_call(
    france_travail: FranceTravailClient, api: FakeFranceTravail, missing: str
):
    values: dict[str, Any] = {"profile": {missing: None}} if missing in ("nir", "birthdate") else {missing: ""}
    job_seeker = await make_job_seeker(**values)
    approval = await make_approval(job_seeker, pe_notification_status=Status.READY)

    status = await notify(approval, france_travail)

    assert status is Status.PENDING
    assert await state_of(approval) == (Status.PENDING, NOW, None, "MISSING_USER_DATA")
    assert api.router.calls.call_count == 0


async def test_a_kind_of_structure_without_type_is_an_error_without_a_call(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable(origin_siae_kind="OPCS")

    status = await notify(approval, france_travail)

    assert status is Status.ERROR
    assert await state_of(approval) == (Status.ERROR, NOW, None, "INVALID_SIAE_KIND")
    assert api.router.calls.call_count == 0


async def test_a_permanent_reason_does_not_hide_one_that_heals(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable(origin_siae_kind="OPCS", accepted_application=False)
    job_seeker = await User.get(id=approval.job_seeker_id)
    await make_job_application(job_seeker, state=JobApplicationState.POSTPONED, approval=approval)

    status = await notify(approval, france_travail)

    assert status is Status.PENDING
    assert await state_of(approval) == (Status.PENDING, NOW, None, "NO_JOB_APPLICATION")
    assert api.router.calls.call_count == 0


@pytest.mark.parametrize("code", ["S002", "PE008", "S000", "PE004", "R010", "Z999"])
async def test_a_person_not_recognised_is_an_error_with_the_code_as_received(
    france_travail: FranceTravailClient, api: FakeFranceTravail, code: str
):
    approval = await make_approval()
    api.search.respond(200, json={"codeSortie": code, "idNationalDE": ""})

    status = await notify(approval, france_travail)

    assert status is Status.ERROR
    assert await state_of(approval) == (Status.ERROR, NOW, SEARCH, code)
    assert api.update.call_count == 0


async def test_a_person_found_without_an_identifier_is_an_error(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_approval()
    api.search.respond(200, json={"codeSortie": "S001", "idNationalDE": ""})

    await notify(approval, france_travail)

    assert await state_of(approval) == (Status.ERROR, NOW, SEARCH, "empty_nir")


async def test_the_identifier_outlives_a_refused_update(france_travail: FranceTravailClient, api: FakeFranceTravail):
    approval = await make_approval()
    api.update.respond(200, json={"codeSortie": "S022"})

    status = await notify(approval, france_travail)

    assert status is Status.ERROR
    assert await state_of(approval) == (Status.ERROR, NOW, UPDATE, "S022")
    assert (await profile_of(approval.job_seeker_id)).pe_obfuscated_nir == FOUND_ID


async def test_a_failing_token_call_wipes_the_earlier_code(france_travail: FranceTravailClient, api: FakeFranceTravail):
    approval = await make_approval(
        pe_notification_status=Status.SHOULD_RETRY,
        pe_notification_endpoint=UPDATE,
        pe_notification_exit_code="S004",
    )
    api.token.mock(side_effect=httpx.ConnectTimeout)

    status = await notify(approval, france_travail)

    assert status is Status.SHOULD_RETRY
    assert await state_of(approval) == (Status.SHOULD_RETRY, NOW, None, None)


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


async def test_the_attempt_is_written_before_the_call_as_what_a_crash_would_leave(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()
    seen: list[tuple[object, ...]] = []

    async def look(request: httpx.Request) -> httpx.Response:
        (attempt,) = await attempts_of(approval)
        seen.append((attempt.outcome, attempt.delivery, attempt.endpoint, attempt.finished_at, attempt.sent_end_at))
        return httpx.Response(200, json={"codeSortie": "S000"})

    api.update.mock(side_effect=look)

    await notify_one(approval.id, france_travail=france_travail, clock=lambda: NOW, trace_id="f" * 32)

    assert seen == [(Status.SHOULD_RETRY, Delivery.UNKNOWN, UPDATE, None, approval.end_at)]
    (attempt,) = await attempts_of(approval)
    assert (attempt.outcome, attempt.delivery, attempt.endpoint) == (Status.SUCCESS, Delivery.ACCEPTED, UPDATE)
    assert (attempt.http_status, attempt.exit_code, attempt.trace_id) == (200, None, "f" * 32)
    assert attempt.finished_at is not None
    assert attempt.finished_at >= attempt.started_at == NOW


@pytest.mark.parametrize(
    ("trouble", "code", "http_status", "delivery"),
    [
        (httpx.ReadTimeout, "http_error", None, Delivery.UNKNOWN),
        (httpx.ConnectError, "http_error", None, Delivery.NOT_SENT),
        (httpx.Response(503, text="<html>"), "503", 503, Delivery.UNKNOWN),
        (httpx.Response(429, text="slow"), "429", 429, Delivery.REFUSED),
        (httpx.Response(403), "403", 403, Delivery.REFUSED),
        (httpx.Response(200, text="<html>"), "invalid_json", 200, Delivery.UNKNOWN),
    ],
)
async def test_a_temporary_failure_is_retried_and_its_attempt_says_what_became_of_the_request(
    france_travail: FranceTravailClient,
    api: FakeFranceTravail,
    trouble: type[httpx.TransportError] | httpx.Response,
    code: str,
    http_status: int | None,
    delivery: Delivery,
):
    approval = await make_sendable()
    if isinstance(trouble, httpx.Response):
        api.update.mock(return_value=trouble)
    else:
        api.update.mock(side_effect=trouble)

    status = await notify(approval, france_travail)

    assert status is Status.SHOULD_RETRY
    assert await state_of(approval) == (Status.SHOULD_RETRY, NOW, None, None)
    (attempt,) = await attempts_of(approval)
    assert (attempt.exit_code, attempt.http_status, attempt.delivery) == (code, http_status, delivery)


async def test_retry_after_says_when_the_next_attempt_may_be(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()
    api.update.respond(503, headers={"Retry-After": "120"})

    await notify(approval, france_travail)

    await approval.refresh_from_db()
    assert approval.next_attempt_at == NOW + timedelta(seconds=120)


async def test_already_there_after_a_lost_answer_is_a_success_with_a_note(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()
    api.update.mock(side_effect=httpx.ReadTimeout)
    await notify(approval, france_travail)
    api.update.mock(side_effect=None)
    api.update.respond(200, json={"codeSortie": "S015"})

    status = await notify_one(approval.id, france_travail=france_travail, clock=lambda: NOW + timedelta(minutes=5))

    assert status is Status.SUCCESS
    assert await state_of(approval) == (Status.SUCCESS, NOW + timedelta(minutes=5), None, None)
    _, attempt = await attempts_of(approval)
    assert (attempt.outcome, attempt.delivery, attempt.exit_code) == (Status.SUCCESS, Delivery.ACCEPTED, "S015")


async def test_already_there_after_the_death_of_a_worker_is_a_success(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()
    await NotificationAttempt.create(
        approval_id=approval.id,
        started_at=NOW - timedelta(minutes=5),
        endpoint=UPDATE,
        outcome=Status.SHOULD_RETRY,
        delivery=Delivery.UNKNOWN,
        sent_start_at=approval.start_at,
        sent_end_at=approval.end_at,
    )
    api.update.respond(200, json={"codeSortie": "S015"})

    assert await notify(approval, france_travail) is Status.SUCCESS


async def test_already_there_is_a_refusal_when_other_dates_were_sent_before(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()
    api.update.mock(side_effect=httpx.ReadTimeout)
    await notify(approval, france_travail)
    await write("UPDATE approval SET end_at = end_at + 1 WHERE id = $1 RETURNING id", approval.id)
    api.update.mock(side_effect=None)
    api.update.respond(200, json={"codeSortie": "S015"})

    await notify(approval, france_travail)

    assert await state_of(approval) == (Status.ERROR, NOW, UPDATE, "S015")


async def test_already_there_is_a_refusal_when_nothing_was_lost_before(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()
    api.update.respond(200, json={"codeSortie": "S015"})

    await notify(approval, france_travail)

    assert await state_of(approval) == (Status.ERROR, NOW, UPDATE, "S015")


async def test_an_attempt_past_its_deadline_is_given_up_with_an_unknown_fate(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()

    async def never_answer(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    api.update.mock(side_effect=never_answer)

    status = await notify_one(
        approval.id, france_travail=france_travail, clock=lambda: NOW, deadline=timedelta(milliseconds=200)
    )

    assert status is Status.SHOULD_RETRY
    (attempt,) = await attempts_of(approval)
    assert (attempt.exit_code, attempt.delivery) == ("deadline", Delivery.UNKNOWN)
    assert not await is_leased(approval)


async def test_an_unexpected_exception_is_retried_and_logged_by_its_class_alone(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    approval = await make_sendable()
    await write("UPDATE job_seeker_profile SET nir = '\\x0102'::bytea RETURNING id")

    with capture_logs() as logs:
        status = await notify(approval, france_travail)

    assert status is Status.SHOULD_RETRY
    assert await state_of(approval) == (Status.SHOULD_RETRY, NOW, None, None)
    (crash,) = [entry for entry in logs if entry["event"] == "notification_attempt_crashed"]
    assert (crash["log_level"], crash["error_class"], crash["id"]) == ("error", "EncryptionError", str(approval.id))
    assert set(crash) == {"event", "log_level", "subject", "id", "error_class", "where"}


async def test_an_approval_that_is_done_is_not_sent_again(france_travail: FranceTravailClient, api: FakeFranceTravail):
    done = [await make_sendable(status) for status in (Status.SUCCESS, Status.ERROR)]

    statuses = [await notify(approval, france_travail) for approval in done]

    assert statuses == [None, None]
    assert api.router.calls.call_count == 0
