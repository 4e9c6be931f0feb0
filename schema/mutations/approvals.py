"""Approvals: create, move, cancel, announce again."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import strawberry

from models import Approval as ApprovalRow
from resolvers.context import OperationContext, context_of
from resolvers.entities.approvals import APPROVAL
from resolvers.entities.job_applications import JOB_APPLICATION
from resolvers.errors import Forbidden
from resolvers.global_ids import decode_as
from resolvers.loaders import read_by_key, rows_by
from resolvers.selection import NOTHING
from resolvers.viewer import Permission
from schema.errors import Conflict, InvalidInput, NotFound, not_found
from schema.info import Info
from schema.mutations.outcomes import conflict, invalid_input
from schema.types.approvals import Approval
from services import approvals
from services.outcomes import ConflictFound, Invalid
from services.outcomes import NotFound as NothingFound

ApprovalResult = Annotated[Approval | InvalidInput | Conflict | NotFound, strawberry.union("ApprovalResult")]

NOTIFY_APPROVAL = "notify_approval"


@strawberry.input
class CreateApprovalInput:
    job_application_id: strawberry.ID
    start_at: date
    end_at: date | None = strawberry.field(
        default=None, description="last day of validity, included; two years when not given"
    )


@strawberry.input
class UpdateApprovalDatesInput:
    id: strawberry.ID
    start_at: date | None = None
    end_at: date | None = None


def _may(info: Info, permission: Permission) -> OperationContext:
    context = context_of(info.raw)
    if not context.signed_in().has(permission):
        raise Forbidden(f"this needs the permission {permission.value}")
    context.forget_rows()
    return context


@strawberry.type
class ApprovalMutations:
    @strawberry.mutation(description="Give the PASS IAE of an accepted job application.")
    async def create_approval(self, info: Info, input: CreateApprovalInput) -> ApprovalResult:
        context = _may(info, Permission.MANAGE_APPROVALS)
        application_id = decode_as(input.job_application_id, "JobApplication", argument="jobApplicationId")
        if not await _sees(context, "JobApplication", application_id):
            return not_found()
        outcome = await approvals.create_approval(
            application_id, start_at=input.start_at, end_at=input.end_at, now=context.now
        )
        return await _answer(info, outcome)

    @strawberry.mutation(description="Move a PASS IAE; France Travail is told again.")
    async def update_approval_dates(self, info: Info, input: UpdateApprovalDatesInput) -> ApprovalResult:
        context = _may(info, Permission.MANAGE_APPROVALS)
        approval_id = decode_as(input.id, "Approval")
        if not await _manages(context, approval_id):
            return not_found()
        outcome = await approvals.update_approval_dates(approval_id, start_at=input.start_at, end_at=input.end_at)
        return await _answer(info, outcome)

    @strawberry.mutation(description="Cancel a PASS IAE: it stays readable as CANCELLED, and France Travail is told.")
    async def cancel_approval(self, info: Info, id: strawberry.ID) -> ApprovalResult:
        context = _may(info, Permission.MANAGE_APPROVALS)
        approval_id = decode_as(id, "Approval")
        if not await _manages(context, approval_id):
            return not_found()
        outcome = await approvals.cancel_approval(approval_id, cancelled_by=context.viewer.user_id, now=context.now)
        return await _answer(info, outcome)

    @strawberry.mutation(description="Announce a PASS IAE, or its cancellation, to France Travail again.")
    async def retry_approval_notification(self, info: Info, id: strawberry.ID) -> ApprovalResult:
        context = _may(info, Permission.OPERATE)
        approval_id = decode_as(id, "Approval")
        if not await _sees(context, "Approval", approval_id):
            return not_found()
        return await _answer(info, await approvals.retry_notification(approval_id))


async def _sees(context: OperationContext, type_name: str, key: UUID) -> bool:
    entity = {"Approval": APPROVAL, "JobApplication": JOB_APPLICATION}[type_name]
    return bool(await rows_by(context, entity, NOTHING, "{t}.id = :key", {"key": key}))


async def _manages(context: OperationContext, approval_id: UUID) -> bool:
    """Tell whether the viewer may change an approval that they see: staff, and the company that obtained it.

    Raises Forbidden for an employer who sees it without having obtained it.
    """
    if not await _sees(context, "Approval", approval_id):
        return False
    if context.viewer.is_staff:
        return True
    own = "{t}.id = :key AND {t}.origin_company_id = :organization_id"
    if not await rows_by(context, APPROVAL, NOTHING, own, {"key": approval_id}):
        raise Forbidden("this approval was obtained by another company, which alone may change it")
    return True


async def _answer(info: Info, outcome: ApprovalRow | Invalid | ConflictFound | NothingFound) -> ApprovalResult:
    context = context_of(info.raw)
    match outcome:
        case Invalid():
            return invalid_input(outcome)
        case ConflictFound():
            return conflict(outcome)
        case NothingFound():
            return not_found()
        case _:
            await context.resources.ring(NOTIFY_APPROVAL, outcome.id)
            approval = await read_by_key(info.raw, "Approval", outcome.id)
            return approval if approval is not None else not_found()
