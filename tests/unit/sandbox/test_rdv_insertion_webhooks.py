"""Appointments made by hand in the sandbox, and the webhooks that tell of them, read as our server reads them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from clients.rdv_insertion import Encoding, read_appointment, read_envelope, read_invitation
from sandbox.app import create_app
from tests.unit.sandbox.conftest import SandboxTime
from tests.unit.sandbox.rdv import INVITEE, RDV, TARGET, Receiver, person, rdv_of


@pytest.fixture
async def rdv(time: SandboxTime) -> AsyncIterator[RDV]:
    receiver = Receiver(time)
    sandbox = create_app(clock=time.clock(), webhook_transport=receiver.transport())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://sandbox") as http:
        rdv = rdv_of(sandbox, http, receiver)
        await rdv.send_to(TARGET)
        yield rdv


async def invited(rdv: RDV) -> int:
    """Somebody, with the webhooks of their invitations out of the way."""
    number = await rdv.invite()
    await rdv.insertion.sender.drain()
    rdv.receiver.passed.clear()
    return number


async def test_an_invitation_is_told_of_and_then_its_delivery(rdv: RDV):
    answer = await rdv.client.create_and_invite(651, INVITEE)
    await rdv.insertion.sender.drain()

    sms, email = answer.invitations
    assert rdv.receiver.events == [
        ("Invitation", "created", sms.id),
        ("Invitation", "created", email.id),
        ("Invitation", "updated", sms.id),
        ("Invitation", "updated", email.id),
    ]
    last = read_invitation(rdv.receiver.passed[-1].content)
    assert (last.format, last.delivery_status, last.user_id) == ("email", "delivered", answer.user_id)
    assert last.delivered_at == datetime(2026, 3, 18, 9, 30, tzinfo=UTC)


async def test_messages_that_bounce_are_told_of_as_such(rdv: RDV):
    await rdv.invite(person("Rebond"))
    await rdv.insertion.sender.drain()

    last = read_invitation(rdv.receiver.passed[-1].content)
    assert (last.delivery_status, last.delivered_at) == ("hard_bounce", None)


async def test_without_an_address_nothing_is_sent(rdv: RDV):
    await rdv.send_to(None)

    appointment = await rdv.book(await rdv.invite())
    answer = await rdv.send(model="Rdv", id=appointment["id"])

    await rdv.insertion.sender.drain()
    assert rdv.receiver.passed == []
    assert answer.status_code == 422
    assert "webhook_url" in answer.json()["error"]


async def test_a_booked_appointment_is_sent_in_the_documented_shape(rdv: RDV):
    user_id = await invited(rdv)

    appointment = await rdv.book(user_id, starts_at="2026-04-01T09:00:00+02:00", duration_in_min=45)

    found = read_appointment(rdv.receiver.passed[0].content)
    assert rdv.receiver.events == [("Rdv", "created", appointment["id"])]
    assert (found.starts_at, found.duration) == (datetime(2026, 4, 1, 7, tzinfo=UTC), timedelta(minutes=45))
    assert (found.organisation_id, found.user_ids, found.category) == (651, {user_id}, "siae_interview")
    assert [each.status for each in found.attendances] == ["unknown"]
    assert found.place is not None


async def test_an_appointment_overseas_keeps_its_own_time_zone_on_the_wire(rdv: RDV):
    appointment = await rdv.book(await invited(rdv), starts_at="2026-04-01T09:00:00+04:00", has_place=False)

    assert appointment["starts_at"] == "2026-04-01T09:00:00.000+04:00"
    assert (appointment["lieu"], appointment["motif"]["location_type"]) == (None, "phone")


async def test_moving_marking_and_destroying_are_told_of_in_an_order_that_can_be_restored(rdv: RDV):
    user_id = await invited(rdv)
    number = (await rdv.book(user_id))["id"]

    await rdv.change(number, starts_at="2026-04-02T10:00:00+02:00")
    await rdv.change(number, participations={user_id: "seen"})
    await rdv.change(number, status="unknown")
    await rdv.change(number, status="revoked")
    await rdv.http.delete(f"/_rdv-insertion/appointments/{number}")

    bodies = [verified.content for verified in rdv.receiver.passed]
    orders = [read_envelope(body).order for body in bodies]
    snapshots = [read_appointment(body) for body in bodies]
    assert [event for _, event, _ in rdv.receiver.events] == ["created", *["updated"] * 4, "destroyed"]
    assert orders == sorted(orders)
    assert len(set(orders)) == 6
    assert [each.attendances[0].status for each in snapshots] == [
        *("unknown", "unknown", "seen", "unknown", "revoked", "revoked")
    ]
    assert [each.cancelled_at is not None for each in snapshots] == [False, False, False, False, True, True]


async def test_people_come_and_go(rdv: RDV):
    appointment = await rdv.book(1, 2, 3, is_collective=True, max_participants=10)

    changed = await rdv.change(appointment["id"], remove_user_ids=[2], add_user_ids=[4])

    found = read_appointment(rdv.receiver.passed[-1].content)
    assert changed["users_count"] == 3
    assert (found.user_ids, found.is_collective, found.max_participants_count) == ({1, 3, 4}, True, 10)


async def test_booking_ends_the_invitations_of_the_person(rdv: RDV):
    await rdv.book(await invited(rdv))

    state = (await rdv.http.get("/_rdv-insertion")).json()
    assert {each["expires_at"] for each in state["invitations"]} == {"2026-03-18T10:30:00.000+01:00"}


async def test_an_invitation_that_was_opened_is_told_of(rdv: RDV):
    await invited(rdv)
    number = (await rdv.http.get("/_rdv-insertion")).json()["invitations"][0]["id"]

    await rdv.http.patch(f"/_rdv-insertion/invitations/{number}", json={"clicked": True, "delivery_status": "error"})

    found = read_invitation(rdv.receiver.passed[-1].content)
    assert (found.id, found.clicked, found.delivery_status) == (number, True, "delivered")


@pytest.mark.parametrize(("sign", "status"), [("hmac", 200), ("none", 401), ("wrong", 401), ("jwt", 401)])
async def test_a_webhook_is_signed_as_it_is_wanted(rdv: RDV, sign: str, status: int):
    appointment = await rdv.book(await invited(rdv))

    answer = await rdv.send(model="Rdv", id=appointment["id"], sign=sign)

    assert [each["status"] for each in answer.json()["deliveries"]] == [status]


async def test_a_token_passes_where_tokens_are_accepted_until_ten_minutes_later(rdv: RDV, time: SandboxTime):
    rdv.receiver.accepts_jwt = True
    appointment = await rdv.book(await invited(rdv))

    answer = await rdv.send(model="Rdv", id=appointment["id"], sign="jwt")

    assert [each["status"] for each in answer.json()["deliveries"]] == [200]


async def test_an_invented_event_is_sent_as_it_is_given(rdv: RDV):
    data = {"id": 7, "note": "Créneau <à> 10h & plus"}

    answer = await rdv.send(
        model="Agent", event="created", data=data, timestamp="2026-03-02T09:15:00Z", encoding="latin-1"
    )

    verified = rdv.receiver.passed[-1]
    assert [each["status"] for each in answer.json()["deliveries"]] == [200]
    assert verified.encoding is Encoding.LATIN_1
    assert b"\\u003c" in verified.content
    assert b"\\u0026" in verified.content
    assert orjson.loads(verified.content) == {
        "data": data,
        "meta": {"model": "Agent", "event": "created", "timestamp": "2026-03-02 10:15:00 +0100"},
    }


async def test_an_event_is_sent_as_often_as_wanted_with_the_same_bytes(rdv: RDV):
    appointment = await rdv.book(await invited(rdv))
    rdv.receiver.passed.clear()

    await rdv.send(model="Rdv", id=appointment["id"], times=5, parallel=True)

    assert len(rdv.receiver.passed) == 5
    assert len({verified.content for verified in rdv.receiver.passed}) == 1


async def test_several_events_are_sent_in_order_or_shuffled(rdv: RDV):
    events = [{"model": "Rdv", "event": "updated", "data": {"id": number}} for number in range(1, 9)]

    await rdv.send(events=events)
    in_order = [number for _, _, number in rdv.receiver.events]
    rdv.receiver.passed.clear()
    await rdv.send(events=events, times=2, shuffle=True)
    shuffled = [number for _, _, number in rdv.receiver.events]

    assert in_order == [*range(1, 9)]
    assert sorted(shuffled) == sorted([*range(1, 9)] * 2)
    assert shuffled != sorted(shuffled)


@pytest.mark.parametrize(
    "sending",
    [
        {},
        {"model": "Rdv"},
        {"model": "Rdv", "id": 1},
        {"model": "Rdv", "data": {"id": 1}, "events": [{"model": "Rdv", "data": {"id": 1}}]},
        {"model": "Rdv", "data": {"id": 1}, "sign": "rot13"},
        {"model": "Rdv", "data": {"id": 1}, "target": "http://example.org/webhooks"},
        {"model": "Rdv", "data": {"id": 1, "note": "œuf"}, "encoding": "latin-1"},
        {"model": "Rdv", "data": {"id": 1}, "timestamp": "2026-03-02T09:15:00"},
        {"model": "Rdv", "data": {"id": 1}, "typo": True},
    ],
)
async def test_a_sending_that_makes_no_sense_is_refused_and_nothing_leaves(rdv: RDV, sending: dict[str, Any]):
    answer = await rdv.send(**sending)

    assert answer.status_code == 422
    assert rdv.receiver.passed == []


async def test_a_webhook_never_leaves_this_machine(rdv: RDV):
    change = {"partner": "rdv-insertion", "webhook_url": "https://www.rdv-insertion.example/webhooks"}

    assert (await rdv.http.patch("/_settings", json=change)).status_code == 422


async def test_deliveries_are_listed_with_how_they_ended(rdv: RDV):
    rdv.receiver.status = 503
    appointment = await rdv.book(1)

    (delivery,) = (await rdv.http.get("/_webhooks/rdv-insertion")).json()

    assert (delivery["status"], delivery["target"], delivery["id"]) == (503, TARGET, appointment["id"])
    assert (delivery["source"], delivery["model"], delivery["event"]) == ("rdv-insertion", "Rdv", "created")


async def test_an_address_where_nobody_listens_is_a_failed_delivery(time: SandboxTime):
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    sandbox = create_app(clock=time.clock(), webhook_transport=httpx.MockTransport(nobody))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://sandbox") as http:
        rdv = rdv_of(sandbox, http, Receiver(time))
        await rdv.send_to(TARGET)

        answer = await rdv.send(model="Rdv", data={"id": 1})

        assert [each["status"] for each in answer.json()["deliveries"]] == [None]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/_rdv-insertion/appointments/1", {}, 404),
        ("DELETE", "/_rdv-insertion/appointments/1", None, 404),
        ("PATCH", "/_rdv-insertion/invitations/1", {}, 404),
        ("POST", "/_rdv-insertion/appointments", {"organisation_id": 1, "user_ids": []}, 422),
        ("POST", "/_rdv-insertion/appointments", {"organisation_id": 651, "user_ids": [], "typo": 1}, 422),
    ],
)
async def test_what_the_desk_does_not_know_is_refused(
    rdv: RDV, method: str, path: str, body: dict[str, Any] | None, status: int
):
    assert (await rdv.http.request(method, path, json=body)).status_code == status
