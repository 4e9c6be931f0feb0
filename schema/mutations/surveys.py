"""Surveys: have one's own sent."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry

from models.enums import SurveyKind
from resolvers.context import OperationContext, context_of
from resolvers.entities.job_applications import JOB_APPLICATION
from resolvers.errors import Forbidden
from resolvers.global_ids import decode_as
from resolvers.loaders import read_by_key, rows_by
from resolvers.selection import NOTHING
from resolvers.viewer import Scope
from schema.errors import Conflict, ErrorCode, NotFound, not_found
from schema.info import Info
from schema.mutations.outcomes import conflict
from schema.types.job_applications import Survey
from services.outcomes import ConflictFound
from services.outcomes import NotFound as NothingFound
from services.surveys import request_survey

SurveyResult = Annotated[Survey | Conflict | NotFound, strawberry.union("SurveyResult")]

SEND_MAIL = "send_mail"

# Whom each survey asks: nobody asks for it in their place.
_ASKED: dict[SurveyKind, frozenset[Scope]] = {
    SurveyKind.POST_HIRING_EMPLOYER: frozenset({Scope.EMPLOYER}),
    SurveyKind.POST_HIRING_JOB_SEEKER: frozenset({Scope.JOB_SEEKER}),
    SurveyKind.PRESCRIBER_SATISFACTION: frozenset({Scope.AUTHORIZED_PRESCRIBER, Scope.PRESCRIBER}),
}
_SENT_BY_OWN_ORGANIZATION = "{t}.id = :key AND {t}.sender_prescriber_organization_id = :organization_id"


@strawberry.type
class SurveyMutations:
    @strawberry.mutation(
        description=(
            "Have a survey about a hiring sent to oneself, once, before it is mailed by itself: for a member of the"
            " company that hired, the person who was hired, or a member of the organisation that sent them."
        )
    )
    async def request_survey(self, info: Info, job_application_id: strawberry.ID, kind: SurveyKind) -> SurveyResult:
        key = decode_as(job_application_id, "JobApplication", argument="jobApplicationId")
        context, requester_id = _for_whom_it_asks(info, kind)
        if not await rows_by(context, JOB_APPLICATION, NOTHING, "{t}.id = :key", {"key": key}):
            return not_found()
        if kind is SurveyKind.PRESCRIBER_SATISFACTION and not await rows_by(
            context, JOB_APPLICATION, NOTHING, _SENT_BY_OWN_ORGANIZATION, {"key": key}
        ):
            raise Forbidden("this survey is for members of the organisation that sent the application")
        plan = context.resources.surveys
        if plan is None or kind not in plan.form_ids:
            return Conflict(message="Cette enquête n'est pas proposée sur ce serveur.", code=ErrorCode.NOT_CONFIGURED)
        outcome = await request_survey(key, kind, plan=plan, requester_id=requester_id, now=context.now)
        match outcome:
            case ConflictFound():
                return conflict(outcome)
            case NothingFound():
                return not_found()
            case _:
                if outcome.mail_id is not None:
                    await context.resources.ring(SEND_MAIL, outcome.mail_id)
                survey = await read_by_key(info.raw, "Survey", outcome.survey_id)
                return survey if survey is not None else not_found()


def _for_whom_it_asks(info: Info, kind: SurveyKind) -> tuple[OperationContext, UUID]:
    """Return the context of an operation that is about to write, and who asks. Raises Unauthenticated, Forbidden."""
    context = context_of(info.raw)
    viewer = context.signed_in()
    if viewer.scope not in _ASKED[kind] or viewer.user_id is None:
        raise Forbidden("this survey asks somebody else: the company, the person or the prescriber of a hiring")
    context.forget_rows()
    return context, viewer.user_id
