"""Inviting and finding people: what is sent, and what each answer becomes."""

import copy
import logging
import pickle
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from clients.errors import Delivery, PartnerError, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.observer import CallOutcome
from clients.rdv_insertion import InvitationRefused, Invitee, RefusalTexts, Title
from tests.unit.clients.partner_faults import FAULTS, Fault
from tests.unit.clients.rdv_insertion import (
    EMAIL,
    INVITED,
    INVITEE,
    ORGANISATION,
    PERSONAL,
    SECRETS,
    FakeRDV,
    fake_rdv,
)

EMAIL_ONLY = replace(INVITEE, phone_number="")
CERTAIN = {"no connection": Delivery.NOT_SENT, "429 for an hour": Delivery.REFUSED, "redirect": Delivery.REFUSED}


@pytest.fixture
async def rdv() -> AsyncIterator[FakeRDV]:
    async with fake_rdv() as rdv:
        yield rdv


async def error_of(rdv: FakeRDV, invitee: Invitee = INVITEE) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await rdv.client.create_and_invite(ORGANISATION, invitee)
    return caught.value


async def test_an_invitation_sends_the_documented_fields_and_no_nir(rdv: FakeRDV):
    await rdv.client.create_and_invite(ORGANISATION, INVITEE)

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
    assert rdv.invite.calls.last.request.url.query == b""


async def test_what_is_unknown_of_a_person_is_left_out_so_that_nothing_is_erased(rdv: FakeRDV):
    bare = Invitee(first_name=" Zélie ", last_name="Fictive", title=Title.MONSIEUR, phone_number="0600000000")

    await rdv.client.create_and_invite(ORGANISATION, bare, category="siae_follow_up")

    assert rdv.invited_person == {
        "first_name": "Zélie",
        "last_name": "Fictive",
        "title": "monsieur",
        "role": "demandeur",
        "phone_number": "0600000000",
        "invitation": {"motif_category": {"short_name": "siae_follow_up"}},
    }


async def test_the_answer_gives_their_number_and_each_message(rdv: FakeRDV):
    answer = await rdv.client.create_and_invite(ORGANISATION, INVITEE)

    sms, email = answer.invitations
    assert (answer.user_id, sms.id, sms.format, sms.expires_at) == (3432, 4805, "sms", None)
    assert (email.id, email.format, email.clicked, email.delivery_status) == (4806, "email", False, None)
    assert email.created_at == datetime(2026, 3, 2, 9, 14, 59, 107_000, tzinfo=UTC)


async def test_what_is_kept_of_the_answer_holds_nothing_of_the_person(rdv: FakeRDV):
    answer = await rdv.client.create_and_invite(ORGANISATION, INVITEE)

    kept = answer.as_json()
    assert kept["user"] == {"id": 3432}
    assert [each["format"] for each in kept["invitations"]] == ["sms", "email"]
    assert not any(piece in str(kept) for piece in PERSONAL)


@pytest.mark.parametrize(
    ("changes", "formats"),
    [
        ({"invitations": []}, []),
        ({"invitations": [EMAIL | {"format": "pigeon", "expires_at": "soon", "clicked": None, "x": 1}]}, ["pigeon"]),
        ({"user": {"id": 3432, "uid": "old"}, "extra": []}, ["sms", "email"]),
    ],
    ids=["landline only", "odd values", "other keys"],
)
async def test_an_answer_with_more_less_or_other_than_documented_is_read(
    rdv: FakeRDV, changes: dict[str, Any], formats: list[str]
):
    rdv.invite.respond(200, json=INVITED | changes)

    answer = await rdv.client.create_and_invite(ORGANISATION, INVITEE)

    assert [invitation.format for invitation in answer.invitations] == formats


