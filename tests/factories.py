"""Rows for tests. Each maker takes only what its test is about and invents the rest, differently each time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from models import (
    Appointment,
    Approval,
    Company,
    IdentityCertification,
    Institution,
    JobApplication,
    JobSeekerProfile,
    Membership,
    Participation,
    PartnerClient,
    PrescriberOrganization,
    User,
)
from models.approvals import DURATION_DAYS
from models.enums import (
    CertificationAuthority,
    CompanyKind,
    InstitutionKind,
    JobApplicationState,
    PrescriberKind,
    SenderKind,
    Title,
    UserKind,
)

NOW = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)
TODAY = date(2026, 2, 18)
_numbers = count(1)


def luhn_key(digits: str) -> str:
    """Return the digit that makes `digits` + it valid for SIREN and SIRET."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def make_siret(number: int | None = None) -> str:
    siren = f"{90_000_000 + (number or next(_numbers)):08d}"
    siren += luhn_key(siren)
    nic = f"{siren}0001"
    return nic + luhn_key(nic)


def make_nir(title: Title, birthdate: date, number: int | None = None) -> str:
    serial = number or next(_numbers)
    first13 = (
        f"{1 if title is Title.M else 2}{birthdate.year % 100:02d}{birthdate.month:02d}"
        f"75{serial // 1000 % 1000:03d}{serial % 1000:03d}"
    )
    return f"{first13}{97 - int(first13) % 97:02d}"


async def make_user(kind: UserKind = UserKind.EMPLOYER, **values: Any) -> User:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "subject": f"subject-{number}",
        "title": Title.MME,
        "first_name": "Maëlle",
        "last_name": f"Inventée-{number}",
        "email": f"personne{number}@exemple.test",
        "phone": "0600000000",
    }
    return await User.create(kind=kind, **(defaults | values))


async def make_job_seeker(*, profile: dict[str, Any] | None = None, **values: Any) -> User:
    """A job seeker with a complete identity; `profile` overrides what the profile holds (`nir` included)."""
    user = await make_user(UserKind.JOB_SEEKER, **values)
    birthdate = date(1993, 4, 12)
    details: dict[str, Any] = {"birthdate": birthdate, "birth_country": "99100", "birth_place": "69123"}
    details |= profile or {}
    nir = details.pop("nir", make_nir(user.title or Title.MME, birthdate))
    row = JobSeekerProfile(id=user.id, user_id=user.id, **details)
    row.set_nir(nir)
    await row.save(force_create=True)
    return user


async def make_company(**values: Any) -> Company:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "number": number,
        "siret": make_siret(),
        "kind": CompanyKind.ACI,
        "name": f"Atelier Imaginaire {number}",
        "department": "57",
    }
    return await Company.create(**(defaults | values))


async def make_prescriber_organization(**values: Any) -> PrescriberOrganization:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "number": number,
        "kind": PrescriberKind.CCAS,
        "name": f"CCAS Fictif {number}",
        "is_authorized": True,
        "department": "57",
    }
    return await PrescriberOrganization.create(**(defaults | values))


async def make_institution(**values: Any) -> Institution:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "number": number,
        "kind": InstitutionKind.DDETS_IAE,
        "name": f"DDETS Fictive {number}",
        "department": "57",
    }
    return await Institution.create(**(defaults | values))


async def make_membership(
    user: User, organization: Company | PrescriberOrganization | Institution, **values: Any
) -> Membership:
    key = {Company: "company", PrescriberOrganization: "prescriber_organization", Institution: "institution"}
    return await Membership.create(user=user, **{key[type(organization)]: organization}, **values)


async def make_employer(company: Company, **values: Any) -> User:
    user = await make_user(UserKind.EMPLOYER, **values)
    await make_membership(user, company)
    return user


async def make_prescriber(organization: PrescriberOrganization, **values: Any) -> User:
    user = await make_user(UserKind.PRESCRIBER, **values)
    await make_membership(user, organization)
    return user


async def make_labor_inspector(institution: Institution, **values: Any) -> User:
    user = await make_user(UserKind.LABOR_INSPECTOR, **values)
    await make_membership(user, institution)
    return user


async def make_partner_client(
    *companies: Company, scopes: tuple[str, ...] = ("appointments:read", "participations:read")
) -> PartnerClient:
    client = await PartnerClient.create(subject=f"partner-{uuid4()}", name="Partenaire fictif", scopes=list(scopes))
    await client.companies.add(*companies)
    return client


async def make_job_application(
    job_seeker: User | None = None, company: Company | None = None, **values: Any
) -> JobApplication:
    job_seeker = job_seeker or await make_job_seeker()
    company = company or await make_company()
    defaults: dict[str, Any] = {
        "state": JobApplicationState.NEW,
        "sender_kind": SenderKind.JOB_SEEKER,
        "sender": job_seeker,
        "created_at": NOW - timedelta(days=10, seconds=next(_numbers)),
    }
    return await JobApplication.create(job_seeker=job_seeker, company=company, **(defaults | values))


async def make_approval(
    job_seeker: User | None = None, company: Company | None = None, *, accepted_application: bool = True, **values: Any
) -> Approval:
    """An approval that France Travail may be told of: begun, with an accepted application, a complete person."""
    job_seeker = job_seeker or await make_job_seeker()
    company = company or await make_company()
    start_at: date = values.pop("start_at", TODAY - timedelta(days=30))
    defaults: dict[str, Any] = {
        "number": f"99999{next(_numbers):07d}",
        "start_at": start_at,
        "end_at": start_at + timedelta(days=DURATION_DAYS - 1),
        "origin_company": company,
        "origin_siae_siret": company.siret,
        "origin_siae_kind": company.kind.value,
        "origin_sender_kind": SenderKind.EMPLOYER.value,
    }
    approval = await Approval.create(job_seeker=job_seeker, **(defaults | values))
    if accepted_application:
        await make_job_application(job_seeker, company, state=JobApplicationState.ACCEPTED, approval=approval)
    return approval


async def make_certification(job_seeker: User, certifier: CertificationAuthority) -> IdentityCertification:
    return await IdentityCertification.create(jobseeker_profile_id=job_seeker.id, certifier=certifier, certified_at=NOW)


async def make_appointment(company: Company, **values: Any) -> Appointment:
    defaults: dict[str, Any] = {
        "rdv_insertion_id": next(_numbers),
        "start_at": NOW + timedelta(days=3),
        "duration": timedelta(minutes=30),
        "reason": "Entretien d'embauche",
        "reason_category": "siae_interview",
    }
    return await Appointment.create(company=company, **(defaults | values))


async def make_participation(job_seeker: User, appointment: Appointment, **values: Any) -> Participation:
    defaults: dict[str, Any] = {"updated_at": NOW}
    return await Participation.create(job_seeker=job_seeker, appointment=appointment, **(defaults | values))
