"""Figures about surveys, for those who watch over the employers of a department, and for staff."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from models.enums import SurveyKind
from resolvers.context import context_of
from resolvers.errors import BadUserInput, Forbidden
from resolvers.viewer import Scope
from schema.info import Info
from services.surveys import survey_statistics

_READERS = frozenset({Scope.STAFF, Scope.OPERATOR, Scope.LABOR_INSPECTOR})


@strawberry.type(description="Counts by kind and period. What people answered never leaves the survey tool.")
class SurveyStatistics:
    kind: SurveyKind
    sent: int = strawberry.field(description="Sent in the period, by mail or on request.")
    answered: int = strawberry.field(description="Answers that were submitted in the period, whenever sent.")
    answered_without_link: int = strawberry.field(
        description="Of these, the answers that name no survey of ours, as from links without `ref`."
    )
    answer_rate: float | None = strawberry.field(
        description="Of the surveys sent in the period, the part answered since, 0 to 1; null when none was sent."
    )


@strawberry.type
class SurveyQueries:
    @strawberry.field(
        description=(
            "One entry a kind, for days of Europe/Paris, both included; without days, for all time. For staff, and for"
            " labor inspectors about the departments of their institution."
        )
    )
    async def survey_statistics(
        self,
        info: Info,
        first_day: Annotated[date | None, strawberry.argument(name="from")] = None,
        last_day: Annotated[date | None, strawberry.argument(name="to")] = None,
    ) -> list[SurveyStatistics] | None:
        viewer = context_of(info.raw).signed_in()
        if viewer.scope not in _READERS:
            raise Forbidden("surveyStatistics: for staff and labor inspectors")
        if first_day is not None and last_day is not None and last_day < first_day:
            raise BadUserInput("surveyStatistics: `to` lies before `from`; swap them")
        departments = None if viewer.is_staff else viewer.departments
        return [
            SurveyStatistics(
                kind=counted.kind,
                sent=counted.sent,
                answered=counted.answered,
                answered_without_link=counted.unlinked,
                answer_rate=counted.answer_rate,
            )
            for counted in await survey_statistics(first_day, last_day, departments=departments)
        ]
