"""Questions to API Particulier: what came of each; neither who was asked about, nor what."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from models.enums import CertificationResult
from ops.dashboard.listing import Query, listing
from ops.dashboard.tones import tone_of
from ops.dashboard.visits import Reading, View, Visit
from services.operations import certifications
from services.operations.paging import BadCursor


async def certification_list(visit: Visit) -> View:
    """The list with its filters; two statements."""
    query = Query(visit)
    narrowed = certifications.CertificationFilter(
        outcome=query.choice("outcome", "Réponse", CertificationResult),
        code=query.text("code"),
        job_seeker_id=query.uuid("job_seeker", "Candidat"),
        is_due=query.text("due") == "1",
        since=query.start_of_day("from", "Du"),
        until=query.end_of_day("to", "Au"),
    )
    try:
        page = await certifications.list_certifications(narrowed, query.page())
    except BadCursor:
        raise HTTPException(400) from None
    return View(
        template="certifications.html",
        values={
            "listing": listing(visit, page),
            "found": await certifications.count_certifications(narrowed),
            "problems": query.problems,
            "query": visit.query,
            "tone_of": tone_of,
            "outcomes": tuple(CertificationResult),
        },
    )


PAGES = (Reading("/certifications", certification_list),)
