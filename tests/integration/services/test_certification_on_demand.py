"""Certifying one job seeker at France Travail because somebody asked."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from clients.france_travail import FranceTravailClient
from models import JobSeekerProfile, User
from models.enums import CertificationAuthority, UserKind
from services.certification import (
    Certified,
    IdentityAmbiguous,
    IdentityNotFound,
    Rejected,
    Unavailable,
    certify_with_france_travail,
)
from services.outcomes import ConflictFound, Invalid, NotFound
from tests.conftest import NOW
from tests.factories import make_job_seeker, make_user
from tests.integration.services.people import make_candidate, traces_of
from tests.unit.clients.france_travail import FakeFranceTravail

pytestmark = pytest.mark.usefixtures("database", "api")

FOUND_ID = "invented-identifier"
SOMEBODY = httpx.Response(200, json={"codeSortie": "S001", "idNationalDE": FOUND_ID})


async def certify(person: User, france_travail: FranceTravailClient, **values: Any) -> object:
    return await certify_with_france_travail(person.id, france_travail=france_travail, now=NOW, **values)


async def test_on_demand_a_found_person_is_certified(france_travail: FranceTravailClient):
    person = await make_candidate()

    outcome = await certify(person, france_travail)

    assert isinstance(outcome, Certified)
    assert outcome.certification.certifier is CertificationAuthority.FRANCE_TRAVAIL
    assert await traces_of(person) == (FOUND_ID, NOW, 1)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("S000", IdentityNotFound("S000")),
        ("PE004", IdentityNotFound("PE004")),
        ("S002", IdentityAmbiguous("S002")),
        ("PE008", IdentityAmbiguous("PE008")),
        ("Z999", Rejected("Z999")),
        ("R099", Rejected("R099")),
    ],
)
async def test_on_demand_a_refusal_says_which_and_is_remembered_as_an_attempt(
    france_travail: FranceTravailClient, api: FakeFranceTravail, code: str, expected: object
):
    person = await make_candidate()
    api.search.respond(200, json={"codeSortie": code, "idNationalDE": ""})

    outcome = await certify(person, france_travail)

    assert outcome == expected
    assert api.search.call_count == 1
    assert await traces_of(person) == (None, NOW, 0)


async def test_on_demand_a_refused_field_is_named_in_french(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    person = await make_candidate()
    api.search.respond(200, json={"codeSortie": "R041", "idNationalDE": ""})

    outcome = await certify(person, france_travail)

    assert isinstance(outcome, Invalid)
    (problem,) = outcome.problems
    assert problem.path == ("jobSeekerId",)
    assert "la date de naissance" in problem.message


async def test_on_demand_missing_data_is_named_without_a_call(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    person = await make_job_seeker(last_name=" ", profile={"nir": None})

    outcome = await certify(person, france_travail)

    assert isinstance(outcome, Invalid)
    assert [problem.message.split(" du candidat")[0] for problem in outcome.problems] == [
        "Le numéro de sécurité sociale",
        "Le nom de naissance",
    ]
    assert not api.router.calls.called


async def test_on_demand_an_unavailable_partner_leaves_no_trace(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    person = await make_candidate()
    api.search.respond(429, headers={"Retry-After": "12"})

    outcome = await certify(person, france_travail)

    assert outcome == Unavailable(12)
    assert await traces_of(person) == (None, None, 0)


async def test_on_demand_nobody_waits_longer_than_the_deadline(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    person = await make_candidate()

    async def never_answer(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    api.search.mock(side_effect=never_answer)

    outcome = await certify(person, france_travail, deadline=timedelta(milliseconds=200))

    assert outcome == Unavailable(None)


async def test_on_demand_a_changed_identity_is_a_conflict(france_travail: FranceTravailClient, api: FakeFranceTravail):
    person = await make_candidate()

    async def correct(request: httpx.Request) -> httpx.Response:
        await JobSeekerProfile.filter(user_id=person.id).update(birthdate="1990-01-01")
        return SOMEBODY

    api.search.mock(side_effect=correct)

    outcome = await certify(person, france_travail)

    assert isinstance(outcome, ConflictFound)
    assert await traces_of(person) == (None, None, 0)


async def test_on_demand_only_job_seekers_are_certified(france_travail: FranceTravailClient):
    employer = await make_user(UserKind.EMPLOYER)

    assert await certify(employer, france_travail) == NotFound()
    assert await certify_with_france_travail(uuid4(), france_travail=france_travail, now=NOW) == NotFound()
