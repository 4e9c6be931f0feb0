"""What the tests of API Particulier share: people who agreed, an API on a faked wire, and what an answer left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from models import CertificationRequest, Consent, IdentityCertification, User
from models.enums import CertificationAuthority, ConsentPurpose
from tests.conftest import NOW
from tests.factories import make_job_seeker
from tests.unit.clients.api_particulier import Api, api_with


async def give_consent(person: User, **values: Any) -> Consent:
    defaults: dict[str, Any] = {
        "purpose": ConsentPurpose.IDENTITY_CERTIFICATION,
        "text_version": "2026-01",
        "given_at": NOW - timedelta(days=3),
    }
    return await Consent.create(job_seeker=person, **(defaults | values))


async def make_citizen(**values: Any) -> User:
    """A job seeker with a whole civil status, who agreed to be asked about."""
    person = await make_job_seeker(**values)
    await give_consent(person)
    return person


async def make_request(person: User, **values: Any) -> CertificationRequest:
    """A question that is due since an hour, of a series that began then."""
    before = NOW - timedelta(hours=1)
    defaults: dict[str, Any] = {
        "created_at": before,
        "series_began_at": before,
        "last_attempt_at": before,
        "next_attempt_at": before,
    }
    return await CertificationRequest.create(job_seeker=person, **(defaults | values))


async def request_of(person: User) -> CertificationRequest:
    return await CertificationRequest.get(job_seeker_id=person.id)


async def certified_at(person: User) -> datetime | None:
    """When API Particulier certified them; None when it did not."""
    row = await IdentityCertification.get_or_none(
        jobseeker_profile_id=person.id, certifier=CertificationAuthority.API_PARTICULIER
    )
    return row.certified_at if row else None


@pytest.fixture
async def particulier() -> AsyncIterator[Api]:
    """Knows everybody, all of them beneficiaries, until a test says otherwise."""
    async with api_with() as api:
        yield api
