"""Received webhooks: found by source, state, resource or error; processed again, one by one."""

from __future__ import annotations

from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from models.enums import Partner, WebhookEventStatus
from ops.dashboard.forms import Form
from ops.dashboard.listing import Query, listing
from ops.dashboard.tones import tone_of
from ops.dashboard.visits import Acting, NoSuchThing, Reading, View, Visit, done
from services.operations import webhooks
from services.operations.paging import BadCursor
from services.webhooks.replaying import Replay, replay
from services.webhooks.silence import read_activity

_PROCESS_WEBHOOKS = "process_webhooks"
_INBOX = UUID(int=0)
_SOURCES = (Partner.RDV_INSERTION, Partner.TALLY)
_NOTICES = {
    Replay.DUE: "replayed",
    Replay.PURGED: "replay_purged",
    Replay.UNKNOWN_MODEL: "replay_unknown",
    Replay.UNDER_WAY: "replay_under_way",
}


async def webhook_list(visit: Visit) -> View:
    """The list with its filters, and when each source was heard of last; four statements."""
    query = Query(visit)
    narrowed = webhooks.WebhookFilter(
        source=query.choice("source", Partner),
        status=query.choice("status", WebhookEventStatus),
        model=query.text("model"),
        resource_id=query.text("resource"),
        error=query.text("error"),
        since=query.start_of_day("from", "Du"),
        until=query.end_of_day("to", "Au"),
    )
    try:
        page = await webhooks.list_webhooks(narrowed, query.page())
    except BadCursor:
        raise HTTPException(400) from None
    return View(
        template="webhooks.html",
        values={
            "listing": listing(visit, page),
            "found": await webhooks.count_webhooks(narrowed),
            "states": await webhooks.count_by_state(),
            "activity": await read_activity(visit.parts.expected_webhooks, now=visit.now),
            "problems": query.problems,
            "query": visit.query,
            "tone_of": tone_of,
            "sources": _SOURCES,
            "statuses": tuple(WebhookEventStatus),
        },
    )


async def webhook(visit: Visit) -> View:
    """One event, without what it says; one statement."""
    row = await webhooks.read_webhook(_named(visit))
    if row is None:
        raise NoSuchThing
    return View(template="webhook.html", values={"row": row, "tone_of": tone_of})


async def replay_one(visit: Visit, _: Form) -> Response:
    """Make one event due again, and wake a worker."""
    event_id = _named(visit)
    outcome = await replay(event_id, by=visit.operator_id, now=visit.now)
    if outcome is Replay.NOT_FOUND:
        raise NoSuchThing
    if outcome is Replay.DUE:
        await visit.parts.ring(_PROCESS_WEBHOOKS, _INBOX)
    return done(f"/ops/webhooks/{event_id}", _NOTICES[outcome])


def _named(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError:
        raise NoSuchThing from None


PAGES = (Reading("/webhooks", webhook_list), Reading("/webhooks/{id}", webhook))
ACTIONS = (Acting("/webhooks/{id}/replay", replay_one),)
