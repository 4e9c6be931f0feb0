"""Consents: given once, withdrawn once, and kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from models import Consent
from models.enums import CertificationAuthority, ConsentPurpose
from services.consents import CONSENT_TEXTS, has_consent, record_consent, withdraw_consent
from services.outcomes import ConflictFound
from tests.conftest import NOW
from tests.factories import make_certification, make_job_seeker, make_user
from tests.integration.services.citizens import certified_at, make_request, request_of

pytestmark = pytest.mark.usefixtures("database")

PURPOSE = ConsentPurpose.IDENTITY_CERTIFICATION
LATER = NOW + timedelta(days=1)


async def test_a_consent_says_who_recorded_it_when_and_for_which_words():
    person, prescriber = await make_job_seeker(), await make_user()

    await record_consent(person.id, PURPOSE, given_by=prescriber.id, now=NOW)

    consent = await Consent.get(job_seeker_id=person.id)
    assert (consent.given_by_id, consent.given_at, consent.withdrawn_at) == (prescriber.id, NOW, None)
    assert consent.text_version == CONSENT_TEXTS[PURPOSE].version
    assert await has_consent(person.id)


async def test_a_consent_that_stands_is_not_given_twice_even_at_once():
    person = await make_job_seeker()

    outcomes = await asyncio.gather(
        *(record_consent(person.id, PURPOSE, given_by=None, now=NOW) for _ in range(5)),
    )

    assert sum(isinstance(outcome, Consent) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ConflictFound) for outcome in outcomes) == 4


async def test_a_withdrawn_consent_stays_as_the_proof_and_may_be_given_anew():
    person = await make_job_seeker()
    await record_consent(person.id, PURPOSE, given_by=person.id, now=NOW)

    withdrawn = await withdraw_consent(person.id, PURPOSE, withdrawn_by=person.id, now=LATER)

    assert isinstance(withdrawn, Consent)
    assert (withdrawn.given_at, withdrawn.withdrawn_at, withdrawn.withdrawn_by_id) == (NOW, LATER, person.id)
    assert not await has_consent(person.id)
    assert isinstance(await record_consent(person.id, PURPOSE, given_by=person.id, now=LATER), Consent)
    assert await Consent.filter(job_seeker_id=person.id).count() == 2


async def test_there_is_nothing_to_withdraw_where_nothing_was_given():
    person, other = await make_job_seeker(), await make_job_seeker()
    await record_consent(other.id, PURPOSE, given_by=None, now=NOW)

    assert isinstance(await withdraw_consent(person.id, PURPOSE, withdrawn_by=None, now=NOW), ConflictFound)

    assert await has_consent(other.id)


async def test_a_withdrawal_drops_what_is_due_and_keeps_what_was_certified():
    person = await make_job_seeker()
    await record_consent(person.id, PURPOSE, given_by=None, now=NOW)
    await make_certification(person, CertificationAuthority.API_PARTICULIER)
    await make_request(person)

    await withdraw_consent(person.id, PURPOSE, withdrawn_by=None, now=LATER)

    assert (await request_of(person)).next_attempt_at is None
    assert await certified_at(person) == NOW
