"""Reading webhook bodies: what is understood, what is forgiven, and what is no event."""

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.rdv_insertion import (
    AppointmentSnapshot,
    AttendanceStatus,
    Envelope,
    EventRank,
    InvitationProgress,
    Place,
    UnreadableEvent,
    attendance_status,
    invitation_progress,
    read_appointment,
    read_envelope,
    read_invitation,
)

META = {"model": "Rdv", "event": "created", "timestamp": "2026-03-02 10:15:00 +0100"}
PERSON = {"id": 3432, "first_name": "Zélie", "last_name": "Inventée", "email": "zelie@exemple.test"}
CATEGORY = {"id": 16, "short_name": "siae_interview", "name": "Entretien SIAE"}
APPOINTMENT: dict[str, Any] = {
    "id": 1261,
    "duration_in_min": 30,
    "cancelled_at": None,
    "address": "6 rue Fictive, 75010 Paris",
    "status": "unknown",
    "users_count": 1,
    "max_participants_count": None,
    "starts_at": "2026-03-10T09:00:00.000+01:00",
    "lieu": {"rdv_solidarites_lieu_id": 1026, "name": "Accueil", "address": "6 rue Fictive", "phone_number": ""},
    "motif": {"name": "Entretien d'embauche", "collectif": False, "motif_category": CATEGORY},
    "users": [PERSON],
    "organisation": {"id": 91, "rdv_solidarites_organisation_id": 654, "name": "SIAE Imaginaire"},
    "participations": [{"id": 1174, "status": "unknown", "user": PERSON}],
}
INVITATION: dict[str, Any] = {
    "id": 4806,
    "format": "email",
    "clicked": True,
    "delivery_status": "delivered",
    "delivered_at": "2026-03-02T10:15:40.000+01:00",
    "expires_at": "2026-03-12T10:14:59.100+01:00",
    "motif_category": CATEGORY,
    "user": PERSON,
}


def body(data: object, **meta: Any) -> bytes:
    return orjson.dumps({"data": data, "meta": META | meta})


def appointment(**changes: Any) -> AppointmentSnapshot:
    return read_appointment(body(APPOINTMENT | changes))


def without(*keys: str) -> bytes:
    return body({key: value for key, value in APPOINTMENT.items() if key not in keys})


def orjson_or_text(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits
        return repr(value).encode()


def test_the_envelope_tells_what_happened_to_what_and_when():
    content = body(APPOINTMENT)

    assert read_envelope(content) == Envelope(
        model="rdv",
        event="created",
        at=datetime(2026, 3, 2, 9, 15, tzinfo=UTC),
        resource_id=1261,
        fingerprint=hashlib.sha256(content).hexdigest(),
    )


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-03-02 10:15:00 +0100",
        "2026-03-02 10:15:00 +01:00",
        "2026-03-02T10:15:00.000+01:00",
        "2026-03-02 09:15:00 UTC",
        "2026-03-02T09:15:00Z",
        "2026-03-02 13:15:00 +0400",
    ],
)
def test_every_spelling_of_an_instant_is_the_same_instant(timestamp: str):
    assert read_envelope(body(APPOINTMENT, timestamp=timestamp)).at == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize("model", ["Rdv", "rdv", "RDV", "Invitation"])
def test_the_model_is_compared_without_regard_to_capitals(model: str):
    assert read_envelope(body(APPOINTMENT, model=model)).is_supported


def test_words_of_the_envelope_can_be_stored_as_they_are_read():
    found = read_envelope(body(APPOINTMENT, model="R\0dv", event="upd\0ated"))

    assert (found.model, found.event) == ("rdv", "updated")


def test_another_model_is_read_and_said_not_to_be_supported():
    envelope = read_envelope(body({"id": 7}, model="Agent"))

    assert (envelope.model, envelope.is_supported) == ("agent", False)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "a JSON object"),
        (b"garbage", "a JSON object"),
        (b"[]", "a JSON object"),
        (b'"text"', "a JSON object"),
        (b"\xff\xfe", "a JSON object"),
        (b'{"data":' + b"[" * 100_000, "a JSON object"),
        (orjson.dumps({"meta": META}), "data"),
        (body(None), "data"),
        (body({}), "data.id"),
        (body({"id": None}), "data.id"),
        (body({"id": "1261"}), "data.id"),
        (body({"id": True}), "data.id"),
        (body({"id": 0}), "data.id"),
        (b'{"data":{"id":99999999999999999999999}}', "data.id"),
        (orjson.dumps({"data": {"id": 1}}), "meta"),
        (body({"id": 1}, model=None), "meta.model"),
        (body({"id": 1}, model=""), "meta.model"),
        (body({"id": 1}, timestamp=None), "meta.timestamp"),
        (body({"id": 1}, timestamp="2026-03-02 10:15:00"), "meta.timestamp"),
        (body({"id": 1}, timestamp="yesterday"), "meta.timestamp"),
        (body({"id": 1}, timestamp="0001-01-01 00:00:00 +0200"), "meta.timestamp"),
        (body({"id": 1}, timestamp=1772442900), "meta.timestamp"),
    ],
)
def test_what_is_no_event_is_refused_with_the_place_and_without_the_content(content: bytes, where: str):
    with pytest.raises(UnreadableEvent) as caught:
        read_envelope(content)

    assert caught.value.where == where
    assert caught.value.__context__ is None


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr).map(str.encode)
)
def test_no_bytes_at_all_raise_anything_else(content: bytes):
    for read in (read_envelope, read_appointment, read_invitation):
        with pytest.raises(UnreadableEvent):
            read(content)


