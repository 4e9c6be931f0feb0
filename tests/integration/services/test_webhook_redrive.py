"""Events that came before what they are about: looked at again, by the commit that they waited for or by the sweep."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from models import Company, Invitation, InvitationRequest, User, WebhookEvent
from models.database import lock_for_transaction, transaction, write
from models.enums import InvitationKind, Partner
from models.enums import WebhookEventStatus as Status
from services.webhooks.claims import Resource
from services.webhooks.engine import work_off
from services.webhooks.outcomes import Applied, Outcome, Unmatched
from services.webhooks.processing import Appliers, PendingEvent
from services.webhooks.redrive import reopen_for_invitation_request, reopen_forgotten
from tests.conftest import NOW
from tests.factories import make_company, make_job_seeker
from tests.integration.services.test_webhook_engine import receive, somebody_waits_for_a_lock
from tests.integration.webhooks.senders import ORGANISATION, invitation, rdv
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

USER = 3432
HOUR = timedelta(hours=1)


@pytest.fixture
async def company(database: object) -> Company:
    return await make_company(rdv_solidarites_id=ORGANISATION)


@pytest.fixture
async def person(database: object) -> User:
    return await make_job_seeker()


async def invite(person: User, company: Company, *, user: int = USER, at: datetime = NOW) -> InvitationRequest:
    return await InvitationRequest.create(
        job_seeker=person,
        company=company,
        reason_category="siae_interview",
        rdv_insertion_user_id=user,
        created_at=at,
    )


async def settle(outcome: Outcome = Unmatched("nobody_invited"), *, at: datetime = NOW) -> None:  # noqa: B008 (frozen)
    async def answer(_: PendingEvent, __: datetime) -> Outcome:
        return outcome

    appliers: Appliers = {Partner.RDV_INSERTION: answer}
    await work_off(appliers, clock=lambda: at)


async def due() -> list[UUID]:
    return [event.id for event in await WebhookEvent.filter(status=Status.RECEIVED).order_by("arrival")]


@pytest.mark.parametrize("outcome", [Unmatched("nobody_invited"), Applied()])
async def test_an_invitation_opens_the_events_of_its_person_again(person: User, company: Company, outcome: Outcome):
    [event_id] = await receive(rdv())
    await settle(outcome)
    request = await invite(person, company)

    reopened = await reopen_for_invitation_request(request.id)

    assert (reopened, await due()) == (1, [event_id])
    event = await WebhookEvent.get(id=event_id)
    assert (event.attempts, event.error, event.processed_at) == (0, None, None)


async def test_of_each_appointment_the_newest_event_is_enough(person: User, company: Company):
    old, new = await receive(rdv(at="2026-03-02 10:15:01 +0100"), rdv(at="2026-03-02 10:15:02 +0100", users=()))
    [other] = await receive(rdv(2))
    await settle()
    request = await invite(person, company)

    await reopen_for_invitation_request(request.id)

    assert await due() == [new, other]
    assert old not in await due()


async def test_what_failed_is_left_to_an_operator_and_the_one_before_it_is_opened(person: User, company: Company):
    old, new = await receive(rdv(at="2026-03-02 10:15:01 +0100"), rdv(at="2026-03-02 10:15:02 +0100"))
    await settle()
    await WebhookEvent.filter(id=new).update(status=Status.FAILED)
    request = await invite(person, company)

    await reopen_for_invitation_request(request.id)

    assert await due() == [old]


async def test_events_of_other_people_organisations_and_invitations_stay_as_they_are(person: User, company: Company):
    await receive(rdv(1, users=(7,)), rdv(2, organisation=655), rdv(3, organisation=None), invitation(99))
    await settle()
    request = await invite(person, company)

    assert await reopen_for_invitation_request(request.id) == 0
    assert await due() == []


async def test_news_of_a_message_that_were_faster_than_our_commit_are_opened(person: User, company: Company):
    [event_id] = await receive(invitation(4806))
    await settle()
    request = await invite(person, company)
    await Invitation.create(invitation_request=request, kind=InvitationKind.EMAIL, rdv_insertion_id=4806)

    await reopen_for_invitation_request(request.id)

    assert await due() == [event_id]


async def test_an_event_without_its_body_stays_closed_and_so_do_the_ones_before_it(person: User, company: Company):
    _, new = await receive(rdv(at="2026-03-02 10:15:01 +0100"), rdv(at="2026-03-02 10:15:02 +0100"))
    await settle()
    await write("UPDATE webhook_event SET body = NULL WHERE id = $1 RETURNING id", new)
    request = await invite(person, company)

    assert await reopen_for_invitation_request(request.id) == 0


async def test_opening_twice_opens_once(person: User, company: Company):
    await receive(rdv())
    await settle()
    request = await invite(person, company)

    assert await reopen_for_invitation_request(request.id) == 1
    assert await reopen_for_invitation_request(request.id) == 0


async def test_an_event_that_is_being_processed_while_its_invitation_commits_is_waited_for(
    person: User, company: Company
):
    [event_id] = await receive(rdv())
    outside = copy_context()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: PendingEvent, __: datetime) -> Outcome:
        begun.set()
        await go_on.wait()
        return Unmatched("nobody_invited")

    appliers: Appliers = {Partner.RDV_INSERTION: slow}
    processing = asyncio.create_task(work_off(appliers, clock=lambda: NOW), context=outside)
    await begun.wait()
    request = await invite(person, company)
    reopening = asyncio.create_task(reopen_for_invitation_request(request.id))
    await until(somebody_waits_for_a_lock)
    go_on.set()

    # The worker looks once more before it rests, and may already have met the opened event again.
    assert await reopening == 1
    await processing
    event = await WebhookEvent.get(id=event_id)
    assert (event.status, event.attempts) in [(Status.RECEIVED, 0), (Status.UNMATCHED, 0), (Status.UNMATCHED, 1)]


NO_COMPANY = Unmatched("unknown_organisation")


async def test_the_sweep_opens_the_newest_events_of_a_company_that_got_its_number(person: User):
    first, second = await receive(rdv(1), rdv(2))
    await receive(rdv(2, at="2026-03-02 08:00:00 +0100"), rdv(3, organisation=655), rdv(4, users=(7,)))
    await settle(NO_COMPANY)
    # Entered by whatever means, long after the company itself and the invitation.
    company = await make_company()
    await invite(person, company, at=NOW - timedelta(days=40))
    await write("UPDATE company SET rdv_solidarites_id = $1 RETURNING id", ORGANISATION)

    assert await reopen_forgotten(now=NOW + 90 * HOUR) == 2
    assert await due() == [first, second]


@pytest.mark.parametrize("outcome", [Applied(), Unmatched("nobody_invited")])
async def test_the_sweep_opens_them_once(person: User, outcome: Outcome):
    await receive(rdv(), rdv(at="2026-03-02 08:00:00 +0100"))
    await settle(NO_COMPANY)
    company = await make_company(rdv_solidarites_id=ORGANISATION)
    await invite(person, company, at=NOW - timedelta(days=40))
    await reopen_forgotten(now=NOW + 90 * HOUR)
    await settle(outcome)

    assert await reopen_forgotten(now=NOW + 90 * HOUR) == 0


async def test_many_appointments_are_opened_in_parts(person: User):
    await receive(*(rdv(number) for number in range(1, 131)))
    await settle(NO_COMPANY)
    await invite(person, await make_company(rdv_solidarites_id=ORGANISATION), at=NOW - timedelta(days=40))

    assert await reopen_forgotten(now=NOW + 90 * HOUR) == 130


async def test_the_sweep_finds_what_a_process_that_died_after_its_commit_left_closed(person: User, company: Company):
    [event_id, about_a_message] = await receive(rdv(), invitation(4806))
    await settle(at=NOW + timedelta(seconds=1))
    request = await invite(person, company)
    await Invitation.create(invitation_request=request, kind=InvitationKind.EMAIL, rdv_insertion_id=4806)

    assert await reopen_forgotten(now=NOW + HOUR) == 2
    assert await due() == [event_id, about_a_message]


async def test_the_sweep_leaves_what_was_looked_at_since(person: User, company: Company):
    await receive(rdv())
    await company.refresh_from_db()
    await invite(person, company, at=company.updated_at)
    await settle(at=company.updated_at + HOUR)

    assert await reopen_forgotten(now=company.updated_at + 2 * HOUR) == 0


async def test_two_that_open_the_same_events_do_not_wait_for_each_other_for_ever(person: User, company: Company):
    await receive(*(rdv(number) for number in range(1, 31)))
    await settle()
    request = await invite(person, company)

    reopened = await asyncio.gather(
        *(reopen_for_invitation_request(request.id) for _ in range(4)), reopen_forgotten(now=NOW)
    )

    assert sum(reopened) == 30


async def test_opening_waits_for_the_lock_of_the_resource(person: User, company: Company):
    await receive(rdv())
    await settle()
    request = await invite(person, company)
    outside = copy_context()
    resource = Resource(source=Partner.RDV_INSERTION, model="rdv", id="1261")

    async with transaction():
        await lock_for_transaction(resource.lock_key)
        waiting = asyncio.create_task(reopen_for_invitation_request(request.id), context=outside)
        await until(somebody_waits_for_a_lock)

    assert await waiting == 1
