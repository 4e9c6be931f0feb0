"""Surveys: offered, sent, answered."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from models.enums import SurveyKind, SurveyStatus
from ops.dashboard.listing import Query, listing
from ops.dashboard.tones import tone_of
from ops.dashboard.visits import Reading, View, Visit
from services.operations import surveys
from services.operations.paging import BadCursor


async def survey_list(visit: Visit) -> View:
    """The list with its filters; two statements."""
    query = Query(visit)
    narrowed = surveys.SurveyFilter(
        kind=query.choice("kind", "Enquête", SurveyKind),
        status=query.choice("status", "État", SurveyStatus),
        job_application_id=query.uuid("application", "Candidature"),
        is_due=query.text("due") == "1",
        since=query.start_of_day("from", "Du"),
        until=query.end_of_day("to", "Au"),
    )
    try:
        page = await surveys.list_surveys(narrowed, query.page())
    except BadCursor:
        raise HTTPException(400) from None
    return View(
        template="surveys.html",
        values={
            "listing": listing(visit, page),
            "found": await surveys.count_surveys(narrowed),
            "problems": query.problems,
            "query": visit.query,
            "tone_of": tone_of,
            "statuses": tuple(SurveyStatus),
            "kinds": tuple(SurveyKind),
        },
    )


PAGES = (Reading("/surveys", survey_list),)