@pytest.mark.parametrize(
    "answer",
    [
        {"success": False, "user": {"id": 1}, "invitations": []},
        {"user": {"id": 1}, "invitations": []},
        {"success": True, "user": {}, "invitations": []},
        {"success": True, "user": {"id": "3432"}, "invitations": []},
        {"success": True, "user": {"id": 1}, "invitations": [{"format": "sms"}]},
        {"success": True, "user": {"id": 1}, "invitations": [{"id": 2}]},
    ],
)
async def test_a_200_without_what_matters_is_unavailable_and_its_outcome_unknown(rdv: FakeRDV, answer: dict[str, Any]):
    rdv.invite.respond(200, json=answer)

    error = await error_of(rdv)

    assert (type(error), error.code) == (PartnerUnavailable, "unexpected_shape")
    assert error.delivery is Delivery.UNKNOWN


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
async def test_whatever_goes_wrong_on_the_way_an_invitation_is_sent_once_and_its_outcome_told(fault: Fault):
    async with fake_rdv(timeout_seconds=fault.deadline_seconds) as rdv:
        rdv.invite.mock(**fault.answers())

        error = await error_of(rdv)

        assert type(error) is fault.kind
        assert (error.code, error.http_status) == (fault.code, fault.http_status)
        assert error.delivery is CERTAIN.get(fault.name, Delivery.UNKNOWN)
        assert rdv.invite.call_count == 1


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (
            {"json": {"success": False, "errors": [{"error_details": "Zélie a un rendez-vous"}]}},
            ("Zélie a un rendez-vous",),
        ),
        ({"json": {"success": False, "errors": ["Plus de créneau", "Autre"]}}, ("Plus de créneau", "Autre")),
        ({"json": {"errors": [None, 3, {"error_details": None}, {"other": 1}]}}, ()),
        ({"json": {"errors": ["x" * 2_000]}}, ("x" * 500,)),
        ({"json": ["what"]}, ()),
        ({"html": "<h1>422</h1>"}, ()),
        ({"content": b""}, ()),
    ],
    ids=["objects", "strings", "oddities", "long", "list", "html", "empty"],
)
async def test_a_422_is_a_rejection_whose_texts_are_for_the_employer_alone(
    rdv: FakeRDV, answer: dict[str, Any], texts: tuple[str, ...]
):
    rdv.invite.respond(422, **answer)

    error = await error_of(rdv, EMAIL_ONLY)

    assert isinstance(error, InvitationRefused)
    assert (error.code, error.http_status, error.details) == ("422", 422, RefusalTexts(texts))
    assert not any(text in f"{error} {error!r} {error.details!r}" for text in texts)


PERSON_REFUSED = [{"error_details": "Téléphone invalide", "first_name": "", "last_name": "Fictive"}]
NOT_SENDABLE = [{"error_details": "Erreur en envoyant l'invitation par email: plus de créneau"}]


@pytest.mark.parametrize(
    ("invitee", "errors", "delivery"),
    [
        (INVITEE, NOT_SENDABLE, Delivery.UNKNOWN),
        (INVITEE, ["un enregistrement a échoué"], Delivery.UNKNOWN),
        (INVITEE, PERSON_REFUSED, Delivery.REFUSED),
        (EMAIL_ONLY, NOT_SENDABLE, Delivery.REFUSED),
        (replace(INVITEE, email=" "), NOT_SENDABLE, Delivery.REFUSED),
    ],
    ids=["one of two may have left", "so with strings", "the person was refused", "one e-mail", "one SMS"],
)
async def test_a_422_tells_for_certain_that_nothing_left_only_when_nothing_can_have(
    rdv: FakeRDV, invitee: Invitee, errors: list[Any], delivery: Delivery
):
    rdv.invite.respond(422, json={"success": False, "errors": errors})

    assert (await error_of(rdv, invitee)).delivery is delivery


@pytest.mark.parametrize("status", [400, 404])
async def test_a_wrong_organisation_or_request_is_rejected(rdv: FakeRDV, status: int):
    rdv.invite.respond(status, json={"not_found": "Organisation"})

    error = await error_of(rdv)

    assert type(error) is PartnerRejected
    assert (error.code, error.delivery) == (str(status), Delivery.REFUSED)
    assert rdv.sign_in.call_count == 1


async def test_a_429_waits_for_the_window_and_closes_the_gates(rdv: FakeRDV):
    rdv.invite.respond(429, json={"retry_after": 300}, headers={"Retry-After": "300"})

    error = await error_of(rdv)

    assert isinstance(error, PartnerRateLimited)
    assert (error.retry_after, error.delivery) == (300, Delivery.REFUSED)
    assert rdv.pacer.holds == [("rdv_insertion:create_and_invite", 300), ("rdv_insertion:find_users", 300)]


