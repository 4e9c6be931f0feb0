"""Invitations whose answer was lost: what RDV-Insertion and its webhooks tell of them, and what is made of it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from models import Invitation, InvitationAttempt, InvitationRequest, JobApplication
from models.database import write
from models.enums import InvitationAttemptState as State
from models.enums import InvitationKind, InvitationStatus
from services.appointments.attempts import HELD, REFUSALS_KEPT, TooSoon
from services.appointments.inviting import Invited, Inviting
from services.appointments.reconciling import GIVE_UP_AFTER, ReconcilingSummary, reconcile_due_attempts
from services.webhooks.dispatch import appliers
from services.webhooks.engine import work_off
from tests.conftest import NOW
from tests.integration.services.inviters import (
    begin_and_die,
    invite,
    inviting,
    make_application,
    make_candidate,
    make_linked_company,
    make_request,
    rdv,
    the_attempt,
)
from tests.integration.services.rdv_events import CATEGORY, keep, moment, shown
from tests.integration.services.rdv_events import invitation as invitation_event
from tests.integration.services.rdv_events import rdv as appointment_event
from tests.unit.clients.rdv_insertion import INVITED, ORGANISATION, PERSONAL, FakeRDV

__all__ = ["inviting", "rdv"]  # fixtures

USER = 3432
FOUND = {"id": USER, "email": "ZELIE.fictive@exemple.test", "first_name": "zélie"}
A_MINUTE_LATER = NOW + timedelta(minutes=1)
BOOKING = appointment_event(77, "created", users=(USER,))


async def lose_the_answer(rdv: FakeRDV, inviting: Inviting, application: JobApplication | None = None) -> None:
    rdv.invite.mock(side_effect=[httpx.ReadTimeout("late")])
    await invite(inviting, application or await make_application())


def know(rdv: FakeRDV, *people: dict[str, Any]) -> None:
    rdv.users.respond(200, json={"users": list(people)})


def message(number: int = 4806, *, at: datetime = NOW + timedelta(seconds=2), **changes: Any) -> bytes:
    """The event of a message that RDV-Insertion sent to the person."""
    details: dict[str, Any] = {"user": {"id": USER}, "created_at": moment(at), "motif_category": CATEGORY}
    return invitation_event(number, "created", **(details | changes))


async def look(rdv: FakeRDV, *, now: datetime = A_MINUTE_LATER) -> ReconcilingSummary:
    return await reconcile_due_attempts(client=rdv.client, clock=lambda: now)


async def test_a_message_that_a_webhook_tells_of_makes_the_request(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()
    await lose_the_answer(rdv, inviting, application)
    know(rdv, FOUND)
    await keep(message(4805, format="sms"))
    await keep(message(4806, delivery_status="delivered", delivered_at=moment(NOW)))

    summary = await look(rdv)

    assert (summary.found, summary.postponed) == (1, 0)
    request = await InvitationRequest.get()
    assert (request.rdv_insertion_user_id, request.created_at) == (USER, NOW)
    assert (request.job_seeker_id, request.company_id) == (application.job_seeker_id, application.company_id)
    messages = await Invitation.all().order_by("rdv_insertion_id")
    assert [(each.kind, each.status) for each in messages] == [
        (InvitationKind.SMS, InvitationStatus.SENT),
        (InvitationKind.EMAIL, InvitationStatus.DELIVERED),
    ]
    attempt = await the_attempt()
    assert (attempt.state, attempt.invitation_request_id, attempt.sought) == (State.ACCEPTED, request.id, None)
    assert await invite(inviting, application, now=NOW + timedelta(minutes=2)) == TooSoon(NOW + timedelta(days=10))


async def test_half_of_a_refused_invitation_that_left_is_found(rdv: FakeRDV, inviting: Inviting):
    rdv.invite.respond(422, json={"success": False, "errors": [{"error_details": "il n'y a plus de créneau"}]})
    await invite(inviting, await make_application())
    know(rdv, FOUND)
    await keep(message(4805, format="sms"))

    await look(rdv)

    assert [row.kind for row in await Invitation.all()] == [InvitationKind.SMS]
    assert (await the_attempt()).state is State.ACCEPTED


async def test_what_came_before_the_request_is_applied_once_it_is_there(rdv: FakeRDV, inviting: Inviting):
    await lose_the_answer(rdv, inviting)
    know(rdv, FOUND)
    await keep(message(4806, clicked=True))
    await keep(BOOKING)
    await work_off(appliers(survey_kinds={}))
    before = await shown(77)

    await look(rdv)
    await work_off(appliers(survey_kinds={}))

    assert before is None
    seen = await shown(77)
    assert seen is not None
    assert list(seen["parts"]) == [(await InvitationRequest.get()).job_seeker_id]
    assert (await Invitation.get()).status is InvitationStatus.OPENED


async def test_a_booking_is_a_trace_as_well(rdv: FakeRDV, inviting: Inviting):
    await lose_the_answer(rdv, inviting)
    know(rdv, FOUND)
    await keep(BOOKING)

    summary = await look(rdv)

    assert summary.found == 1
    assert await Invitation.all().count() == 0


@pytest.mark.parametrize(
    "body",
    [
        message(at=NOW - timedelta(minutes=3)),
        message(at=NOW + timedelta(hours=1)),
        message(user={"id": 1}),
        message(motif_category={"id": 2, "short_name": "rsa_spie", "name": "Autre"}),
        message(created_at=None),
        appointment_event(77, "updated", users=(USER,)),
        appointment_event(77, "created", users=(USER,), organisation=655),
        appointment_event(77, "created", users=(1,)),
    ],
    ids=["before", "long after", "to somebody else", "of another kind", "undated", "not new", "elsewhere", "another's"],
)
async def test_what_is_no_trace_of_this_attempt_makes_no_request(rdv: FakeRDV, inviting: Inviting, body: bytes):
    await lose_the_answer(rdv, inviting)
    know(rdv, FOUND)
    await keep(body)

    summary = await look(rdv)

    assert summary.postponed == 1
    assert await InvitationRequest.all().count() == 0


async def test_a_message_that_belongs_to_another_request_is_no_trace(rdv: FakeRDV, inviting: Inviting):
    await lose_the_answer(rdv, inviting)
    know(rdv, FOUND)
    other = await make_request(await make_application(await make_candidate(email="b@exemple.test"), await _elsewhere()))
    await Invitation.create(invitation_request=other, kind=InvitationKind.EMAIL, rdv_insertion_id=4806)
    await keep(message(4806))

    summary = await look(rdv)

    assert (summary.found, summary.postponed) == (0, 1)


async def _elsewhere() -> Any:
    return await make_linked_company(rdv_solidarites_id=ORGANISATION + 1)


async def test_a_person_found_once_is_not_searched_for_again(rdv: FakeRDV, inviting: Inviting):
    await lose_the_answer(rdv, inviting)
    know(rdv, FOUND)
    await look(rdv)
    await keep(message())

    summary = await look(rdv, now=NOW + timedelta(minutes=2))

    assert summary.found == 1
    assert rdv.users.call_count == 1


async def test_a_person_whom_nobody_knows_there_was_not_invited(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()
    await lose_the_answer(rdv, inviting, application)
    know(rdv, FOUND | {"first_name": "Ange"}, FOUND | {"email": "autre@exemple.test"})

    early = await look(rdv)
    late = await look(rdv, now=NOW + timedelta(minutes=5))

    assert (early.postponed, late.absent) == (1, 1)
    assert (await the_attempt()).state is State.NOT_SENT
    rdv.invite.mock(side_effect=None, return_value=httpx.Response(200, json=INVITED))
    assert isinstance(await invite(inviting, application, now=NOW + timedelta(minutes=6)), Invited)


async def test_a_refused_person_whom_nobody_knows_there_stays_refused(rdv: FakeRDV, inviting: Inviting):
    rdv.invite.respond(422, json={"success": False, "errors": ["Un usager n'a pas pu être enregistré"]})
    await invite(inviting, await make_application())

    await look(rdv, now=NOW + timedelta(minutes=5))

    attempt = await the_attempt()
    assert (attempt.state, attempt.code, attempt.http_status) == (State.REFUSED, "422", 422)


async def test_of_two_people_with_one_address_and_name_none_is_chosen(rdv: FakeRDV, inviting: Inviting):
    await lose_the_answer(rdv, inviting)
    know(rdv, FOUND, FOUND | {"id": USER + 1})
    await keep(message())

    summary = await look(rdv)

    assert summary.abandoned == 1
    assert (await the_attempt()).code == "several_people"


async def test_a_person_without_an_address_is_given_up_after_the_hold(rdv: FakeRDV, inviting: Inviting):
    await lose_the_answer(rdv, inviting, await make_application(await make_candidate(email=None)))

    early = await look(rdv)
    late = await look(rdv, now=NOW + HELD)

    assert (early.postponed, late.abandoned) == (1, 1)
    assert not rdv.users.called


async def test_looks_become_rarer_and_end(rdv: FakeRDV, inviting: Inviting):
    await lose_the_answer(rdv, inviting)
    know(rdv, FOUND)
    now, looks = A_MINUTE_LATER, 0

    while (attempt := await the_attempt()).state is State.UNKNOWN:
        assert attempt.next_look_at is not None
        now = max(now, attempt.next_look_at)
        await look(rdv, now=now)
        looks += 1

    assert (attempt.state, attempt.code) == (State.ABANDONED, "no_evidence")
    assert GIVE_UP_AFTER <= now - NOW <= GIVE_UP_AFTER + timedelta(days=1)
    assert looks <= 22


async def test_a_newer_request_ends_the_search(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()
    await lose_the_answer(rdv, inviting, application)
    await make_request(application, created_at=NOW + HELD)

    await look(rdv, now=NOW + HELD)

    assert (await the_attempt()).code == "superseded"
    assert not rdv.users.called


async def test_what_a_killed_process_left_behind_is_looked_for(rdv: FakeRDV, inviting: Inviting):
    await begin_and_die(await make_application())
    know(rdv, FOUND)
    await keep(message())

    summary = await look(rdv)

    assert (summary.interrupted, summary.found) == (1, 1)
    assert await InvitationRequest.all().count() == 1
    assert not rdv.invite.called


async def test_a_call_that_may_still_be_answered_is_left_alone(rdv: FakeRDV, inviting: Inviting):
    attempt_id = await begin_and_die(await make_application())
    await write(
        "UPDATE invitation_attempt SET answer_due_at = clock_timestamp() + interval '1 minute' WHERE id = $1"
        " RETURNING id",
        attempt_id,
    )

    summary = await look(rdv)

    assert summary == ReconcilingSummary()
    assert (await the_attempt()).state is State.SENDING


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_an_unanswered_look_is_made_again(rdv: FakeRDV, inviting: Inviting, status: int):
    await lose_the_answer(rdv, inviting)
    rdv.users.respond(status)

    summary = await look(rdv)

    assert summary.postponed == 1
    assert (await the_attempt()).next_look_at == A_MINUTE_LATER + timedelta(minutes=1)


async def test_a_partner_that_asks_for_fewer_calls_ends_the_run(rdv: FakeRDV, inviting: Inviting):
    company = await make_linked_company()
    for number in range(2):
        candidate = await make_candidate(email=f"personne-{number}@exemple.test")
        await lose_the_answer(rdv, inviting, await make_application(candidate, company))
    rdv.users.respond(429, headers={"Retry-After": "300"})

    summary = await look(rdv)

    assert (summary.stopped, summary.postponed) == (True, 1)
    waits = sorted([attempt.next_look_at for attempt in await InvitationAttempt.all() if attempt.next_look_at])
    assert waits == [A_MINUTE_LATER, A_MINUTE_LATER + timedelta(minutes=5)]


async def test_looking_twice_at_once_makes_one_request(rdv: FakeRDV, inviting: Inviting):
    await lose_the_answer(rdv, inviting)
    know(rdv, FOUND)
    await keep(message())

    await asyncio.gather(look(rdv), look(rdv), look(rdv))

    assert await InvitationRequest.all().count() == 1


async def test_a_look_that_died_before_it_told_of_earlier_events_is_finished_by_the_next_run(
    rdv: FakeRDV, inviting: Inviting
):
    await lose_the_answer(rdv, inviting)
    know(rdv, FOUND)
    await keep(BOOKING)
    await look(rdv)
    await work_off(appliers(survey_kinds={}))
    # As if it had not been told: the booking was settled before the request was there.
    await write("DELETE FROM participation RETURNING id")
    await write("DELETE FROM appointment_version RETURNING rdv_insertion_id")

    await look(rdv, now=NOW + timedelta(minutes=2))
    await work_off(appliers(survey_kinds={}))

    seen = await shown(77)
    assert seen is not None
    assert len(seen["parts"]) == 1


async def test_words_of_refusals_are_forgotten_after_a_month(rdv: FakeRDV, inviting: Inviting):
    rdv.invite.respond(422, json={"success": False, "errors": [{"error_details": "non", "first_name": ""}]})
    await invite(inviting, await make_application())

    kept = await look(rdv, now=NOW + REFUSALS_KEPT)
    forgotten = await look(rdv, now=NOW + REFUSALS_KEPT + timedelta(seconds=1))

    assert (kept.forgotten_refusals, forgotten.forgotten_refusals) == (0, 1)
    assert (await the_attempt()).refusal is None


async def test_nothing_of_the_person_is_logged_while_looking(rdv: FakeRDV, inviting: Inviting):
    await lose_the_answer(rdv, inviting)
    rdv.users.respond(500)

    with capture_logs() as logs:
        await look(rdv)
        know(rdv, FOUND)
        await look(rdv, now=NOW + timedelta(hours=1))

    assert len(logs) > 0
    assert not any(word.casefold() in str(logs).casefold() for word in PERSONAL)
