"""Approvals that France Travail has yet to hear of, and how fast it heard of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from models import Approval, Company, JobApplication, JobSeekerProfile, User
from models.approvals import DURATION_DAYS
from models.database import fetch_all
from models.enums import CompanyKind, JobApplicationState, SenderKind, Title, UserKind
from sandbox.france_travail.identifiers import id_national_of

_BIRTH_YEAR = 1985
_RESULTS = """
SELECT count(*) AS attempts, count(*) FILTER (WHERE outcome = 'notification_success') AS accepted,
    min(finished_at) AS first_at, max(finished_at) AS last_at
FROM notification_attempt WHERE approval_id = ANY ($1::uuid[]) AND finished_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Announced:
    """`per_second`: between the first answer and the last. `attempts`: more than `accepted` where some had to wait."""

    attempts: int
    accepted: int
    per_second: float


async def make_due(number: int, *, first: int) -> Sequence[UUID]:
    """Enter so many approvals that are due, of people whom France Travail knows already: one call announces one.

    `first`: the number of the first; no two calls may overlap. Raises tortoise's errors if they do.
    """
    company, _ = await Company.get_or_create(
        number=1,
        defaults={"siret": "90210001500015", "kind": CompanyKind.ACI, "name": "Atelier Inventé", "department": "57"},
    )
    numbers = range(first, first + number)
    people = [
        User(kind=UserKind.JOB_SEEKER, title=Title.MME, first_name="Zélie", last_name=f"Inventée-{place}")
        for place in numbers
    ]
    await User.bulk_create(people)
    await JobSeekerProfile.bulk_create(_profile(person, place) for person, place in zip(people, numbers, strict=True))
    approvals = [_approval(person, place, company) for person, place in zip(people, numbers, strict=True)]
    await Approval.bulk_create(approvals)
    await JobApplication.bulk_create(_application(approval, company) for approval in approvals)
    return [approval.id for approval in approvals]


async def announced(approval_ids: Sequence[UUID]) -> Announced:
    row = (await fetch_all(_RESULTS, approval_ids))[0]
    if row["accepted"] < 2:
        return Announced(row["attempts"], row["accepted"], 0.0)
    seconds = (row["last_at"] - row["first_at"]).total_seconds()
    return Announced(row["attempts"], row["accepted"], (row["accepted"] - 1) / seconds)


def _profile(person: User, place: int) -> JobSeekerProfile:
    first_13 = f"2{_BIRTH_YEAR % 100:02d}0657{place // 1000:03d}{place % 1000:03d}"
    profile = JobSeekerProfile(
        id=person.id,
        user_id=person.id,
        birthdate=date(_BIRTH_YEAR, 6, 1),
        birth_country="99100",
        birth_place="57463",
        pe_obfuscated_nir=id_national_of(first_13),
        # Nobody is a case for the hourly certification.
        pe_last_certification_attempt_at=datetime.now(UTC),
    )
    profile.set_nir(f"{first_13}{97 - int(first_13) % 97:02d}")
    return profile


def _approval(person: User, place: int, company: Company) -> Approval:
    start_at = datetime.now(UTC).date() - timedelta(days=30)
    return Approval(
        number=f"99998{place:07d}",
        start_at=start_at,
        end_at=start_at + timedelta(days=DURATION_DAYS - 1),
        job_seeker_id=person.id,
        origin_company_id=company.id,
        origin_siae_siret=company.siret,
        origin_siae_kind=company.kind.value,
        origin_sender_kind=SenderKind.EMPLOYER.value,
    )


def _application(approval: Approval, company: Company) -> JobApplication:
    return JobApplication(
        state=JobApplicationState.ACCEPTED,
        sender_kind=SenderKind.JOB_SEEKER,
        sender_id=approval.job_seeker_id,
        job_seeker_id=approval.job_seeker_id,
        company_id=company.id,
        approval_id=approval.id,
        created_at=datetime.now(UTC) - timedelta(days=31),
    )
