"""RDV-Insertion's webhooks at the door: who is let in, what is stored, what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from models import WebhookEvent
from models.database import DatabaseConfig
from models.enums import Partner
from models.enums import WebhookEventStatus as Status
from tests.integration.webhooks.conftest import Doors, open_doors
from tests.integration.webhooks.senders import RDV_INSERTION, as_json, invitation, jwt, rdv, signed_rdv
from tests.waiting import until

VECTORS = {
    b'{"data":{"id":4806},"meta":{"model":"Invitation","event":"updated","timestamp":"2026-03-02 10:15:00 +0100"}}': (
        "7f85b890425f1ea2b514596f2cad6021e6d146fcf3c6b06405184ace258a8cc3"
    ),
    '{"data":{"id":4806,"note":"Créneau à 10h"},"meta":{"model":"Invitation","event":"updated",'
    '"timestamp":"2026-03-02 10:15:00 +0100"}}'.encode(): (
        "d852b7ef3bd6fc49845470636fa0116ddb9ec7ea7a098550dd26cf5e20291831"
    ),
}
JSON = {"Content-Type": "application/json"}
EXAMPLES = settings.default.max_examples if settings.default is not None else 100


async def post(doors: Doors, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    return await doors.http.post(RDV_INSERTION, content=body, headers=signed_rdv(body) if headers is None else headers)


async def stored() -> list[WebhookEvent]:
    return await WebhookEvent.all().order_by("arrival")


@pytest.mark.parametrize("body", VECTORS)
async def test_a_signed_event_is_stored_sealed_before_it_is_acknowledged(doors: Doors, body: bytes):
    answer = await post(doors, body, {**JSON, "X-RDVI-SIGNATURE": VECTORS[body]})

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    [event] = await stored()
    assert event.body == body.decode()
    assert (event.source, event.status, event.model, event.event) == (
        Partner.RDV_INSERTION,
        Status.RECEIVED,
        "invitation",
        "updated",
    )
    assert event.resource_id == "4806"
    assert event.resource_at == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


async def test_what_was_signed_as_utf_8_and_travelled_as_latin_1_is_stored_as_it_was_signed(doors: Doors):
    body = next(body for body in VECTORS if not body.isascii())

    answers = [
        await post(doors, body.decode().encode(encoding), {**JSON, "X-RDVI-SIGNATURE": VECTORS[body]})
        for encoding in ("latin-1", "utf-8")
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    [event] = await stored()
    assert event.body is not None
    assert "Créneau à 10h" in event.body


def _refused_signatures(body: bytes) -> dict[str, dict[str, str]]:
    right = signed_rdv(body)["X-RDVI-SIGNATURE"]
    return {
        "missing": {},
        "wrong": {"X-RDVI-SIGNATURE": right[:-1] + ("0" if right[-1] != "0" else "1")},
        "upper case": {"X-RDVI-SIGNATURE": right.upper()},
        "of another secret": {"X-RDVI-SIGNATURE": signed_rdv(body, secret="another")["X-RDVI-SIGNATURE"]},
        "too short": {"X-RDVI-SIGNATURE": right[:-2]},
        "not ascii": {"X-RDVI-SIGNATURE": "é" * 64},
        "empty": {"X-RDVI-SIGNATURE": ""},
    }


@pytest.mark.parametrize("case", _refused_signatures(b""))
async def test_a_request_without_the_right_signature_is_refused_and_leaves_nothing(doors: Doors, case: str):
    body = rdv()

    answer = await post(doors, body, {**JSON, **{k: v.encode() for k, v in _refused_signatures(body)[case].items()}})  # type: ignore[arg-type]

    assert (answer.status_code, answer.json()) == (401, {"success": False})
    assert await stored() == []


async def test_any_of_the_secrets_opens_the_door(doors: Doors):
    body = rdv()

    answers = [await post(doors, body, signed_rdv(body, secret=each)) for each in ("an-older-secret", "test-secret")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(await stored()) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"garbage",
        b"",
        b"[]",
        b"null",
        as_json({"data": {"id": 1}, "meta": {"model": "Rdv", "event": "updated"}}),
        as_json({"data": {"id": 1}, "meta": {"model": "Rdv", "timestamp": "2026-03-02 10:15:00"}}),
        as_json({"data": {}, "meta": {"model": "Rdv", "timestamp": "2026-03-02 10:15:00 +0100"}}),
        as_json({"data": {"id": 1}, "meta": {"timestamp": "2026-03-02 10:15:00 +0100"}}),
        b'{"data":{"id":1,"note":"\xff"},"meta":{"model":"Rdv","timestamp":"2026-03-02 10:15:00 +0100"}}',
    ],
)
async def test_what_is_signed_and_no_event_is_refused(doors: Doors, body: bytes):
    answer = await post(doors, body)

    assert (answer.status_code, answer.json()) == (400, {"success": False})
    assert await stored() == []


async def test_a_model_that_nobody_follows_is_acknowledged_and_ignored(doors: Doors):
    body = as_json({"data": {"id": 7}, "meta": {"model": "Agent", "timestamp": "2026-03-02 10:15:00 +0100"}})

    answer = await post(doors, body)

    assert answer.status_code == 200
    [event] = await stored()
    assert (event.status, event.error, event.model) == (Status.IGNORED, "unknown_model", "agent")
    assert event.processed_at is not None
    assert doors.rung == []


@pytest.mark.parametrize(
    "at", ["2026-03-02 10:15:00 +0100", "2026-03-02T10:15:00.000+01:00", "2026-03-02 09:15:00 UTC"]
)
async def test_all_spellings_of_a_time_are_the_same_instant(doors: Doors, at: str):
    await post(doors, rdv(at=at))

    [event] = await stored()
    assert event.resource_at == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


async def test_twenty_copies_at_once_and_five_later_are_one_event(doors: Doors):
    body = rdv()

    answers = await asyncio.gather(*(post(doors, body) for _ in range(20)))
    answers += [await post(doors, body) for _ in range(5)]

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b'{"success": true}')}
    assert len(await stored()) == 1


async def test_the_bell_rings_for_what_is_new_only(doors: Doors):
    async def has_rung(times: int) -> bool:
        return len(doors.rung) == times

    await post(doors, rdv())
    await until(lambda: has_rung(1))

    await post(doors, rdv())
    await post(doors, rdv(2))

    await until(lambda: has_rung(2))


async def test_the_people_and_the_organisation_are_found_without_the_body(doors: Doors):
    await post(doors, rdv(users=(30, 10, 20)))
    await post(doors, invitation())
    await post(doors, rdv(99, organisation=None, users=()))

    events = await stored()
    assert [event.partner_organisation_id for event in events] == [654, None, None]
    assert [event.partner_user_ids for event in events] == [[10, 20, 30], [3432], None]
    assert [(event.precedence, event.event_rank) for event in events] == [(1, 1), (1, 1), (1, 1)]


async def test_an_appointment_that_cannot_be_read_is_stored_for_an_operator(doors: Doors):
    answer = await post(doors, rdv(starts_at="at nine"))

    assert answer.status_code == 200
    [event] = await stored()
    assert (event.status, event.partner_user_ids) == (Status.RECEIVED, None)


CLAIMS = {"id": 1261, "address": "6 rue Fictive, 75010 Paris", "starts_at": "2026-03-10T09:00:00.000+01:00"}
TOKENS: dict[str, tuple[dict[str, Any], int]] = {
    "in date": ({}, 200),
    "out of date": ({"expires_in": timedelta(minutes=-2)}, 401),
    "about another appointment": ({"claims": {**CLAIMS, "id": 1262}}, 401),
    "without an algorithm": ({"algorithm": "none"}, 401),
    "of another secret": ({"secret": "another"}, 401),
}


def _bearer(
    claims: dict[str, Any] | None = None, *, expires_in: timedelta = timedelta(minutes=10), **options: Any
) -> dict[str, str]:
    token = jwt(claims or CLAIMS, expires_at=datetime.now(UTC) + expires_in, **options)
    return {**JSON, "Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("case", TOKENS)
async def test_a_token_opens_the_door_where_tokens_are_accepted(database: DatabaseConfig, case: str):
    options, expected = TOKENS[case]
    async with open_doors(database, accept_jwt=True) as doors:
        answer = await post(doors, rdv(), _bearer(**options))

    assert answer.status_code == expected
    assert len(await stored()) == (1 if expected == 200 else 0)


@pytest.mark.parametrize("case", TOKENS)
async def test_no_token_opens_the_door_by_default(doors: Doors, case: str):
    answer = await post(doors, rdv(), _bearer(**TOKENS[case][0]))

    assert answer.status_code == 401
    assert await stored() == []


async def test_a_request_with_both_is_judged_by_its_signature(database: DatabaseConfig):
    async with open_doors(database, accept_jwt=True) as doors:
        answer = await post(doors, rdv(), {**_bearer(), "X-RDVI-SIGNATURE": "0" * 64})

    assert answer.status_code == 401


async def test_nothing_of_a_body_gets_into_a_log_or_an_answer(doors: Doors):
    body = rdv(note="1 89 05 75 010 001 17", organisation=654)

    with capture_logs() as logs:
        answers = [await post(doors, body), await post(doors, body[:-1]), await post(doors, body, {**JSON})]

    assert [answer.status_code for answer in answers] == [200, 400, 401]
    shown = str(logs) + "".join(answer.text + str(answer.headers) for answer in answers)
    assert not any(secret in shown for secret in ("Zélie", "Fictive", "75010", "010 001", "test-secret"))
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == [
        "webhook_with_nir",
        "webhook_unreadable",
    ]


@pytest.fixture
async def _emptied(doors: Doors) -> AsyncIterator[None]:
    yield
    await WebhookEvent.all().delete()


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
_PARTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["users", "participations", "organisation", "starts_at", "duration_in_min"]), JSON_VALUES
)
_MODELS = st.sampled_from(["Rdv", "Invitation", "İ" * 64, "\0"]) | st.text(max_size=80)
_TIMES = st.just("2026-03-02 10:15:00 +0100") | st.text(max_size=30)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """What looks like an event, with anything in its places."""
    data = {"id": draw(JSON_VALUES | st.integers(0, 2**70)), **draw(_PARTS)}
    return {
        "data": data,
        "meta": {"model": draw(_MODELS), "timestamp": draw(_TIMES), "event": draw(JSON_VALUES | st.text(max_size=80))},
    }


@pytest.mark.usefixtures("_emptied")
@settings(max_examples=EXAMPLES * 3 // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | JSON_VALUES.map(as_json) | events().map(as_json))
async def test_no_signed_body_whatsoever_is_answered_by_a_fault(doors: Doors, body: bytes):
    answer = await post(doors, body)

    assert answer.status_code in (200, 400)
