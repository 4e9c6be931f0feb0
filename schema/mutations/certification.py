"""Certification of a job seeker's identity."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry

from models.enums import CertificationAuthority, ConsentPurpose, Partner
from resolvers.context import OperationContext, context_of
from resolvers.entities.people import JOB_SEEKER
from resolvers.global_ids import decode_as
from resolvers.loaders import rows_by
from resolvers.selection import selection_of
from resolvers.viewer import Permission
from schema.errors import (
    Conflict,
    ConsentRequired,
    ErrorCode,
    IdentityAmbiguous,
    IdentityNotFound,
    InvalidInput,
    NotFound,
    PartnerRejected,
    PartnerUnavailable,
    not_found,
)
from schema.info import Info
from schema.mutations.outcomes import conflict, invalid_input
from schema.mutations.rights import may, sees_job_seeker
from schema.types.people import IdentityCertification, JobSeeker
from services import certification
from services.outcomes import ConflictFound, Invalid
from services.outcomes import NotFound as NothingFound

_PARTNERS = {
    CertificationAuthority.FRANCE_TRAVAIL: Partner.FRANCE_TRAVAIL,
    CertificationAuthority.API_PARTICULIER: Partner.API_PARTICULIER,
}


@strawberry.input
class CertifyIdentityInput:
    job_seeker_id: strawberry.ID
    authority: CertificationAuthority


@strawberry.type
class IdentityCertified:
    job_seeker: JobSeeker
    certification: IdentityCertification


CertifyIdentityResult = Annotated[
    IdentityCertified
    | IdentityNotFound
    | IdentityAmbiguous
    | ConsentRequired
    | InvalidInput
    | PartnerRejected
    | PartnerUnavailable
    | Conflict
    | NotFound,
    strawberry.union("CertifyIdentityResult"),
]


@strawberry.type
class CertificationMutations:
    @strawberry.mutation(description="Ask an authority whether it knows the person as the platform does.")
    async def certify_identity(self, info: Info, input: CertifyIdentityInput) -> CertifyIdentityResult:
        context = may(info, Permission.CERTIFY_IDENTITY)
        job_seeker_id = decode_as(input.job_seeker_id, "JobSeeker", argument="jobSeekerId")
        if not await sees_job_seeker(context, job_seeker_id):
            return not_found()
        outcome = await _ask(context, job_seeker_id, input.authority)
        if outcome is None:
            return _not_configured(input.authority)
        if isinstance(outcome, certification.Certified):
            return await _certified(info, job_seeker_id, outcome)
        return _refused(outcome, input.authority)


async def _ask(
    context: OperationContext, job_seeker_id: UUID, authority: CertificationAuthority
) -> certification.ParticulierOutcome | None:
    """None: this server has no access to that authority."""
    resources = context.resources
    match authority:
        case CertificationAuthority.FRANCE_TRAVAIL if resources.france_travail is not None:
            return await certification.certify_with_france_travail(
                job_seeker_id, france_travail=resources.france_travail, now=context.now
            )
        case CertificationAuthority.API_PARTICULIER if resources.api_particulier is not None:
            return await certification.certify_with_api_particulier(
                job_seeker_id, api_particulier=resources.api_particulier, requested_by=context.viewer.user_id
            )
        case _:
            return None


async def _certified(info: Info, job_seeker_id: UUID, outcome: certification.Certified) -> CertifyIdentityResult:
    context = context_of(info.raw)
    selection = selection_of(info.raw, "IdentityCertified").below("jobSeeker")
    rows = await rows_by(context, JOB_SEEKER, selection, "{t}.id = :key", {"key": job_seeker_id})
    if not rows:
        return not_found()
    return IdentityCertified(
        job_seeker=rows[0],
        certification=IdentityCertification(
            authority=outcome.certification.certifier, certified_at=outcome.certification.certified_at
        ),
    )


def _refused(outcome: certification.ParticulierOutcome, authority: CertificationAuthority) -> CertifyIdentityResult:
    partner, name = _PARTNERS[authority], authority.label
    match outcome:
        case certification.IdentityNotFound(code):
            return IdentityNotFound(
                message=f"{name} ne trouve personne avec cette identité.",
                code=ErrorCode.NOT_FOUND,
                partner_code=code,
            )
        case certification.IdentityAmbiguous(code):
            return IdentityAmbiguous(
                message=f"{name} trouve plusieurs personnes avec cette identité.",
                code=ErrorCode.AMBIGUOUS,
                partner_code=code,
            )
        case certification.Rejected(code):
            return PartnerRejected(
                message=f"{name} a refusé la demande.",
                code=ErrorCode.PARTNER_REJECTED,
                partner=partner,
                partner_code=code,
            )
        case certification.Unavailable(retry_after):
            return PartnerUnavailable(
                message=f"{name} ne répond pas pour le moment. Réessayez dans quelques minutes.",
                code=ErrorCode.PARTNER_UNAVAILABLE,
                partner=partner,
                retry_after_seconds=None if retry_after is None else round(retry_after),
            )
        case certification.ConsentMissing():
            return ConsentRequired(
                message="Le consentement du candidat est à recueillir avant la certification.",
                code=ErrorCode.CONSENT_REQUIRED,
                purpose=ConsentPurpose.IDENTITY_CERTIFICATION,
            )
        case Invalid():
            return invalid_input(outcome)
        case ConflictFound():
            return conflict(outcome)
        case NothingFound():
            return not_found()
        case _:
            raise TypeError(type(outcome).__name__)


def _not_configured(authority: CertificationAuthority) -> PartnerUnavailable:
    return PartnerUnavailable(
        message=f"{authority.label} n'est pas configuré sur ce serveur.",
        code=ErrorCode.NOT_CONFIGURED,
        partner=_PARTNERS[authority],
        retry_after_seconds=None,
    )
