"""The users that a token is made for, and how the members of any organisation of the cast are found by its SIRET.

Known without reading the cast or a database: `traverse token` answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from demo.cast.identifiers import demo_id, make_siret

COMPANIES = 300
PRESCRIBER_ORGANIZATIONS = 160

_COMPANY_STEM = 90_211_000
_PRESCRIBER_STEM = 90_212_000
_SIREN_STEM_DIGITS = 8

# Their numbers in the cast.
DEMO_COMPANY = 1
AUTHORIZED_ORGANIZATION = 1
OTHER_ORGANIZATION = 2
DEMO_INSTITUTION = 1
DEMO_PARTNER = 1
DEMO_STAFF = 1
DEMO_OBSERVER = 3
DEMO_JOB_SEEKER = 0


class Persona(StrEnum):
    """Who a token may be for."""

    STAFF = "staff"
    OBSERVER = "observer"
    EMPLOYER = "employer"
    PRESCRIBER = "prescriber"
    UNAUTHORIZED_PRESCRIBER = "unauthorized-prescriber"
    JOB_SEEKER = "job-seeker"
    LABOR_INSPECTOR = "labor-inspector"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """`subject` is the `sub` of the identity provider. `organization_id`: on whose behalf; None for nobody's."""

    subject: str
    organization_id: UUID | None


def company_siret(number: int) -> str:
    return make_siret(_COMPANY_STEM + number)


def prescriber_siret(number: int) -> str:
    return make_siret(_PRESCRIBER_STEM + number)


def employer_subject(company: int) -> str:
    """The `sub` of the administrator of a company of the cast."""
    return f"demo-employer-{company:03d}"


def prescriber_subject(organization: int) -> str:
    return f"demo-prescriber-{organization:03d}"


def job_seeker_subject(number: int) -> str:
    return f"demo-job-seeker-{number:04d}"


def labor_inspector_subject(institution: int) -> str:
    return f"demo-labor-inspector-{institution:02d}"


def staff_subject(number: int) -> str:
    return f"demo-staff-{number}"


def partner_subject(number: int) -> str:
    return f"demo-partner-{number}"


def holder_of(persona: Persona) -> TokenHolder:
    """Return the well-known user of a kind."""
    match persona:
        case Persona.EMPLOYER:
            return TokenHolder(employer_subject(DEMO_COMPANY), demo_id("company", DEMO_COMPANY))
        case Persona.PRESCRIBER:
            return _prescriber(AUTHORIZED_ORGANIZATION)
        case Persona.UNAUTHORIZED_PRESCRIBER:
            return _prescriber(OTHER_ORGANIZATION)
        case Persona.LABOR_INSPECTOR:
            subject = labor_inspector_subject(DEMO_INSTITUTION)
            return TokenHolder(subject, demo_id("institution", DEMO_INSTITUTION))
        case Persona.JOB_SEEKER:
            return TokenHolder(job_seeker_subject(DEMO_JOB_SEEKER), None)
        case Persona.STAFF:
            return TokenHolder(staff_subject(DEMO_STAFF), None)
        case Persona.OBSERVER:
            return TokenHolder(staff_subject(DEMO_OBSERVER), None)
        case Persona.PARTNER:
            return TokenHolder(partner_subject(DEMO_PARTNER), None)


def holder_in(persona: Persona, siret: str) -> TokenHolder:
    """Return the administrator of the organisation with that SIRET. Raises ValueError with what to do instead."""
    stem = int(siret[:_SIREN_STEM_DIGITS]) if siret[:_SIREN_STEM_DIGITS].isdecimal() else 0
    if persona is Persona.EMPLOYER:
        number = stem - _COMPANY_STEM
        if 1 <= number <= COMPANIES and siret == company_siret(number):
            return TokenHolder(employer_subject(number), demo_id("company", number))
        raise ValueError(f'SIRET "{siret}": no company of the demo; try {company_siret(2)}')
    if persona in (Persona.PRESCRIBER, Persona.UNAUTHORIZED_PRESCRIBER):
        number = stem - _PRESCRIBER_STEM
        if 1 <= number <= PRESCRIBER_ORGANIZATIONS and siret == prescriber_siret(number):
            return _prescriber(number)
        raise ValueError(f'SIRET "{siret}": no prescriber organisation of the demo; try {prescriber_siret(3)}')
    raise ValueError(f"--org: a {persona} acts for none that has a SIRET; leave it out")


def _prescriber(organization: int) -> TokenHolder:
    return TokenHolder(prescriber_subject(organization), demo_id("prescriber_organization", organization))
