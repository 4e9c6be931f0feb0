"""What the certification tests share: people to certify, and what a certification left of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from models import IdentityCertification, User
from tests.conftest import NOW
from tests.factories import make_job_seeker
from tests.integration.services.notifications import profile_of


async def make_candidate(days_since_attempt: float | None = None, **values: Any) -> User:
    attempt = None if days_since_attempt is None else NOW - timedelta(days=days_since_attempt)
    return await make_job_seeker(profile={"pe_last_certification_attempt_at": attempt}, **values)


async def traces_of(job_seeker: User) -> tuple[str | None, object, int]:
    """The identifier, the time of the last attempt, the number of certifications."""
    profile = await profile_of(job_seeker.id)
    certifications = await IdentityCertification.filter(jobseeker_profile_id=job_seeker.id).count()
    return profile.pe_obfuscated_nir, profile.pe_last_certification_attempt_at, certifications
