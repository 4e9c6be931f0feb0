"""Mails: what leaves, what does not, and why; never to whom."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from models.enums import MailState, MailTemplate
from ops.dashboard.listing import Query, listing
from ops.dashboard.tones import tone_of
from ops.dashboard.visits import Reading, View, Visit
from services.operations import mails
from services.operations.paging import BadCursor


async def mail_list(visit: Visit) -> View:
    """The list with its filters; two statements."""
    query = Query(visit)
    narrowed = mails.MailFilter(
        state=query.choice("state", "État", MailState),
        template=query.choice("template", "Modèle", MailTemplate),
        code=query.text("code"),
        subject_id=query.uuid("subject", "Objet"),
        since=query.start_of_day("from", "Du"),
        until=query.end_of_day("to", "Au"),
    )
    try:
        page = await mails.list_mails(narrowed, query.page())
    except BadCursor:
        raise HTTPException(400) from None
    return View(
        template="mails.html",
        values={
            "listing": listing(visit, page),
            "found": await mails.count_mails(narrowed),
            "problems": query.problems,
            "query": visit.query,
            "tone_of": tone_of,
            "states": tuple(MailState),
            "kinds": tuple(MailTemplate),
        },
    )


PAGES = (Reading("/mails", mail_list),)
