"""A job seeker's identity as France Travail is asked about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from clients.france_travail import IdentityQuery
from models.database import fetch_all
from models.encryption import key_ring

_READ = """
SELECT account.id, account.first_name, account.last_name, profile.birthdate, profile.nir, profile.nir_fingerprint,
    profile.pe_obfuscated_nir
FROM "user" account LEFT JOIN job_seeker_profile profile ON profile.user_id = account.id
WHERE account.id = $1 AND account.kind = 'job_seeker'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What France Travail finds a person by."""

    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    birthdate: date | None = field(repr=False)
    nir: str | None = field(repr=False)

    @property
    def is_complete(self) -> bool:
        return bool(self.first_name.strip() and self.last_name.strip() and self.birthdate and self.nir)

    @property
    def swapped(self) -> Identity:
        """The same person with the two names in the other order."""
        return Identity(first_name=self.last_name, last_name=self.first_name, birthdate=self.birthdate, nir=self.nir)

    def query(self) -> IdentityQuery:
        return IdentityQuery(
            last_name=self.last_name, first_name=self.first_name, birthdate=self.birthdate, nir=self.nir or ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A job seeker at the moment of reading. What is learnt of them is kept only if they are still the same then."""

    job_seeker_id: UUID
    identity: Identity
    nir_fingerprint: str | None = field(repr=False)
    france_travail_id: str | None = field(repr=False)  # stored as pe_obfuscated_nir


async def read_person(job_seeker_id: UUID) -> Person | None:
    """None: no job seeker has that id. Raises EncryptionError when the NIR cannot be opened."""
    rows = await fetch_all(_READ, job_seeker_id)
    if not rows:
        return None
    row = rows[0]
    return Person(
        job_seeker_id=row["id"],
        identity=Identity(
            first_name=row["first_name"],
            last_name=row["last_name"],
            birthdate=row["birthdate"],
            nir=key_ring().open(row["nir"]) if row["nir"] is not None else None,
        ),
        nir_fingerprint=row["nir_fingerprint"],
        france_travail_id=row["pe_obfuscated_nir"],
    )
