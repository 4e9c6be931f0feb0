"""Inviting to an appointment: what is asked for first, what is sent, what is kept, and that nobody is invited twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from models import Invitation, InvitationAttempt, InvitationRequest
from models.database import counting_statements, fetch_all
from models.enums import InvitationAttemptState as State
from models.enums import InvitationKind, InvitationStatus, Title
from services.appointments.attempts import ANSWER_DUE, HELD, StillUnknown, TooSoon, UnderWay
from services.appointments.inviting import Invited, Inviting, NotLinked, Refused, Unreachable
from services.outcomes import Invalid, NotFound
from tests.conftest import NOW
from tests.integration.services.inviters import (
    begin_and_die,
    employer_of,
    invite,
    inviting,
    make_application,
    make_candidate,
    make_linked_company,
    make_request,
    rdv,
    the_attempt,
)
from tests.unit.clients.rdv_insertion import EMAIL, INVITED, PERSONAL, SMS, FakeRDV, let_others_run

__all__ = ["inviting", "rdv"]  # fixtures

TEN_DAYS = timedelta(days=10)
WORDS = "il n'y a plus de créneau disponible pour Zélie Fictive"
REFUSED_OBJECTS = httpx.Response(422, json={"success": False, "errors": [{"error_details": WORDS}]})


async def test_an_invitation_is_sent_and_kept_with_each_of_its_messages(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()

    outcome = await invite(inviting, application)

    request = await InvitationRequest.get()
    assert outcome == Invited(request.id)
    assert rdv.invited_person == {
        "first_name": "Zélie",
        "last_name": "Fictive",
        "title": "madame",
        "role": "demandeur",
        "email": "zelie.fictive@exemple.test",
        "phone_number": "0600000000",
        "birth_date": "01/05/1989",
        "address": "6 rue Imaginaire, 75010 Paris",
        "invitation": {"motif_category": {"short_name": "siae_interview"}},
    }
    assert (request.job_seeker_id, request.company_id) == (application.job_seeker_id, application.company_id)
    assert (request.rdv_insertion_user_id, request.created_at) == (3432, NOW)
    assert not any(word in orjson.dumps(request.api_response).decode() for word in PERSONAL)
    kept = await Invitation.filter(invitation_request_id=request.id).order_by("rdv_insertion_id")
    assert [(row.kind, row.status, row.rdv_insertion_id) for row in kept] == [
        (InvitationKind.SMS, InvitationStatus.SENT, 4805),
        (InvitationKind.EMAIL, InvitationStatus.SENT, 4806),
    ]
    attempt = await the_attempt()
    assert (attempt.state, attempt.invitation_request_id, attempt.sought) == (State.ACCEPTED, request.id, None)


async def test_who_asked_is_kept(inviting: Inviting):
    application = await make_application()
    employer = await employer_of(application)

    await invite(inviting, application, requested_by=employer.id)

    assert (await the_attempt()).requested_by_id == employer.id


async def test_another_category_is_sent_as_it_is(rdv: FakeRDV, inviting: Inviting):
    await invite(inviting, await make_application(), reason_category="siae_follow_up")

    assert rdv.invited_person["invitation"] == {"motif_category": {"short_name": "siae_follow_up"}}
    assert (await InvitationRequest.get()).reason_category == "siae_follow_up"


@pytest.mark.parametrize("category", ["", " ", "SIAE", "siae interview", "siae_interview\n", "a" * 65, "a;drop", "é"])
async def test_a_category_of_another_form_is_refused_before_any_call(rdv: FakeRDV, inviting: Inviting, category: str):
    outcome = await invite(inviting, await make_application(), reason_category=category)

    assert isinstance(outcome, Invalid)
    assert [problem.path for problem in outcome.problems] == [("reasonCategory",)]
    assert not rdv.router.calls


@pytest.mark.parametrize(
    ("missing", "paths"),
    [
        ({"first_name": "  "}, ["firstName"]),
        ({"last_name": ""}, ["lastName"]),
        ({"title": None}, ["title"]),
        ({"email": None, "phone": ""}, ["email", "phone"]),
        ({"email": None, "phone": " ", "title": None, "first_name": ""}, ["firstName", "title", "email", "phone"]),
    ],
)
async def test_what_is_missing_of_the_person_is_told_before_any_call(
    rdv: FakeRDV, inviting: Inviting, missing: dict[str, Any], paths: list[str]
):
    outcome = await invite(inviting, await make_application(await make_candidate(**missing)))

    assert isinstance(outcome, Invalid)
    assert [problem.path for problem in outcome.problems] == [("jobApplicationId", "jobSeeker", name) for name in paths]
    assert not rdv.router.calls
    assert await InvitationAttempt.all().count() == 0


@pytest.mark.parametrize("contact", [{"email": None}, {"phone": ""}])
async def test_one_contact_is_enough(inviting: Inviting, contact: dict[str, Any]):
    outcome = await invite(inviting, await make_application(await make_candidate(**contact)))

    assert isinstance(outcome, Invited)


@pytest.mark.parametrize(
    ("profile", "line"),
    [
        ({"address_line_2": "Bâtiment C"}, "6 rue Imaginaire, Bâtiment C, 75010 Paris"),
        ({"address_line_1": ""}, None),
        ({"post_code": ""}, None),
        ({"city": ""}, None),
    ],
)
async def test_the_address_is_one_whole_line_or_none(
    rdv: FakeRDV, inviting: Inviting, profile: dict[str, Any], line: str | None
):
    await invite(inviting, await make_application(await make_candidate(profile=profile)))

    assert rdv.invited_person.get("address") == line


async def test_a_man_is_a_monsieur(rdv: FakeRDV, inviting: Inviting):
    await invite(inviting, await make_application(await make_candidate(title=Title.M)))

    assert rdv.invited_person["title"] == "monsieur"


async def test_a_company_without_an_organisation_invites_nobody(rdv: FakeRDV, inviting: Inviting):
    outcome = await invite(inviting, await make_application(company=await make_linked_company(rdv_solidarites_id=None)))

    assert outcome == NotLinked()
    assert not rdv.router.calls


async def test_an_application_that_is_not_there_is_not_found(inviting: Inviting):
    application = await make_application()
    await application.delete()

    assert await invite(inviting, application) == NotFound()


async def test_two_clicks_at_once_are_one_call_and_one_too_soon(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()

    outcomes = await asyncio.gather(invite(inviting, application), invite(inviting, application))

    request = await InvitationRequest.get()
    assert sorted(outcomes, key=lambda outcome: type(outcome).__name__) == [
        Invited(request.id),
        TooSoon(NOW + TEN_DAYS),
    ]
    assert rdv.invite.call_count == 1


async def test_ten_clicks_in_two_processes_are_one_call(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()
    other = Inviting(rdv.other_process(), clock=lambda: NOW)

    outcomes = await asyncio.gather(*(invite(each, application) for each in [inviting, other] * 5))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invited", *["TooSoon"] * 9]
    assert rdv.invite.call_count == 1


async def test_of_two_clicks_the_second_calls_when_the_first_was_refused(rdv: FakeRDV, inviting: Inviting):
    application = await make_application(await make_candidate(phone=""))
    rdv.invite.side_effect = [REFUSED_OBJECTS, httpx.Response(200, json=INVITED)]

    outcomes = await asyncio.gather(invite(inviting, application), invite(inviting, application))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invited", "Refused"]


@pytest.mark.parametrize(
    ("age", "is_held"),
    [(timedelta(0), True), (TEN_DAYS - timedelta(seconds=1), True), (TEN_DAYS, False), (timedelta(days=11), False)],
)
async def test_the_hold_ends_after_exactly_ten_days(rdv: FakeRDV, inviting: Inviting, age: timedelta, is_held: bool):
    application = await make_application()
    await make_request(application, created_at=NOW - age)

    outcome = await invite(inviting, application)

    if is_held:
        assert outcome == TooSoon(NOW - age + TEN_DAYS)
    else:
        assert isinstance(outcome, Invited)
    assert rdv.invite.call_count == (0 if is_held else 1)


async def test_the_hold_may_be_set_otherwise(rdv: FakeRDV, database: object):
    application = await make_application()
    await make_request(application, created_at=NOW - timedelta(days=2))

    outcome = await invite(Inviting(rdv.client, hold=timedelta(days=3), clock=lambda: NOW), application)

    assert outcome == TooSoon(NOW + timedelta(days=1))


async def test_another_company_and_another_person_are_not_held(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()
    await make_request(application)
    other_company = await make_linked_company(rdv_solidarites_id=8)
    await make_request(await make_application(await application.job_seeker, other_company))
    other_person = await make_application(await make_candidate(email="autre@exemple.test"), await application.company)

    outcome = await invite(inviting, other_person)

    assert isinstance(outcome, Invited)


async def test_another_application_of_the_same_person_to_the_same_company_is_held(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()
    await make_request(application)
    again = await make_application(await application.job_seeker, await application.company)

    assert await invite(inviting, again) == TooSoon(NOW + TEN_DAYS)


def html(status: int) -> httpx.Response:
    return httpx.Response(status, html="<h1>Refus</h1>")


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (REFUSED_OBJECTS, (WORDS,)),
        (
            httpx.Response(422, json={"success": False, "errors": ["Un usager", "Une adresse"]}),
            ("Un usager", "Une adresse"),
        ),
        (html(422), ()),
    ],
    ids=["objects", "strings", "html"],
)
async def test_a_422_is_a_refusal_that_holds_nobody_back(
    rdv: FakeRDV, inviting: Inviting, answer: httpx.Response, texts: Sequence[str]
):
    application = await make_application()
    rdv.invite.side_effect = [answer, httpx.Response(200, json=INVITED)]

    refused = await invite(inviting, application)
    again = await invite(inviting, application)

    assert refused == Refused("422", tuple(texts))
    assert isinstance(again, Invited)


async def test_a_refusal_that_may_hide_a_message_is_looked_for(rdv: FakeRDV, inviting: Inviting):
    rdv.invite.mock(return_value=REFUSED_OBJECTS)

    await invite(inviting, await make_application())

    attempt = await the_attempt()
    assert (attempt.state, attempt.held_until, attempt.http_status) == (State.UNKNOWN, None, 422)
    assert orjson.loads(attempt.refusal or "") == [WORDS]
    assert await InvitationRequest.all().count() == 0


@pytest.mark.parametrize("what", ["one contact", "the person"])
async def test_a_refusal_that_hides_nothing_is_settled(rdv: FakeRDV, inviting: Inviting, what: str):
    about_person = {"error_details": "Prénom doit être rempli(e)", "first_name": "", "last_name": "Fictive"}
    entry = about_person if what == "the person" else {"error_details": WORDS}
    rdv.invite.respond(422, json={"success": False, "errors": [entry]})

    await invite(inviting, await make_application(await make_candidate(phone="" if what == "one contact" else "06")))

    attempt = await the_attempt()
    assert (attempt.state, attempt.sought, attempt.next_look_at) == (State.REFUSED, None, None)


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_wrong_organisation_or_right_is_a_refusal(rdv: FakeRDV, inviting: Inviting, status: int):
    rdv.invite.respond(status, json={"errors": ["non"]})

    outcome = await invite(inviting, await make_application())

    assert outcome == Refused(str(status))
    assert (await the_attempt()).state is State.REFUSED


async def test_wrong_credentials_of_ours_are_a_refusal_and_nothing_was_sent(rdv: FakeRDV, inviting: Inviting):
    rdv.sign_in.side_effect = None
    rdv.sign_in.respond(401, json={"success": False})

    outcome = await invite(inviting, await make_application())

    assert outcome == Refused("401")
    assert (await the_attempt()).state is State.NOT_SENT


async def test_a_429_tells_when_to_come_back_and_nothing_is_held(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()
    rdv.invite.side_effect = [
        httpx.Response(429, headers={"Retry-After": "300"}, json={"error": "Rate limit exceeded"}),
        httpx.Response(200, json=INVITED),
    ]

    limited = await invite(inviting, application)
    again = await invite(inviting, application)

    assert limited == Unreachable(retry_after=300, may_have_left=False)
    assert isinstance(again, Invited)


@pytest.mark.parametrize("fault", [httpx.ConnectError("no"), httpx.ConnectTimeout("no")])
async def test_what_could_not_be_sent_may_be_tried_again_at_once(rdv: FakeRDV, inviting: Inviting, fault: Exception):
    application = await make_application()
    rdv.invite.side_effect = fault

    outcome = await invite(inviting, application)

    assert outcome == Unreachable(retry_after=None, may_have_left=False)
    assert (await the_attempt()).state is State.NOT_SENT
    rdv.invite.side_effect = None
    rdv.invite.respond(200, json=INVITED)
    assert isinstance(await invite(inviting, application), Invited)


LOST: dict[str, Callable[[], Any]] = {
    "timeout": lambda: httpx.ReadTimeout("late"),
    "cut": lambda: httpx.RemoteProtocolError("cut"),
    "500": lambda: html(500),
    "503": lambda: httpx.Response(503),
    "no user": lambda: httpx.Response(200, json={"success": True, "user": {}, "invitations": []}),
    "no success": lambda: httpx.Response(200, json=INVITED | {"success": False}),
    "no JSON": lambda: html(200),
}


@pytest.mark.parametrize("lost", LOST)
async def test_a_lost_answer_is_kept_as_unknown_and_never_sent_again(rdv: FakeRDV, inviting: Inviting, lost: str):
    application = await make_application()
    rdv.invite.side_effect = [LOST[lost]()]

    outcome = await invite(inviting, application)
    again = await invite(inviting, application, now=NOW + timedelta(minutes=5))

    assert outcome == Unreachable(retry_after=None, may_have_left=True)
    assert again == StillUnknown(NOW + HELD)
    assert rdv.invite.call_count == 1
    assert (await the_attempt()).state is State.UNKNOWN
    assert await InvitationRequest.all().count() == 0


async def test_after_an_hour_without_a_trace_the_employer_may_ask_again(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()
    rdv.invite.side_effect = [httpx.ReadTimeout("late"), httpx.Response(200, json=INVITED)]
    await invite(inviting, application)

    outcome = await invite(inviting, application, now=NOW + HELD)

    assert isinstance(outcome, Invited)


async def test_an_answer_that_comes_after_the_employer_has_left_is_kept(rdv: FakeRDV):
    application, answered = await make_application(), asyncio.Event()

    async def answer(_: httpx.Request) -> httpx.Response:
        await answered.wait()
        return httpx.Response(200, json=INVITED)

    rdv.invite.side_effect = answer
    inviting = Inviting(rdv.client, patience=timedelta(milliseconds=50), clock=lambda: NOW)

    early = await invite(inviting, application)
    answered.set()
    await inviting.aclose()

    assert early == Unreachable(retry_after=None, may_have_left=True)
    assert (await the_attempt()).state is State.ACCEPTED
    assert await InvitationRequest.all().count() == 1


async def test_a_request_that_is_cancelled_does_not_lose_the_answer(rdv: FakeRDV, inviting: Inviting):
    application, sent, answered = await make_application(), asyncio.Event(), asyncio.Event()

    async def answer(_: httpx.Request) -> httpx.Response:
        sent.set()
        await answered.wait()
        return httpx.Response(200, json=INVITED)

    rdv.invite.side_effect = answer
    click = asyncio.create_task(invite(inviting, application))
    await sent.wait()
    click.cancel()
    answered.set()
    await asyncio.wait({click})
    await inviting.aclose()

    assert click.cancelled()
    assert (await the_attempt()).state is State.ACCEPTED


async def test_a_second_click_does_not_wait_for_ever(rdv: FakeRDV):
    application, sent, answered = await make_application(), asyncio.Event(), asyncio.Event()

    async def answer(_: httpx.Request) -> httpx.Response:
        sent.set()
        await answered.wait()
        return httpx.Response(200, json=INVITED)

    rdv.invite.side_effect = answer
    inviting = Inviting(rdv.client, patience=timedelta(milliseconds=150), clock=lambda: NOW)
    first = asyncio.create_task(invite(inviting, application))
    await sent.wait()

    second = await invite(inviting, application)

    attempt = await the_attempt()
    assert second == UnderWay(attempt.answer_due_at)  # pyright: ignore[reportArgumentType]: it is under way
    await first
    answered.set()
    await inviting.aclose()


async def test_what_a_dead_process_left_behind_holds_the_next_click_back(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()
    await begin_and_die(application)

    outcome = await invite(inviting, application)

    attempt = await the_attempt()
    assert outcome == StillUnknown(NOW + HELD)
    assert (attempt.state, attempt.code, attempt.next_look_at) == (State.UNKNOWN, "interrupted", NOW)
    assert rdv.invite.call_count == 0


async def test_the_answer_is_due_on_the_clock_of_the_database(rdv: FakeRDV, inviting: Inviting):
    seen: list[float] = []

    async def answer(_: httpx.Request) -> httpx.Response:
        sql = "SELECT extract(epoch FROM answer_due_at - clock_timestamp())::float8 AS left FROM invitation_attempt"
        [row] = await fetch_all(sql)
        seen.append(row["left"])
        return httpx.Response(200, json=INVITED)

    rdv.invite.side_effect = answer

    await invite(inviting, await make_application())

    assert 0 < seen[0] <= ANSWER_DUE.total_seconds()


async def test_no_transaction_is_open_while_the_partner_thinks(rdv: FakeRDV, inviting: Inviting):
    states: list[str] = []

    async def answer(_: httpx.Request) -> httpx.Response:
        await let_others_run()
        sql = (
            "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state LIKE 'idle in transaction%'"
        )
        states.extend(row["state"] for row in await fetch_all(sql))
        return httpx.Response(200, json=INVITED)

    rdv.invite.side_effect = answer

    outcome = await invite(inviting, await make_application())

    assert isinstance(outcome, Invited)
    assert states == []


@pytest.mark.parametrize(
    ("messages", "kinds"),
    [
        ([], []),
        ([EMAIL], ["email"]),
        ([SMS, EMAIL, {"id": 4807, "format": "pigeon"}], ["sms", "email"]),
        ([SMS, SMS | {"id": 4808}], ["sms"]),
    ],
    ids=["landline", "one", "a format to come", "a kind twice"],
)
async def test_whatever_messages_are_told_one_of_each_kind_is_kept(
    rdv: FakeRDV, inviting: Inviting, messages: list[dict[str, Any]], kinds: list[str]
):
    rdv.invite.respond(200, json=INVITED | {"invitations": messages})

    outcome = await invite(inviting, await make_application())

    assert isinstance(outcome, Invited)
    kept = await Invitation.all().order_by("rdv_insertion_id")
    assert [row.kind.value for row in kept] == kinds


@pytest.mark.parametrize(
    ("news", "status"),
    [
        ({"clicked": True}, InvitationStatus.OPENED),
        ({"delivery_status": "delivered", "delivered_at": "2026-02-18T10:31:00.000+01:00"}, InvitationStatus.DELIVERED),
        ({"delivery_status": "blocked"}, InvitationStatus.NOT_DELIVERED),
        ({"delivery_status": "deferred"}, InvitationStatus.SENT),
    ],
)
async def test_what_is_known_of_a_message_at_once_is_kept(
    rdv: FakeRDV, inviting: Inviting, news: dict[str, Any], status: InvitationStatus
):
    rdv.invite.respond(200, json=INVITED | {"invitations": [EMAIL | news]})

    await invite(inviting, await make_application())

    kept = await Invitation.get()
    assert kept.status is status
    assert (kept.delivered_at is not None) == ("delivered_at" in news)


async def test_nothing_of_the_person_is_in_logs_or_stored_in_the_clear(rdv: FakeRDV, inviting: Inviting):
    rdv.invite.side_effect = [REFUSED_OBJECTS, httpx.ReadTimeout("late")]
    application = await make_application()

    with capture_logs() as logs:
        await invite(inviting, application)
        await invite(inviting, application)

    rows = await fetch_all("SELECT row_to_json(a)::text AS row FROM invitation_attempt a")
    told = str(logs) + str([row["row"] for row in rows])
    assert not any(word in told for word in (*PERSONAL, "créneau"))


async def test_an_invitation_costs_a_fixed_number_of_statements(rdv: FakeRDV, inviting: Inviting):
    application = await make_application()

    async with counting_statements() as counter:
        await invite(inviting, application)

    # The candidate; the lock, what was left behind, what stands, the clock, the attempt; then the attempt, the request
    # and two messages, the end; and two looks at events that came before.
    assert counter.statements <= 13
