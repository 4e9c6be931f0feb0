"""When no usable answer comes: what is retried, what is remembered, what an earlier lost answer explains."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from clients.france_travail import FranceTravailClient
from models import NotificationAttempt
from models.database import write
from models.enums import Delivery, NotificationEndpoint
from models.enums import NotificationStatus as Status
from services.notification import notify_one
from tests.conftest import NOW
from tests.factories import make_approval
from tests.integration.services.notifications import (
    attempts_of,
    is_leased,
    make_sendable,
    notify,
    state_of,
)
from tests.unit.clients.france_travail import FakeFranceTravail

pytestmark = pytest.mark.usefixtures("database")

UPDATE = NotificationEndpoint.MISE_A_JOUR_PASS_IAE


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
