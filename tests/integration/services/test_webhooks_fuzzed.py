"""Signed webhooks with anything in their places, applied: each has an outcome, none breaks off.

What the doors make of bytes that are no webhooks is in tests/integration/webhooks.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Survey
from models.enums import SurveyKind
from services.surveys.answers import apply_answer
from services.webhooks.deliveries import UnreadableDelivery, read_rdv_insertion, read_tally
from services.webhooks.outcomes import Applied, Failed, Ignored, Unmatched
from tests.factories import NOW, make_company, make_job_application, make_job_seeker
from tests.integration.schema.crowd import empty_database
from tests.integration.services.rdv_events import ORGANISATION, apply, ask_to_come, invitation, rdv
from tests.integration.webhooks.senders import as_json, tally
from tests.tearing import torn

EXAMPLES = settings.default.max_examples if settings.default is not None else 100
OUTCOMES = (Applied, Failed, Ignored, Unmatched)
NUMBER, USERS = 40_001, (77_001, 77_002)
EVENTS: list[Any] = [
    json.loads(rdv(NUMBER, users=USERS)),
    json.loads(rdv(NUMBER, "destroyed", at=60, users=USERS)),
    json.loads(invitation(NUMBER)),
]
ANSWER: Any = json.loads(tally(ref="r" * 20))
fuzzed = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module", autouse=True)
async def _people(_open_database: object) -> AsyncIterator[None]:
    """A company with two people whom events name, and a survey that answers name."""
    company = await make_company(rdv_solidarites_id=ORGANISATION)
    people = [await make_job_seeker() for _ in USERS]
    for person, user in zip(people, USERS, strict=True):
        await ask_to_come(person, company, user)
    application = await make_job_application(people[0], company)
    await Survey.create(
        kind=SurveyKind.POST_HIRING_JOB_SEEKER, reference="r" * 20, form_id="mY59xq", job_application=application
    )
    yield
    await empty_database()


@fuzzed
@given(torn_event=st.sampled_from(EVENTS).flatmap(torn))
async def test_an_event_of_rdv_insertion_with_anything_in_its_places_has_an_outcome(torn_event: Any):
    body = as_json(torn_event)
    try:
        read_rdv_insertion(body)
    except UnreadableDelivery:
        return  # the door refuses it

    outcome = await apply(body)

    assert isinstance(outcome, OUTCOMES)


@fuzzed
@given(torn_answer=torn(ANSWER))
async def test_an_answer_of_tally_with_anything_in_its_places_has_an_outcome(torn_answer: Any):
    try:
        delivery = read_tally(as_json(torn_answer))
    except UnreadableDelivery:
        return  # the door refuses it

    outcome = await apply_answer(delivery.body, kinds={"mY59xq": SurveyKind.POST_HIRING_JOB_SEEKER}, now=NOW)

    assert isinstance(outcome, OUTCOMES)
