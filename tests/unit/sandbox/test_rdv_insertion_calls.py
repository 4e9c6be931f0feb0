"""The simulated RDV-Solidarités and RDV-Insertion, called by the real client and by strangers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from clients.errors import Delivery, PartnerError, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.rdv_insertion import InvitationRefused, Invitee, SignInRefused
from sandbox.app import create_app
from sandbox.rdv.settings import AGENT_EMAIL, AGENT_PASSWORD
from tests.unit.sandbox.conftest import SandboxTime
from tests.unit.sandbox.rdv import INVITE, INVITEE, RDV, SIGN_IN, Receiver, person, rdv_of


@pytest.fixture
async def rdv(time: SandboxTime) -> AsyncIterator[RDV]:
    receiver = Receiver(time)
    sandbox = create_app(clock=time.clock(), webhook_transport=receiver.transport())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://sandbox") as http:
        yield rdv_of(sandbox, http, receiver)


async def error_of(rdv: RDV, invitee: Invitee = INVITEE, organisation_id: int = 651) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await rdv.invite(invitee, organisation_id)
    return caught.value


async def sign_in(rdv: RDV) -> dict[str, str]:
    answer = await rdv.http.post(SIGN_IN, json={"email": AGENT_EMAIL, "password": AGENT_PASSWORD})
    return {name: answer.headers[name] for name in ("access-token", "client", "uid")}


async def post(rdv: RDV, user: object, path: str = INVITE, **headers: str) -> httpx.Response:
    return await rdv.http.post(path, json={"user": user}, headers=await sign_in(rdv) | headers)


def body(**changes: Any) -> dict[str, Any]:
    """A sound person, but for the changes; None drops a key."""
    sound = {
        "first_name": "Zélie",
        "last_name": "Fictive",
        "title": "madame",
        "role": "demandeur",
        "email": "zelie.fictive@exemple.test",
        "birth_date": "01/05/1989",
        "invitation": {"motif_category": {"short_name": "siae_interview"}},
    }
    return {key: value for key, value in (sound | changes).items() if value is not None}


async def test_a_person_with_two_contacts_is_invited_by_sms_and_e_mail(rdv: RDV):
    answer = await rdv.client.create_and_invite(651, INVITEE)

    assert [(each.format, each.clicked, each.delivery_status) for each in answer.invitations] == [
        ("sms", False, None),
        ("email", False, None),
    ]
    assert await rdv.statuses(INVITE) == [200]


async def test_a_landline_alone_gets_nothing_and_that_is_a_success(rdv: RDV):
    answer = await rdv.client.create_and_invite(651, replace(INVITEE, email="", phone_number="0199001234"))

    assert answer.invitations == ()


async def test_signing_in_again_ends_the_session_before(rdv: RDV):
    first = await sign_in(rdv)
    second = await sign_in(rdv)

    answers = [await rdv.http.post(INVITE, json={"user": body()}, headers=headers) for headers in (first, second)]

    assert [answer.status_code for answer in answers] == [401, 200]
    assert (await rdv.http.get("/rdv-solidarites/api/v1/auth/validate_token", headers=second)).status_code == 200
    assert (await rdv.http.get("/rdv-solidarites/api/v1/auth/validate_token", headers=first)).status_code == 401


async def test_a_session_that_somebody_else_ended_is_renewed_on_the_way_once_for_twenty_callers(rdv: RDV):
    await rdv.client.find_users(651, "x@exemple.test")
    rdv.solidarites.sessions.revoke()

    await asyncio.gather(*(rdv.client.find_users(651, "x@exemple.test") for _ in range(20)))

    assert await rdv.statuses(SIGN_IN) == [200, 200]


async def test_a_session_ends_after_a_day(rdv: RDV, time: SandboxTime):
    await rdv.client.find_users(651, "x@exemple.test")
    time.advance(seconds=86_400)

    await rdv.client.find_users(651, "x@exemple.test")

    assert await rdv.statuses(SIGN_IN) == [200, 200]


async def test_a_wrong_password_is_refused_and_not_shown_by_the_call_log(time: SandboxTime):
    sandbox = create_app(clock=time.clock())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://sandbox") as http:
        rdv = rdv_of(sandbox, http, Receiver(time), password="faux")

        error = await error_of(rdv)

        assert isinstance(error, SignInRefused)
        assert (await http.get("/_calls")).json()[0]["body"] == {"email": AGENT_EMAIL, "password": "***"}


async def test_while_rdv_solidarites_is_down_rdv_insertion_answers_401(rdv: RDV):
    await rdv.http.patch("/_settings", json={"partner": "rdv-insertion", "rdv_solidarites_is_down": True})
    await rdv.http.post("/_faults", json={"partner": "rdv-solidarites", "status": 503})

    error = await error_of(rdv)

    assert type(error) is PartnerUnavailable
    assert (error.operation, error.code, error.delivery) == ("sign_in", "503", Delivery.NOT_SENT)


@pytest.mark.parametrize(("organisation_id", "code"), [(659, "403"), (650, "404"), (3_000, "404")])
async def test_an_organisation_out_of_reach_is_rejected(rdv: RDV, organisation_id: int, code: str):
    error = await error_of(rdv, organisation_id=organisation_id)

    assert (type(error), error.code) == (PartnerRejected, code)


@pytest.mark.parametrize(
    ("last_name", "delivery", "sent"),
    [
        ("Sanscreneau", Delivery.UNKNOWN, []),
        ("Moitie", Delivery.UNKNOWN, ["sms"]),
        ("Enregistrement", Delivery.UNKNOWN, []),
        ("Illisible", Delivery.UNKNOWN, []),
    ],
)
async def test_people_of_the_cast_are_refused_in_their_own_ways(
    rdv: RDV, last_name: str, delivery: Delivery, sent: list[str]
):
    error = await error_of(rdv, person(last_name))

    state = (await rdv.http.get("/_rdv-insertion")).json()
    assert isinstance(error, InvitationRefused)
    assert error.delivery is delivery
    assert [each["format"] for each in state["invitations"]] == sent


async def test_after_a_lost_answer_the_person_is_found_by_their_address(rdv: RDV):
    invitee = person("Perdue")

    error = await error_of(rdv, invitee)
    found = await rdv.client.find_users(651, invitee.email)

    state = (await rdv.http.get("/_rdv-insertion")).json()
    assert (error.code, error.delivery) == ("500", Delivery.UNKNOWN)
    assert [user.id for user in found] == [state["users"][0]["id"]]
    assert [each["format"] for each in state["invitations"]] == ["sms", "email"]


async def test_a_second_invitation_of_the_same_day_is_refused_and_the_next_day_it_is_not(rdv: RDV, time: SandboxTime):
    await rdv.invite()

    error = await error_of(rdv)
    time.advance(hours=24)
    await rdv.invite()

    assert isinstance(error, InvitationRefused)
    assert len(error.details.texts) == 2
    assert all("déjà envoyée" in text for text in error.details.texts)


async def test_an_invitation_that_bounced_may_be_sent_again(rdv: RDV):
    await rdv.invite()
    for invitation in (await rdv.http.get("/_rdv-insertion")).json()["invitations"]:
        await rdv.http.patch(f"/_rdv-insertion/invitations/{invitation['id']}", json={"delivery_status": "blocked"})

    await rdv.invite()


async def test_whoever_has_an_appointment_to_come_is_not_invited(rdv: RDV):
    await rdv.book(await rdv.invite())

    error = await error_of(rdv)

    assert isinstance(error, InvitationRefused)
    assert "rendez-vous à venir" in error.details.texts[0]


async def test_one_person_has_one_number_in_a_department_and_another_in_the_next(rdv: RDV, time: SandboxTime):
    first = await rdv.invite(organisation_id=651)
    time.advance(hours=24)
    same_department = await rdv.invite(replace(INVITEE, first_name="ZELIE Anne", phone_number=""), 2_000)
    other_department = await rdv.invite(organisation_id=652)
    other_first_name = await rdv.invite(replace(INVITEE, first_name="Anne"), 651)

    assert first == same_department
    assert len({first, other_department, other_first_name}) == 3


async def test_numbers_survive_a_restart_or_are_new(rdv: RDV, time: SandboxTime):
    before = await rdv.client.create_and_invite(651, INVITEE)
    time.advance(seconds=5)
    restarted = create_app(clock=time.clock())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(restarted), base_url="http://sandbox") as http:
        after = await rdv_of(restarted, http, rdv.receiver).client.create_and_invite(651, INVITEE)

    assert after.user_id == before.user_id
    assert not {each.id for each in after.invitations} & {each.id for each in before.invitations}


@pytest.mark.parametrize(
    "changes",
    [
        {"first_name": " "},
        {"last_name": None},
        {"title": "Mme"},
        {"title": None},
        {"role": "employeur"},
        {"email": "nobody"},
        {"phone_number": "12"},
        {"birth_date": "1989-05-01"},
        {"birth_date": "01/05/2089"},
        {"birth_date": "01/05/1889"},
        {"birth_date": "31/02/1989"},
        {"nir": "12"},
        {"email": None},
        {"email": 3},
    ],
)
async def test_a_person_that_is_not_valid_is_a_422_that_names_them(rdv: RDV, changes: dict[str, Any]):
    answer = await post(rdv, body(**changes))

    error = answer.json()["errors"][0]
    assert answer.status_code == 422
    assert set(error) == {"error_details", "first_name", "last_name"}


@pytest.mark.parametrize("user", [None, [], "x", body(unknown="x"), body(invitation={"format": "sms"})])
async def test_a_body_of_another_shape_is_a_400(rdv: RDV, user: object):
    assert (await post(rdv, user)).status_code == 400


async def test_without_a_category_the_call_ends_in_a_500(rdv: RDV):
    assert (await post(rdv, body(invitation={}))).status_code == 500
    assert (await post(rdv, body(invitation={"motif_category": {"short_name": "inconnue"}}))).status_code == 422


async def test_a_scanner_is_sent_away(rdv: RDV):
    answer = await post(rdv, body(), **{"user-agent": "Sqlmap/1.8"})

    assert (answer.status_code, answer.json()) == (403, {"error": "Forbidden"})


async def test_too_many_calls_of_one_action_are_told_to_wait_for_the_whole_window(rdv: RDV, time: SandboxTime):
    await rdv.http.patch("/_settings", json={"partner": "rdv-insertion", "calls_per_window": 1})
    await rdv.invite()

    error = await error_of(rdv)
    found = await rdv.client.find_users(651, INVITEE.email)
    time.advance(seconds=301)
    await rdv.invite(replace(INVITEE, first_name="Suivante"))

    assert isinstance(error, PartnerRateLimited)
    assert error.retry_after == 300
    assert len(found) == 1


async def test_a_search_has_pages_of_twenty_five(rdv: RDV):
    for number in range(30):
        await rdv.invite(replace(INVITEE, first_name=f"Zélie{number}", phone_number=""))

    found = await rdv.client.find_users(651, INVITEE.email)

    assert len(found) == 30
    assert len(await rdv.statuses("/rdv-insertion/api/v1/organisations/651/users")) == 30 + 2


async def test_the_cast_tells_who_triggers_what(rdv: RDV):
    people = (await rdv.http.get("/_people")).json()

    fates = {each["last_name"]: each["rdv_insertion"] for each in people if "rdv_insertion" in each}
    assert fates["Moitie"] == "half"
    assert len(fates) == 6
