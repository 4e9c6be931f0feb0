"""Received webhooks: found by source, state, resource or error; masked, revealed with a reason, processed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from models.enums import Partner, WebhookEventStatus
from ops.dashboard.forms import Form
from ops.dashboard.listing import Query, address, listing, narrowing
from ops.dashboard.tones import tone_of
from ops.dashboard.visits import Acting, NoSuchThing, Reading, View, Visit, done
from services.operations import webhooks
from services.operations.acting import replay_webhook
from services.operations.failure_groups import group_webhooks
from services.operations.paging import BadCursor
from services.operations.runs import LARGEST_RUN
from services.operations.webhook_bodies import MaskedBody, read_masked_body, reveal_body
from services.outcomes import ConflictFound, Invalid, NotFound
from services.webhooks.silence import read_activity

_PROCESS_WEBHOOKS = "process_webhooks"
_INBOX = UUID(int=0)
_SOURCES = (Partner.RDV_INSERTION, Partner.TALLY)


async def webhook_list(visit: Visit) -> View:
    """The list with its filters, and when each source was heard of last; four statements."""
    query = Query(visit)
    narrowed = narrowed_webhooks(query)
    try:
        page = await webhooks.list_webhooks(narrowed, query.page())
    except BadCursor:
        raise HTTPException(400) from None
    recall = visit.parts.memory.recall
    return View(
        template="webhooks.html",
        values={
            "listing": listing(visit, page),
            "found": await webhooks.count_webhooks(narrowed),
            "groups": await recall("groups of events", lambda: group_webhooks(now=visit.now)),
            "bulk_path": address("/ops/runs/new/webhooks", narrowing(visit)) if narrowing(visit) else "",
            "states": await recall("events by state", lambda: webhooks.count_by_state_up_to(LARGEST_RUN)),
            "activity": await read_activity(visit.parts.expected_webhooks, now=visit.now),
            "problems": query.problems,
            "query": visit.query,
            "tone_of": tone_of,
            "sources": _SOURCES,
            "statuses": tuple(WebhookEventStatus),
        },
    )


async def webhook(visit: Visit) -> View:
    """One event with the shape of what it says; two statements."""
    return await _webhook(visit, ())


async def _webhook(visit: Visit, problems: Sequence[str]) -> View:
    event_id = _named(visit)
    row = await webhooks.read_webhook(event_id)
    if row is None:
        raise NoSuchThing
    body = await read_masked_body(event_id)
    values: dict[str, object] = {
        "row": row,
        "masked": body.text if isinstance(body, MaskedBody) else "",
        "unreadable": body.reason if isinstance(body, ConflictFound) else "",
        "tone_of": tone_of,
        "problems": problems,
    }
    return View(template="webhook.html", values=values)


async def replay_one(visit: Visit, _: Form) -> Response:
    """Make one event due again, and wake a worker."""
    event_id = _named(visit)
    outcome = await replay_webhook(event_id, by=visit.visitor_id, now=visit.now)
    if isinstance(outcome, NotFound):
        raise NoSuchThing
    if isinstance(outcome, ConflictFound):
        return done(f"/ops/webhooks/{event_id}", "replay_refused")
    await visit.parts.ring(_PROCESS_WEBHOOKS, _INBOX)
    return done(f"/ops/webhooks/{event_id}", "replayed")


async def reveal(visit: Visit, form: Form) -> View | Response:
    """Show what was received, once, to whoever says why."""
    event_id = _named(visit)
    request_id = visit.request.scope.get("state", {}).get("request_id", "")
    outcome = await reveal_body(
        event_id, by=visit.visitor_id, reason=form.text("reason"), request_id=request_id, now=visit.now
    )
    if isinstance(outcome, NotFound):
        raise NoSuchThing
    if isinstance(outcome, ConflictFound):
        return done(f"/ops/webhooks/{event_id}", "reveal_refused")
    if isinstance(outcome, Invalid):
        problems = tuple(problem.message for problem in outcome.problems)
        return replace(await _webhook(visit, problems), status=422, is_live=False)
    return View(template="webhook_body.html", values={"body": outcome, "event_id": event_id}, is_live=False)


def narrowed_webhooks(query: Query) -> webhooks.WebhookFilter:
    """Return what the address asks for."""
    return webhooks.WebhookFilter(
        source=query.choice("source", "Source", Partner),
        status=query.choice("status", "État", WebhookEventStatus),
        model=query.text("model"),
        resource_id=query.text("resource"),
        error=query.text("error"),
        since=query.start_of_day("from", "Du"),
        until=query.end_of_day("to", "Au"),
    )


def _named(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError:
        raise NoSuchThing from None


PAGES = (Reading("/webhooks", webhook_list), Reading("/webhooks/{id}", webhook))
ACTIONS = (Acting("/webhooks/{id}/replay", replay_one), Acting("/webhooks/{id}/reveal", reveal))
