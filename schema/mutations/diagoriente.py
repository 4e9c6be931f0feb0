"""Diagoriente: invite whoever sent an application without a résumé."""

from __future__ import annotations

from typing import Annotated

import strawberry

from models.enums import DiagorienteStatus
from resolvers.context import OperationContext, context_of
from resolvers.entities.job_applications import JOB_APPLICATION
from resolvers.errors import Forbidden
from resolvers.global_ids import decode_as
from resolvers.loaders import rows_by
from resolvers.selection import NOTHING
from resolvers.senders import sender_sees_job_seeker
from resolvers.viewer import Scope
from schema.errors import Conflict, ErrorCode, InvalidInput, NotFound, not_found
from schema.info import Info
from schema.mutations.outcomes import conflict, invalid_input
from schema.types.job_applications import DiagorienteInvitation
from services import diagoriente
from services.outcomes import ConflictFound, Invalid
from services.outcomes import NotFound as NothingFound

DiagorienteResult = Annotated[
    DiagorienteInvitation | Conflict | InvalidInput | NotFound, strawberry.union("DiagorienteResult")
]

SEND_MAIL = "send_mail"


@strawberry.type
class DiagorienteMutations:
    @strawberry.mutation(
        description="Invite, once, whoever sent an application without a résumé to make one with Diagoriente."
    )
    async def send_diagoriente_invitation(self, info: Info, job_application_id: strawberry.ID) -> DiagorienteResult:
        key = decode_as(job_application_id, "JobApplication", argument="jobApplicationId")
        context = _for_employers(info)
        if not await rows_by(context, JOB_APPLICATION, NOTHING, "{t}.id = :key", {"key": key}):
            return not_found()
        links = context.resources.diagoriente
        if links is None:
            return Conflict(
                message="L'envoi d'e-mails n'est pas configuré sur ce serveur.", code=ErrorCode.NOT_CONFIGURED
            )
        outcome = await diagoriente.invite(
            key,
            links=links,
            sender_sees_job_seeker=await sender_sees_job_seeker(context, key),
            now=context.now,
        )
        return await _answer(context, outcome)


def _for_employers(info: Info) -> OperationContext:
    """Return the context of an operation that is about to write. Raises Unauthenticated, Forbidden."""
    context = context_of(info.raw)
    if context.signed_in().scope is not Scope.EMPLOYER:
        raise Forbidden("this is for employers, about the applications that their company received")
    context.forget_rows()
    return context


async def _answer(context: OperationContext, outcome: diagoriente.DiagorienteOutcome) -> DiagorienteResult:
    match outcome:
        case Invalid():
            return invalid_input(outcome)
        case ConflictFound():
            return conflict(outcome)
        case NothingFound():
            return not_found()
        case diagoriente.Invited():
            await context.resources.ring(SEND_MAIL, outcome.mail_id)
            return DiagorienteInvitation(
                status=DiagorienteStatus.SENT,
                recipient=outcome.recipient,
                sent_at=outcome.sent_at,
                opened_at=None,
            )
