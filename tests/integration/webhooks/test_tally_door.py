"""Tally's webhooks at the door: who is let in, and how little of it is kept."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from models import WebhookEvent
from models.enums import Partner
from models.enums import WebhookEventStatus as Status
from tests.integration.webhooks.conftest import Doors
from tests.integration.webhooks.senders import TALLY, as_json, signed_tally, tally

VECTOR = (
    '{"eventId":"11111111-1111-4111-8111-111111111111","eventType":"FORM_RESPONSE","createdAt":"2026-03-02T09:15:00.000Z",'
    '"data":{"responseId":"aB1cD2","submissionId":"aB1cD2","respondentId":"rS3tU4","formId":"mY59xq","formName":"Enquête",'
    '"createdAt":"2026-03-02T09:14:58.000Z","fields":[]}}'
).encode()
SIGNATURE = "ZZXkPUg2bNtYamaXX17PqnguwVZJZx7+H1YouI6ZD2c="
JSON = {"Content-Type": "application/json"}
REF = "5Jc0kq0mYV7m3o1TqgS2dw"


async def post(doors: Doors, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    return await doors.http.post(TALLY, content=body, headers=signed_tally(body) if headers is None else headers)


async def stored() -> list[WebhookEvent]:
    return await WebhookEvent.all().order_by("arrival")


async def test_a_signed_answer_is_stored_and_acknowledged(doors: Doors):
    answer = await post(doors, VECTOR, {**JSON, "Tally-Signature": SIGNATURE})

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    [event] = await stored()
    assert (event.source, event.status, event.model) == (Partner.TALLY, Status.RECEIVED, "form_response")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (VECTOR, {}),
        (VECTOR, {"Tally-Signature": SIGNATURE[:-2] + "d="}),
        (VECTOR, {"Tally-Signature": "6595e43d48366cdb586a66975f5ecfaa782ec15649671efe1f5628b88e990f67"}),
        (VECTOR.replace("ê".encode(), b"\\u00ea"), {"Tally-Signature": SIGNATURE}),
        (VECTOR, {"Tally-Signature": signed_tally(VECTOR, secret="another")["Tally-Signature"]}),
    ],
    ids=["missing", "last character", "hexadecimal", "written anew", "of another secret"],
)
async def test_an_answer_without_the_right_signature_leaves_nothing(doors: Doors, body: bytes, headers: dict[str, str]):
    answer = await post(doors, body, {**JSON, **headers})

    assert (answer.status_code, answer.json()) == (401, {"success": False})
    assert await stored() == []


async def test_answers_and_respondents_are_not_kept(doors: Doors):
    await post(doors, tally(ref=REF))

    [event] = await stored()
    assert event.body is not None
    assert REF in event.body
    assert not any(word in event.body for word in ("Satisfaction", "satisfaite", "dwFicT"))


async def test_a_nir_that_was_put_into_a_link_is_masked(doors: Doors):
    await post(doors, tally(ref="1 89 05 75 010 001 17"))

    [event] = await stored()
    assert event.body is not None
    assert "[nir]" in event.body
    assert "010" not in event.body


async def test_one_submission_is_one_event_whatever_its_deliveries_are_called(doors: Doors):
    bodies = [tally(), tally(), tally(event_id="7d0c2f6e-0000-4000-8000-0000000000a2")]

    answers = await asyncio.gather(*(post(doors, body) for body in bodies))

    assert {answer.status_code for answer in answers} == {200}
    assert len(await stored()) == 1


async def test_two_answers_to_one_survey_are_about_one_resource(doors: Doors):
    await post(doors, tally(response="first1", ref=REF))
    await post(doors, tally(response="second", ref=REF))
    await post(doors, tally(response="third3"))

    first, second, third = await stored()
    assert first.resource_id == second.resource_id != third.resource_id
    assert first.resource_id != REF


async def test_an_event_of_another_type_is_acknowledged_and_ignored(doors: Doors):
    answer = await post(doors, as_json({"eventId": "1", "eventType": "SOMETHING_NEW"}))

    assert answer.status_code == 200
    [event] = await stored()
    assert (event.status, event.error) == (Status.IGNORED, "unknown_model")


async def test_what_cannot_be_understood_in_a_field_does_not_matter(doors: Doors):
    odd = {"label": None, "type": "HOLOGRAM", "value": {"x": [1]}}
    data = {"responseId": "2xyz4n", "formId": "mY59xq", "createdAt": "2026-03-02T09:14:58.000Z", "fields": [odd]}

    answer = await post(doors, as_json({"eventId": "1", "eventType": "FORM_RESPONSE", "data": data}))

    assert answer.status_code == 200
    [event] = await stored()
    assert event.status is Status.RECEIVED


@pytest.mark.parametrize(
    "body",
    [
        b"garbage",
        b"[]",
        as_json({"eventType": "FORM_RESPONSE", "data": {"responseId": "a", "formId": "b"}}),
        as_json({"eventId": "1", "eventType": "FORM_RESPONSE", "data": {"formId": "mY59xq"}}),
        as_json({"eventId": "1", "eventType": "FORM_RESPONSE", "data": {"responseId": "2xyz4n"}}),
        as_json({"eventId": "1", "data": {}}),
    ],
)
async def test_what_is_signed_and_no_event_is_refused(doors: Doors, body: bytes):
    answer = await post(doors, body)

    assert (answer.status_code, answer.json()) == (400, {"success": False})
    assert await stored() == []
