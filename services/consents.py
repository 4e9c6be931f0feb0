"""Consents of job seekers: who agreed to which text and when; withdrawn or not, each stays as the proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from models import Consent
from models.database import fetch_all, run_in_transaction, write
from models.enums import ConsentPurpose
from services.outcomes import ConflictFound

ConsentOutcome = Consent | ConflictFound


@dataclass(frozen=True, slots=True)
class ConsentText:
    """What a person agrees to. A change of the words is a new version: the old consents were given to the old words."""

    version: str
    words: str


CONSENT_TEXTS = {
    ConsentPurpose.IDENTITY_CERTIFICATION: ConsentText(
        "2026-01",
        "J'accepte que mon identité (nom de naissance, prénoms, sexe, date et lieu de naissance) soit transmise à API"
        " Particulier pour être certifiée, et que la plateforme en conserve le résultat. Je peux retirer cet accord à"
        " tout moment.",
    )
}

_GIVE = """
INSERT INTO consent (id, job_seeker_id, purpose, text_version, given_at, given_by_id)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (job_seeker_id, purpose) WHERE withdrawn_at IS NULL DO NOTHING
RETURNING id
"""
_WITHDRAW = """
UPDATE consent SET withdrawn_at = greatest($3, given_at), withdrawn_by_id = $4
WHERE job_seeker_id = $1 AND purpose = $2 AND withdrawn_at IS NULL
RETURNING id
"""
_DROP_REQUEST = "UPDATE certification_request SET next_attempt_at = NULL WHERE job_seeker_id = $1 RETURNING id"
# Also takes part in statements of other services: `{person}` is their expression for the job seeker's id.
HAS_CONSENT = (
    "EXISTS (SELECT 1 FROM consent given WHERE given.job_seeker_id = {person}"
    f" AND given.purpose = '{ConsentPurpose.IDENTITY_CERTIFICATION.value}' AND given.withdrawn_at IS NULL)"
)


async def record_consent(
    job_seeker_id: UUID, purpose: ConsentPurpose, *, given_by: UUID | None, now: datetime
) -> ConsentOutcome:
    """Note that the person agreed, today, to the words in force."""
    version = CONSENT_TEXTS[purpose].version
    rows = await write(_GIVE, uuid4(), job_seeker_id, purpose.value, version, now, given_by)
    if not rows:
        return ConflictFound("Ce candidat a déjà donné son consentement.")
    return await Consent.get(id=rows[0]["id"])


async def withdraw_consent(
    job_seeker_id: UUID, purpose: ConsentPurpose, *, withdrawn_by: UUID | None, now: datetime
) -> ConsentOutcome:
    """Note that the person no longer agrees. Nothing more is asked about them; what was certified stays certified."""

    async def withdraw() -> UUID | None:
        rows = await write(_WITHDRAW, job_seeker_id, purpose.value, now, withdrawn_by)
        if rows and purpose is ConsentPurpose.IDENTITY_CERTIFICATION:
            await write(_DROP_REQUEST, job_seeker_id)
        return rows[0]["id"] if rows else None

    withdrawn = await run_in_transaction(withdraw)
    if withdrawn is None:
        return ConflictFound("Ce candidat n'a pas de consentement en cours.")
    return await Consent.get(id=withdrawn)


async def has_consent(job_seeker_id: UUID) -> bool:
    """Whether the person agrees, now, to have their identity certified."""
    rows = await fetch_all(f"SELECT {HAS_CONSENT.format(person='$1::uuid')} AS given", job_seeker_id)
    return rows[0]["given"]
