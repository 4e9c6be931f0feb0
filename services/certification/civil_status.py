"""A job seeker's civil status as API Particulier is asked about it, and whether it may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from clients.api_particulier import CivilStatus
from models.database import fetch_all
from models.encryption import key_ring
from models.enums import Title
from models.identifiers import nir_contradictions
from services.consents import HAS_CONSENT
from services.outcomes import FieldProblem

_READ = f"""
SELECT account.id, account.first_name, account.last_name, account.title, profile.birthdate, profile.birth_country,
    profile.birth_place, profile.nir, {HAS_CONSENT.format(person="account.id")} AS has_consent
FROM "user" account LEFT JOIN job_seeker_profile profile ON profile.user_id = account.id
WHERE account.id = $1 AND account.kind = 'job_seeker'
"""
# Two writers lock the account first, the profile second, as everybody who changes an identity.
_LOCK = (
    'SELECT id FROM "user" WHERE id = $1 FOR UPDATE',
    "SELECT id FROM job_seeker_profile WHERE user_id = $1 FOR UPDATE",
)
_INPUT_FIELD = ("jobSeekerId",)
_NAMES = {
    "last_name": "Le nom de naissance",
    "first_name": "Le prénom",
    "title": "La civilité",
    "birthdate": "La date de naissance",
    "birth_country": "Le pays de naissance",
    "birth_place": "Le lieu de naissance",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    """A job seeker at the moment of reading. An answer about them is kept only if they are still the same then."""

    job_seeker_id: UUID
    civil_status: CivilStatus
    has_consent: bool
    nir: str | None = field(repr=False)

    @property
    def problems(self) -> tuple[FieldProblem, ...]:
        """Why nobody can be asked about them yet, in French; none when somebody can.

        The NIR is no part of the question; but certifying an identity locks it, so it must not contradict the rest.
        """
        missing = self.civil_status.missing_fields
        problems = [
            f"{name} du candidat est à renseigner avant la certification."
            for field_name, name in _NAMES.items()
            if field_name in missing
        ]
        if self.nir is not None:
            title = Title(self.civil_status.title) if self.civil_status.title else None
            problems += nir_contradictions(self.nir, title=title, birthdate=self.civil_status.birthdate)
        return tuple(FieldProblem(_INPUT_FIELD, problem) for problem in problems)


async def read_citizen(job_seeker_id: UUID) -> Citizen | None:
    """None: no job seeker has that id. Raises EncryptionError when the NIR cannot be opened."""
    rows = await fetch_all(_READ, job_seeker_id)
    if not rows:
        return None
    row = rows[0]
    return Citizen(
        job_seeker_id=row["id"],
        civil_status=CivilStatus(
            last_name=row["last_name"],
            first_name=row["first_name"],
            title=row["title"] or "",
            birthdate=row["birthdate"],
            birth_country=row["birth_country"] or "",
            birth_place=row["birth_place"] or "",
        ),
        has_consent=row["has_consent"],
        nir=key_ring().open(row["nir"]) if row["nir"] is not None else None,
    )


async def is_unchanged(citizen: Citizen) -> bool:
    """Whether the person is still who was read, and still agrees. In a transaction: holds both rows until its end."""
    for lock in _LOCK:
        await fetch_all(lock, citizen.job_seeker_id)
    return await read_citizen(citizen.job_seeker_id) == citizen
