"""Appointments: invite the person of an application to book one."""

from __future__ import annotations

from typing import Annotated, assert_never

import strawberry

from clients.rdv_insertion import SIAE_INTERVIEW
from models.enums import Partner
from resolvers.context import OperationContext
from resolvers.entities.job_applications import JOB_APPLICATION
from resolvers.global_ids import decode_as
from resolvers.loaders import read_by_key, rows_by
from resolvers.selection import NOTHING
from resolvers.viewer import Permission
from schema.errors import (
    ErrorCode,
    InvalidInput,
    NotConfigured,
    NotFound,
    PartnerRejected,
    PartnerUnavailable,
    TooSoon,
    not_found,
)
from schema.info import Info
from schema.mutations.outcomes import invalid_input
from schema.mutations.rights import may
from schema.types.appointments import InvitationRequest
from services.appointments import attempts, inviting
from services.clock import PARIS
from services.outcomes import Invalid
from services.outcomes import NotFound as NothingFound
from services.plain_text import plain_text

InviteResult = Annotated[
    InvitationRequest | InvalidInput | TooSoon | NotConfigured | PartnerRejected | PartnerUnavailable | NotFound,
    strawberry.union("InviteResult"),
]

_MAY_HAVE_LEFT = (
    "RDV-Insertion n'a pas confirmé l'invitation : elle est peut-être partie. Son envoi est en cours de vérification,"
    " inutile d'inviter cette personne à nouveau pour le moment."
)
_DID_NOT_LEAVE = "RDV-Insertion ne répond pas pour le moment : rien n'a été envoyé. Réessayez dans quelques minutes."
_NO_WORDS = "RDV-Insertion a refusé l'invitation."


@strawberry.type
class InvitationMutations:
    @strawberry.mutation(
        description=(
            "Have RDV-Insertion invite the person of an application to book an appointment with the company."
            " `PartnerRejected.message` holds RDV-Insertion's own words."
        )
    )
    async def invite_to_appointment(
        self, info: Info, job_application_id: strawberry.ID, reason_category: str | None = SIAE_INTERVIEW
    ) -> InviteResult:
        key = decode_as(job_application_id, "JobApplication", argument="jobApplicationId")
        context = may(info, Permission.INVITE_TO_APPOINTMENT)
        if not await rows_by(context, JOB_APPLICATION, NOTHING, "{t}.id = :key", {"key": key}):
            return not_found()
        if context.resources.inviting is None:
            return _not_configured("La prise de rendez-vous n'est pas configurée sur ce serveur.")
        outcome = await context.resources.inviting.invite(
            key,
            reason_category=SIAE_INTERVIEW if reason_category is None else reason_category,
            requested_by=context.viewer.user_id,
            now=context.now,
        )
        if isinstance(outcome, inviting.Invited):
            request = await read_by_key(info.raw, "InvitationRequest", outcome.request_id)
            return request if request is not None else not_found()
        return _refusal(context, outcome)


def _refusal(
    context: OperationContext, outcome: inviting.Uninvited
) -> InvalidInput | TooSoon | NotConfigured | PartnerRejected | PartnerUnavailable | NotFound:
    match outcome:
        case Invalid():
            return invalid_input(outcome)
        case NothingFound():
            return not_found()
        case inviting.NotLinked():
            return _not_configured("Votre structure n'est pas reliée à RDV-Solidarités.")
        case attempts.TooSoon(available_at):
            day = available_at.astimezone(PARIS)
            message = f"Cette personne a déjà été invitée. Nouvelle invitation possible le {day:%d/%m/%Y à %H:%M}."
            return TooSoon(message=message, code=ErrorCode.TOO_SOON, available_at=available_at)
        case attempts.UnderWay(until):
            message = "Une invitation de cette personne est en cours d'envoi."
            return TooSoon(message=message, code=ErrorCode.TOO_SOON, available_at=until)
        case attempts.StillUnknown(until):
            return _unavailable(_MAY_HAVE_LEFT, (until - context.now).total_seconds())
        case inviting.Refused(code, texts):
            return PartnerRejected(
                message=_words_of(texts),
                code=ErrorCode.PARTNER_REJECTED,
                partner=Partner.RDV_INSERTION,
                partner_code=code,
            )
        case inviting.Unreachable(retry_after=retry_after, may_have_left=may_have_left):
            return _unavailable(_MAY_HAVE_LEFT if may_have_left else _DID_NOT_LEAVE, retry_after)
        case _:
            assert_never(outcome)


def _words_of(texts: tuple[str, ...]) -> str:
    """Their words, as text: what somebody wrote in HTML there must not be HTML on an employer's screen."""
    words = [text for text in map(plain_text, texts) if text]
    return f"RDV-Insertion a refusé l'invitation : {' ; '.join(words)}" if words else _NO_WORDS


def _not_configured(message: str) -> NotConfigured:
    return NotConfigured(message=message, code=ErrorCode.NOT_CONFIGURED)


def _unavailable(message: str, retry_after: float | None) -> PartnerUnavailable:
    return PartnerUnavailable(
        message=message,
        code=ErrorCode.PARTNER_UNAVAILABLE,
        partner=Partner.RDV_INSERTION,
        retry_after_seconds=None if retry_after is None else round(retry_after),
    )
