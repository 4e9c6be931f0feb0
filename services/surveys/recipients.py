"""To whom a survey is mailed: somebody who may see it, at an address that mails can be sent to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from clients.mail import normalise_address
from models import Company, JobApplication, Membership, User
from models.enums import SurveyKind
from services.naming import greeting


@dataclass(frozen=True, slots=True)
class Recipient:
    """`greeting` opens the mail: `Bonjour Madame FICTIVE`."""

    address: str = field(repr=False)
    greeting: str = field(repr=False)


async def recipient_of(kind: SurveyKind, application: JobApplication) -> Recipient | None:
    """Return who is asked about a hiring; None where nobody can be reached. `application` comes with its relations."""
    match kind:
        case SurveyKind.POST_HIRING_JOB_SEEKER:
            return as_recipient(application.job_seeker)
        case SurveyKind.POST_HIRING_EMPLOYER:
            return _mailbox(application.company) or await _member(application)
        case SurveyKind.PRESCRIBER_SATISFACTION:
            return await _sender(application)
        case _:  # pyright: ignore[reportUnnecessaryComparison]
            assert_never(kind)


def as_recipient(person: User) -> Recipient | None:
    """None for a closed account, and for one without a usable address."""
    if not person.is_active or not person.email or normalise_address(person.email) is None:
        return None
    return Recipient(person.email, f"Bonjour {greeting(person)}")


def _mailbox(company: Company) -> Recipient | None:
    """The address that the company gave for itself: members come and go."""
    return Recipient(company.email, "Bonjour") if normalise_address(company.email) is not None else None


async def _member(application: JobApplication) -> Recipient | None:
    """An administrator of the company before the other members, whoever has been there for the longest first."""
    members = (
        await Membership.filter(company_id=application.company_id, ended_at=None)
        .order_by("-is_admin", "created_at", "id")
        .select_related("user")
    )
    return next((found for member in members if (found := as_recipient(member.user)) is not None), None)


async def _sender(application: JobApplication) -> Recipient | None:
    """Who sent the application, while they belong to the organisation that they sent it for: no colleague instead,
    since not every organisation lets its members see what others sent.
    """
    if application.sender is None:
        return None
    belongs = await Membership.filter(
        user_id=application.sender.id,
        prescriber_organization_id=application.sender_prescriber_organization_id,
        ended_at=None,
    ).exists()
    return as_recipient(application.sender) if belongs else None
