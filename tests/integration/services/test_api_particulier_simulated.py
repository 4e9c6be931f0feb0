"""The worker's round against the simulated API Particulier: everybody of its cast at once, over its real routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx
import pytest

from clients.api_particulier import ApiParticulierClient, ApiParticulierConfig
from models import CertificationRequest, User
from models.enums import CertificationResult, Title
from sandbox.api_particulier.people import cast
from sandbox.api_particulier.settings import TOKEN, TokenState
from sandbox.app import Sandbox, create_app
from services.certification import ask_due_questions
from tests.conftest import NOW
from tests.integration.services.citizens import certified_at, make_citizen, make_request, request_of
from tests.unit.clients.doubles import RecordingPacer

pytestmark = pytest.mark.usefixtures("database")

RESULT = CertificationResult
CONFIG = ApiParticulierConfig(base_url="http://sandbox/api-particulier", token=TOKEN, recipient="13003013300016")
ANSWERS = {
    (200, None): RESULT.CERTIFIED,
    (404, "10003"): RESULT.IDENTITY_ONLY,
    (404, "23003"): RESULT.IDENTITY_ONLY,
    (404, "35003"): RESULT.IDENTITY_ONLY,
    (404, "37003"): RESULT.IDENTITY_ONLY,
    (422, "00366"): RESULT.IDENTITY_NOT_FOUND,
    (502, "36999"): RESULT.PROVIDER_UNKNOWN,
    (502, "37999"): RESULT.PROVIDER_UNKNOWN,
}
COLLECTION_FAILED = "Collecte"  # a 404 that only its title tells from the others


@pytest.fixture
def sandbox() -> Sandbox:
    return create_app()


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[ApiParticulierClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://sandbox") as http:
        yield ApiParticulierClient(CONFIG, http, RecordingPacer())


async def arrive(person: dict[str, Any]) -> User:
    citizen = await make_citizen(
        first_name=person["first_name"],
        last_name=person["last_name"],
        title=Title(person["title"]),
        profile={
            "nir": person["nir"],
            "birthdate": date.fromisoformat(person["birthdate"]),
            "birth_country": person["birth_country"],
            "birth_place": person["birth_place"] or None,
        },
    )
    await make_request(citizen)
    return citizen


async def test_everybody_of_the_cast_comes_to_what_is_told_of_them(client: ApiParticulierClient):
    people = {person["last_name"]: person for person in cast()}
    citizens = {name: await arrive(person) for name, person in people.items()}

    summary = await ask_due_questions(api_particulier=client, clock=lambda: NOW)

    assert summary.asked == len(citizens)
    for name, citizen in citizens.items():
        story, request = people[name]["api_particulier"], await request_of(citizen)
        expected = ANSWERS.get((story["status"], story["code"]), RESULT.RETRYABLE)
        expected = RESULT.RETRYABLE if name == COLLECTION_FAILED else expected
        assert (name, request.outcome) == (name, expected)
        is_certified = expected in {RESULT.CERTIFIED, RESULT.IDENTITY_ONLY}
        assert (name, await certified_at(citizen)) == (name, NOW if is_certified else None)
        assert (name, request.next_attempt_at is not None) == (name, expected is RESULT.RETRYABLE)
        if expected is RESULT.CERTIFIED:
            assert (name, request.is_beneficiary) == (name, "rsa" in story["benefits"])
            assert request.partner_request_id


@pytest.mark.parametrize("state", [TokenState.EXPIRED, TokenState.BLACKLISTED, TokenState.WITHOUT_RIGHT])
async def test_a_refused_token_is_tried_once_whoever_waits(
    client: ApiParticulierClient, sandbox: Sandbox, state: TokenState
):
    for person in cast()[:5]:
        await arrive(person)
    sandbox.partners["api-particulier"].change_settings({"token_state": state})

    summaries = [await ask_due_questions(api_particulier=client, clock=lambda: NOW) for _ in range(3)]

    assert all(summary.is_paused for summary in summaries)
    assert len(sandbox.calls.listing(partner="api-particulier")) == 1
    assert await CertificationRequest.filter(next_attempt_at__isnull=False).count() == 5
