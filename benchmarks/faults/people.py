"""Who is there when faults happen: invented employers, people with appointments, people with approvals to announce."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from benchmarks.processes import TOKEN_KEY, WEBHOOK_SECRET
from benchmarks.story import Cast, Story, invite_cast, write_story
from models import Approval, Company, JobApplication, JobSeekerProfile, Membership, User
from models.approvals import DURATION_DAYS
from models.enums import CompanyKind, JobApplicationState, SenderKind, Title, UserKind
from sandbox.france_travail.identifiers import id_national_of
from services.tokens import issue_development_token

QUERY = "{ jobApplications(first: 10) { edges { node { id state jobSeeker { firstName lastName } } } } }"
_EMPLOYER = "employer-of-the-faults"
_BIRTHDATE = date(1993, 4, 12)
# What nobody may find in a log: surnames of the people here, their addresses.
SECRETS = ("Inventée-", "Imaginaire-", "exemple.test")


@dataclass(frozen=True, slots=True)
class Bookings:
    """An employer who reads, and the story of its appointments."""

    token: str
    story: Story


async def people_of_appointments(*, events: int) -> Bookings:
    """Companies, people whom they invited, and an employer of the first with ten applications to read."""
    cast: Cast = await invite_cast(4)
    company = await Company.get(id=next(iter(cast.companies.values())))
    for place, person in enumerate((await User.filter(kind=UserKind.JOB_SEEKER).order_by("subject"))[:10]):
        await JobApplication.create(
            job_seeker=person,
            company=company,
            sender=person,
            sender_kind=SenderKind.JOB_SEEKER,
            state=JobApplicationState.NEW,
            created_at=datetime.now(UTC) - timedelta(days=place),
        )
    return Bookings(await token_of_employer(company), write_story(cast, events=events, secret=WEBHOOK_SECRET))


async def token_of_employer(
    company: Company, *, subject: str = _EMPLOYER, email: str | None = None, issued_at: datetime | None = None
) -> str:
    """Of somebody who is a member of that company alone; they and their membership are made when they are not there."""
    user = await User.filter(subject=subject).first()
    if user is None:
        user = await User.create(
            kind=UserKind.EMPLOYER, subject=subject, first_name="Zoé", last_name="Imaginaire-0", email=email
        )
        await Membership.create(user=user, company=company)
    return issue_development_token(
        subject=subject,
        organization_id=company.id,
        issuer="traverse-development",
        audience="traverse",
        key=TOKEN_KEY,
        lifetime=timedelta(hours=1),
        now=issued_at or datetime.now(UTC),
    )


async def due_approval(place: int) -> Approval:
    """An approval that France Travail has not heard of, of somebody whom it knows. `place` tells them apart."""
    company, _ = await Company.get_or_create(
        number=9_000,
        defaults={"siret": "90220000090000", "kind": CompanyKind.ACI, "name": "Atelier Inventé", "department": "57"},
    )
    begun = datetime.now(UTC).date() - timedelta(days=30)
    person = await User.create(
        kind=UserKind.JOB_SEEKER,
        title=Title.MME,
        first_name="Zélie",
        last_name=f"Imaginaire-{place}",
        email=f"imaginaire{place}@exemple.test",
        subject=f"approval-{place}",
    )
    first13 = f"2930475{place // 1000:03d}{place % 1000:03d}"
    profile = JobSeekerProfile(
        id=person.id,
        user_id=person.id,
        birthdate=_BIRTHDATE,
        birth_country="99100",
        birth_place="69123",
        pe_obfuscated_nir=id_national_of(first13),
        # Nobody is a case for the hourly certifications.
        pe_last_certification_attempt_at=datetime.now(UTC),
    )
    profile.set_nir(f"{first13}{97 - int(first13) % 97:02d}")
    await profile.save(force_create=True)
    approval = await Approval.create(
        job_seeker=person,
        number=f"99999{place:07d}",
        start_at=begun,
        end_at=begun + timedelta(days=DURATION_DAYS - 1),
        origin_company=company,
        origin_siae_siret=company.siret,
        origin_siae_kind=company.kind.value,
        origin_sender_kind=SenderKind.EMPLOYER.value,
    )
    await JobApplication.create(
        job_seeker=person,
        company=company,
        sender=person,
        sender_kind=SenderKind.JOB_SEEKER,
        state=JobApplicationState.ACCEPTED,
        approval=approval,
        created_at=datetime.now(UTC) - timedelta(days=40),
    )
    return approval