async def test_five_failures_open_the_breaker_of_inviting_only(rdv: FakeRDV):
    rdv.invite.respond(500)
    for _ in range(5):
        await error_of(rdv)

    error = await error_of(rdv)

    assert (error.code, error.delivery) == ("breaker_open", Delivery.NOT_SENT)
    assert rdv.invite.call_count == 5
    assert await rdv.client.find_users(ORGANISATION, "x@exemple.test") == ()
    assert rdv.client.breaker_states() == {"sign_in": "closed", "create_and_invite": "open", "find_users": "closed"}


async def test_each_call_is_paced_and_observed(rdv: FakeRDV):
    await rdv.client.create_and_invite(ORGANISATION, INVITEE)

    assert rdv.pacer.waits == ["rdv_insertion:create_and_invite"]
    assert [(call.operation, call.outcome) for call in rdv.observer.calls] == [
        ("sign_in", CallOutcome.OK),
        ("create_and_invite", CallOutcome.OK),
    ]


async def test_the_people_found_are_those_with_exactly_that_address(rdv: FakeRDV):
    users = [
        {"id": 1, "email": "Zelie@exemple.test", "first_name": "Zélie"},
        {"id": 2, "email": "autre.zelie@exemple.test", "first_name": "Zélie"},
        {"id": 3, "email": None},
        {"id": 4},
    ]
    rdv.users.respond(200, json={"success": True, "users": users, "pagination": {"next_page": None}})

    found = await rdv.client.find_users(ORGANISATION, " zelie@EXEMPLE.test ")

    assert [(user.id, user.first_name) for user in found] == [(1, "Zélie")]
    assert dict(rdv.users.calls.last.request.url.params) == {"search_query": "zelie@EXEMPLE.test", "page": "1"}
    assert "exemple.test" not in repr(found)


async def test_all_pages_of_a_search_are_read_up_to_a_bound(rdv: FakeRDV):
    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        users = [{"id": number, "email": "x@exemple.test"}]
        return httpx.Response(200, json={"users": users, "pagination": {"next_page": number + 1}})

    rdv.users.mock(side_effect=page)

    found = await rdv.client.find_users(ORGANISATION, "x@exemple.test")

    assert [user.id for user in found] == [1, 2, 3, 4]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
async def test_whatever_goes_wrong_a_search_fails_with_one_of_the_two_errors(fault: Fault):
    async with fake_rdv(timeout_seconds=fault.deadline_seconds) as rdv:
        rdv.users.mock(**fault.answers())

        with pytest.raises(PartnerUnavailable) as caught:
            await rdv.client.find_users(ORGANISATION, "x@exemple.test")

        assert type(caught.value) is fault.kind
        assert caught.value.code == fault.code


@pytest.mark.parametrize(
    "trouble",
    [
        {"side_effect": httpx.ReadTimeout("zelie.fictive@exemple.test")},
        {"return_value": httpx.Response(422, json={"errors": [{"error_details": "Zélie Fictive est déjà invitée"}]})},
        {"return_value": httpx.Response(200, json={"user": {"first_name": "Zélie"}})},
        {"return_value": httpx.Response(403, json={"errors": ["Zélie"]})},
    ],
)
async def test_nothing_of_the_person_and_no_secret_is_in_errors_or_logs(
    rdv: FakeRDV, trouble: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    rdv.invite.mock(**trouble)
    caplog.set_level(logging.WARNING)

    with capture_logs() as logged:
        error = await error_of(rdv)

    told = f"{error} {error!r} {error.args} {logged} {caplog.text} {INVITEE!r}"
    assert not any(piece in told for piece in (*PERSONAL, *SECRETS))
    assert error.__cause__ is None
    assert error.__context__ is None or isinstance(error.__context__, PartnerError)


def test_a_refusal_survives_copying_and_pickling():
    error = InvitationRefused(code="422", http_status=422, details=RefusalTexts(("texte",)))

    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own bytes
        assert isinstance(twin, InvitationRefused)
        assert (twin.code, twin.details, twin.delivery) == ("422", RefusalTexts(("texte",)), Delivery.UNKNOWN)