def test_events_of_one_second_are_ordered_by_what_happened_and_then_by_fingerprint():
    envelopes = [
        read_envelope(body(APPOINTMENT, event=event, timestamp=timestamp))
        for event, timestamp in (
            ("created", "2026-03-02 10:15:00 +0100"),
            ("updated", "2026-03-02 10:15:00 +0100"),
            ("destroyed", "2026-03-02 10:15:00 +0100"),
            ("created", "2026-03-02 10:15:01 +0100"),
        )
    ]

    for shuffled in permutations(envelopes):
        assert sorted(shuffled, key=lambda envelope: envelope.order) == envelopes


@pytest.mark.parametrize("event", ["renamed", "", None, 3])
def test_an_unknown_event_counts_as_an_update(event: Any):
    assert read_envelope(body(APPOINTMENT, event=event)).rank is EventRank.UPDATED


def test_an_appointment_is_read_whole():
    found = appointment()

    assert (found.id, found.starts_at, found.duration) == (
        1261,
        datetime(2026, 3, 10, 8, tzinfo=UTC),
        timedelta(minutes=30),
    )
    assert (found.status, found.cancelled_at, found.address) == ("unknown", None, "6 rue Fictive, 75010 Paris")
    assert (found.users_count, found.max_participants_count, found.organisation_id) == (1, None, 654)
    assert found.place == Place(rdv_solidarites_id=1026, name="Accueil", address="6 rue Fictive", phone_number="")
    assert (found.reason, found.is_collective) == ("Entretien d'embauche", False)
    assert (found.category, found.category_name) == ("siae_interview", "Entretien SIAE")
    assert found.user_ids == {3432}
    assert [(each.id, each.user_id, each.status) for each in found.attendances] == [(1174, 3432, "unknown")]


def test_the_start_keeps_its_instant_from_another_time_zone():
    assert appointment(starts_at="2026-03-10T09:00:00.000+04:00").starts_at == datetime(2026, 3, 10, 5, tzinfo=UTC)


def test_nothing_of_the_people_but_their_numbers_is_kept():
    assert not any(text in repr(appointment()) for text in ("Zélie", "Inventée", "zelie"))


@pytest.mark.parametrize(
    "changes",
    [
        {"participations": None},
        {"participations": [None]},
        {"participations": [None, 3, {}, {"id": 1174}, {"id": 1174, "user": None}, {"user": PERSON}]},
        {"participations": "oops"},
    ],
)
def test_people_without_a_part_are_still_people_of_the_appointment(changes: dict[str, Any]):
    found = appointment(**changes)

    assert (found.attendances, found.user_ids) == ((), {3432})


def test_a_missing_key_of_parts_or_of_nearly_anything_is_forgiven():
    found = read_appointment(body({key: APPOINTMENT[key] for key in ("id", "starts_at", "duration_in_min")}))

    assert (found.place, found.organisation_id, found.users_count) == (None, None, None)
    assert (found.category, found.reason, found.address, found.status) == ("", "", "", "unknown")
    assert (found.user_ids, found.attendances) == (frozenset(), ())


