"""What a search at France Travail leaves behind: the identifier, the time of the attempt, the certification."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from models import IdentityCertification, JobSeekerProfile
from models.database import fetch_all, run_in_transaction, write
from models.enums import CertificationAuthority
from services.certification.person import Person

# Waits for whoever is changing the names and then sees the new ones. The profile comes second everywhere (the trigger
# on names takes them in this order too), so two writers never wait for each other.
_LOCK_NAMES = 'SELECT first_name, last_name FROM "user" WHERE id = $1 FOR UPDATE'
_STORE = """
UPDATE job_seeker_profile SET pe_obfuscated_nir = $2, pe_last_certification_attempt_at = $3
WHERE user_id = $1 AND birthdate IS NOT DISTINCT FROM $4 AND nir_fingerprint IS NOT DISTINCT FROM $5
RETURNING id
"""
_SWAP_NAMES = 'UPDATE "user" SET first_name = $2, last_name = $3 WHERE id = $1 RETURNING id'
_CERTIFY = """
INSERT INTO identity_certification AS known (id, jobseeker_profile_id, certifier, certified_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (jobseeker_profile_id, certifier) DO UPDATE SET certified_at = excluded.certified_at
RETURNING known.id
"""


async def keep_certified_identity(
    person: Person, france_travail_id: str, *, at: datetime, with_swapped_names: bool = False
) -> IdentityCertification | None:
    """Store the identifier and the certification that France Travail gave for this identity, in one transaction.

    None, and nothing is stored, when the identity has changed since it was read: the identifier is that of somebody
    else's description. `with_swapped_names` also swaps the two names in the database, under which the person was found.
    """

    async def keep() -> IdentityCertification | None:
        if not await _has_same_names(person):
            return None
        identity = person.identity
        if with_swapped_names:
            # Before the identifier: the change of names clears it.
            await write(_SWAP_NAMES, person.job_seeker_id, identity.last_name, identity.first_name)
        stored = await write(
            _STORE, person.job_seeker_id, france_travail_id, at, identity.birthdate, person.nir_fingerprint
        )
        if not stored:
            raise _IdentityChanged
        return await certify(person.job_seeker_id, CertificationAuthority.FRANCE_TRAVAIL, at=at)

    try:
        return await run_in_transaction(keep)
    except _IdentityChanged:
        return None


async def certify(job_seeker_id: UUID, authority: CertificationAuthority, *, at: datetime) -> IdentityCertification:
    """Note that the authority recognised the person. A second time only moves the date."""
    rows = await write(_CERTIFY, uuid4(), job_seeker_id, authority.value, at)
    return await IdentityCertification.get(id=rows[0]["id"])


async def note_failed_attempt(person: Person, *, at: datetime) -> None:
    """France Travail does not know the person: remember when it was asked, unless the identity has changed since."""
    identity = person.identity

    async def note() -> None:
        if await _has_same_names(person):
            await JobSeekerProfile.filter(
                user_id=person.job_seeker_id, birthdate=identity.birthdate, nir_fingerprint=person.nir_fingerprint
            ).update(pe_last_certification_attempt_at=at)

    await run_in_transaction(note)


class _IdentityChanged(Exception):
    """Rolls back a swap of names whose person has another birthdate or NIR by now. Never leaves this module."""


async def _has_same_names(person: Person) -> bool:
    rows = await fetch_all(_LOCK_NAMES, person.job_seeker_id)
    names = (person.identity.first_name, person.identity.last_name)
    return bool(rows) and (rows[0]["first_name"], rows[0]["last_name"]) == names
