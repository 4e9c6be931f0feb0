"""One attempt: which calls are made, and what each outcome saves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from clients.france_travail import FranceTravailClient
from models import IdentityCertification, User
from models.enums import CertificationAuthority, Delivery, JobApplicationState, NotificationEndpoint
from models.enums import NotificationStatus as Status
from services.notification import notify_one
from tests.conftest import NOW
from tests.factories import TODAY, make_approval, make_job_application, make_job_seeker
from tests.integration.services.notifications import (
    KNOWN_ID,
    attempts_of,
    make_sendable,
    notify,
    profile_of,
    state_of,
)
from tests.unit.clients.france_travail import FakeFranceTravail

pytestmark = pytest.mark.usefixtures("database")

SEARCH = NotificationEndpoint.RECHERCHE_INDIVIDU
UPDATE = NotificationEndpoint.MISE_A_JOUR_PASS_IAE
FOUND_ID = "invented-identifier"


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