@pytest.mark.parametrize(
    ("changes", "attribute", "value"),
    [
        ({"lieu": None}, "place", None),
        ({"lieu": {"name": "Sans numéro"}}, "place", None),
        ({"lieu": "Accueil"}, "place", None),
        ({"motif": {"name": "x", "motif_category": None}}, "category", ""),
        ({"motif": None}, "reason", ""),
        ({"motif": {"motif_category": {"short_name": "rsa_nouveau"}}}, "category", "rsa_nouveau"),
        ({"status": None}, "status", "unknown"),
        ({"status": "postponed"}, "status", "postponed"),
        ({"address": None}, "address", ""),
        ({"address": "a" * 600}, "address", "a" * 512),
        ({"cancelled_at": "someday"}, "cancelled_at", None),
        ({"cancelled_at": "2026-03-02T10:15:00.000+01:00"}, "cancelled_at", datetime(2026, 3, 2, 9, 15, tzinfo=UTC)),
        ({"users": None}, "user_ids", {3432}),
        ({"users": [None, {"id": 1}, {"id": "2"}, {"id": 3}]}, "user_ids", {1, 3, 3432}),
        ({"organisation": None}, "organisation_id", None),
        ({"organisation": {"rdv_solidarites_organisation_id": None}}, "organisation_id", None),
        ({"users_count": "many"}, "users_count", None),
        ({"users_count": 2**31}, "users_count", None),  # more than the column holds
        ({"users_count": 2**31 - 1}, "users_count", 2**31 - 1),
        # PostgreSQL stores no NUL: the event would fail for ever.
        ({"motif": {"name": "Atelier\0 bois"}}, "reason", "Atelier bois"),
        ({"status": "seen\0"}, "status", "seen"),
        ({"status": "\0"}, "status", "unknown"),
        ({"motif": {"name": "x", "collectif": True}}, "is_collective", True),
        ({"new_key": {"deep": [1]}}, "id", 1261),
    ],
)
def test_odd_values_cost_their_field_and_never_the_event(changes: dict[str, Any], attribute: str, value: object):
    assert getattr(appointment(**changes), attribute) == value


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (without("id"), "data.id"),
        (without("starts_at"), "data.starts_at"),
        (body(APPOINTMENT | {"starts_at": "soon"}), "data.starts_at"),
        (body(APPOINTMENT | {"starts_at": "2026-03-10T09:00:00"}), "data.starts_at"),
        # Its end would lie outside of the years that there are, in some time zone at least.
        (body(APPOINTMENT | {"starts_at": "9998-12-31T23:50:00+00:00"}), "data.starts_at"),
        (body(APPOINTMENT | {"starts_at": "0001-01-02T00:00:00+00:00"}), "data.starts_at"),
        (without("duration_in_min"), "data.duration_in_min"),
        (body(APPOINTMENT | {"duration_in_min": -5}), "data.duration_in_min"),
        (body(APPOINTMENT | {"duration_in_min": 10**12}), "data.duration_in_min"),
    ],
)
def test_an_appointment_without_number_start_or_duration_cannot_be_read(content: bytes, where: str):
    with pytest.raises(UnreadableEvent) as caught:
        read_appointment(content)

    assert caught.value.where == where


def test_an_invitation_is_read_whole():
    found = read_invitation(body(INVITATION, model="Invitation"))

    assert (found.id, found.format, found.clicked, found.user_id) == (4806, "email", True, 3432)
    assert (found.delivery_status, found.category) == ("delivered", "siae_interview")
    assert found.delivered_at == datetime(2026, 3, 2, 9, 15, 40, tzinfo=UTC)
    assert not found.has_unreadable_date


@pytest.mark.parametrize(
    ("value", "is_unreadable"), [("yesterday", True), (17, True), (None, False), ("2026-03-02", True)]
)
def test_an_unreadable_delivery_date_is_left_out_and_said_to_be_so(value: object, is_unreadable: bool):
    found = read_invitation(body(INVITATION | {"delivered_at": value}))

    assert (found.delivered_at, found.has_unreadable_date) == (None, is_unreadable)


def test_an_invitation_of_an_old_version_with_its_number_alone_is_read():
    found = read_invitation(body({"id": 4806, "clicked": None}))

    assert (found.clicked, found.delivery_status, found.user_id, found.expires_at) == (False, None, None, None)


@pytest.mark.parametrize(
    ("clicked", "delivery_status", "progress"),
    [
        (True, "hard_bounce", InvitationProgress.OPENED),
        (True, None, InvitationProgress.OPENED),
        (False, "delivered", InvitationProgress.DELIVERED),
        *((False, failure, InvitationProgress.NOT_DELIVERED) for failure in ("soft_bounce", "hard_bounce", "blocked")),
        *((False, failure, InvitationProgress.NOT_DELIVERED) for failure in ("invalid_email", "error")),
        (False, None, InvitationProgress.NO_NEWS),
        (False, "deferred", InvitationProgress.UNLISTED),
    ],
)
def test_the_first_rule_that_applies_tells_how_far_an_invitation_got(
    clicked: bool, delivery_status: str | None, progress: InvitationProgress
):
    assert invitation_progress(clicked=clicked, delivery_status=delivery_status) is progress


def test_the_five_statuses_are_known_and_two_of_them_are_cancellations():
    words = ("unknown", "seen", "noshow", "excused", "revoked")

    assert [attendance_status(word) for word in words] == [*AttendanceStatus]
    assert [status for status in AttendanceStatus if status.is_cancelled] == ["excused", "revoked"]
    assert attendance_status("postponed") is None
