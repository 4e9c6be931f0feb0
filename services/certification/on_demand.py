"""Certify one job seeker now, because somebody asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from clients.errors import PartnerRejected, PartnerUnavailable
from clients.france_travail import FranceTravailClient, FranceTravailRejected, SearchOutcome
from models import IdentityCertification
from models.enums import Partner
from services.certification.person import Identity, Person, read_person
from services.certification.records import keep_certified_identity, note_failed_attempt
from services.outcomes import ConflictFound, FieldProblem, Invalid, NotFound
from services.pauses import is_on_hold

# Somebody waits in front of a screen; the hourly run has all the patience that this partner needs.
DEADLINE = timedelta(seconds=8)
_INPUT_FIELD = ("jobSeekerId",)
_REFUSED_FIELDS = {
    "R010": "le numéro de sécurité sociale",
    "R011": "le numéro de sécurité sociale",
    "R020": "le nom de naissance",
    "R021": "le nom de naissance",
    "R030": "le prénom",
    "R031": "le prénom",
    "R040": "la date de naissance",
    "R041": "la date de naissance",
    "R042": "la date de naissance",
}


@dataclass(frozen=True, slots=True)
class Certified:
    """France Travail recognised the person; its identifier is stored."""

    certification: IdentityCertification


@dataclass(frozen=True, slots=True)
class IdentityNotFound:
    """Nobody at France Travail matches. `code` is its own."""

    code: str | None


@dataclass(frozen=True, slots=True)
class IdentityAmbiguous:
    """Several people match. `code` is France Travail's own."""

    code: str | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """France Travail answered with a refusal that says nothing about the person. `code` is its own."""

    code: str | None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No usable answer; the same request may work later. `retry_after` in seconds, if France Travail said so."""

    retry_after: float | None


CertificationOutcome = (
    Certified | IdentityNotFound | IdentityAmbiguous | Invalid | Rejected | Unavailable | ConflictFound | NotFound
)


async def certify_with_france_travail(
    job_seeker_id: UUID, *, france_travail: FranceTravailClient, now: datetime, deadline: timedelta = DEADLINE
) -> CertificationOutcome:
    """Ask France Travail whether it knows the person, and keep what it says.

    A definite no is remembered as an attempt, as the hourly run does; an unavailable partner leaves no trace. The
    problems of Invalid all lead to `jobSeekerId`, the one field of the input that stands for the person.
    """
    person = await read_person(job_seeker_id)
    if person is None:
        return NotFound()
    if problems := _missing(person.identity):
        return Invalid(problems)
    if await is_on_hold(Partner.FRANCE_TRAVAIL):
        return Unavailable(retry_after=None)
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            france_travail_id = await france_travail.search_identity(person.identity.query())
    except TimeoutError:
        return Unavailable(retry_after=None)
    except PartnerUnavailable as error:
        return Unavailable(error.retry_after)
    except PartnerRejected as error:
        await note_failed_attempt(person, at=now)
        return _refusal(error)
    return await _certified(person, france_travail_id, now)


async def _certified(person: Person, france_travail_id: str, now: datetime) -> CertificationOutcome:
    certification = await keep_certified_identity(person, france_travail_id, at=now)
    if certification is None:
        return ConflictFound("L'identité a été modifiée pendant sa certification : relancez la certification.")
    return Certified(certification)


def _missing(identity: Identity) -> tuple[FieldProblem, ...]:
    required = {
        "Le numéro de sécurité sociale": identity.nir,
        "Le nom de naissance": identity.last_name.strip(),
        "Le prénom": identity.first_name.strip(),
        "La date de naissance": identity.birthdate,
    }
    return tuple(
        FieldProblem(_INPUT_FIELD, f"{name} du candidat est à renseigner avant la certification.")
        for name, value in required.items()
        if not value
    )


def _refusal(error: PartnerRejected) -> CertificationOutcome:
    outcome = error.outcome if isinstance(error, FranceTravailRejected) else None
    match outcome:
        case SearchOutcome.NOT_FOUND:
            return IdentityNotFound(error.code)
        case SearchOutcome.AMBIGUOUS:
            return IdentityAmbiguous(error.code)
        case SearchOutcome.INVALID_REQUEST if error.code in _REFUSED_FIELDS:
            message = f"France Travail refuse {_REFUSED_FIELDS[error.code]} du candidat : vérifiez cette donnée."
            return Invalid((FieldProblem(_INPUT_FIELD, message),))
        case SearchOutcome.INVALID_REQUEST | SearchOutcome.UNKNOWN | SearchOutcome.FOUND | None:
            return Rejected(error.code)
        case _:
            assert_never(outcome)
