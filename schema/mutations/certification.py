"""Certification of a job seeker's identity."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from models.enums import CertificationAuthority, Partner
from resolvers.context import context_of
from resolvers.entities import JOB_SEEKER
from resolvers.errors import Forbidden
from resolvers.global_ids import decode_as
from resolvers.loaders import rows_by
from resolvers.selection import NOTHING, selection_of
from resolvers.viewer import Permission
from schema.errors import (
    Conflict,
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
from schema.types.people import IdentityCertification, JobSeeker
from services import certification
from services.outcomes import ConflictFound, Invalid
from services.outcomes import NotFound as NothingFound


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
        context = context_of(info.raw)
        if not context.signed_in().has(Permission.CERTIFY_IDENTITY):
            raise Forbidden("this needs the permission CERTIFY_IDENTITY")
        context.forget_rows()
        job_seeker_id = decode_as(input.job_seeker_id, "JobSeeker", argument="jobSeekerId")
        if not await rows_by(context, JOB_SEEKER, NOTHING, "{t}.id = :key", {"key": job_seeker_id}):
            return not_found()
        client = context.resources.france_travail
        if input.authority is not CertificationAuthority.FRANCE_TRAVAIL or client is None:
            return _not_configured(input.authority)
        outcome = await certification.certify_with_france_travail(job_seeker_id, france_travail=client, now=context.now)
        if isinstance(outcome, certification.Certified):
            return await _certified(info, job_seeker_id, outcome)
        return _refused(outcome)


async def _certified(info: Info, job_seeker_id: Any, outcome: certification.Certified) -> CertifyIdentityResult:
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


def _refused(outcome: Any) -> CertifyIdentityResult:
    match outcome:
        case certification.IdentityNotFound(code):
            return IdentityNotFound(
                message="France Travail ne trouve personne avec cette identité.",
                code=ErrorCode.NOT_FOUND,
                partner_code=code,
            )
        case certification.IdentityAmbiguous(code):
            return IdentityAmbiguous(
                message="France Travail trouve plusieurs personnes avec cette identité.",
                code=ErrorCode.AMBIGUOUS,
                partner_code=code,
            )
        case certification.Rejected(code):
            return PartnerRejected(
                message="France Travail a refusé la demande.",
                code=ErrorCode.PARTNER_REJECTED,
                partner=Partner.FRANCE_TRAVAIL,
                partner_code=code,
            )
        case certification.Unavailable(retry_after):
            return PartnerUnavailable(
                message="France Travail ne répond pas pour le moment. Réessayez dans quelques minutes.",
                code=ErrorCode.PARTNER_UNAVAILABLE,
                partner=Partner.FRANCE_TRAVAIL,
                retry_after_seconds=None if retry_after is None else round(retry_after),
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
    partner = (
        Partner(authority.value) if authority is CertificationAuthority.API_PARTICULIER else Partner.FRANCE_TRAVAIL
    )
    return PartnerUnavailable(
        message=f"{authority.label} n'est pas configuré sur ce serveur.",
        code=ErrorCode.NOT_CONFIGURED,
        partner=partner,
        retry_after_seconds=None,
    )
