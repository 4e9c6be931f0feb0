"""The record of what operators did: who, when, what, before and after, why."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException

from models.enums import AuditAction
from ops.dashboard.listing import Query, listing
from ops.dashboard.visits import Reading, View, Visit
from ops.dashboard.wording import words_of
from services.operations import audit
from services.operations.paging import BadCursor

_SUBJECTS: Mapping[str, tuple[str, str]] = {
    # The French name, and the page of one; "" where there is none.
    "approval": ("PASS IAE", "/ops/notifications/approval/"),
    "cancelled_approval": ("Annulation", "/ops/notifications/cancelled_approval/"),
    "webhook_event": ("Webhook", "/ops/webhooks/"),
    "queue": ("Travail", "/ops/queues/queue/"),
    "partner": ("Partenaire", "/ops/queues/partner/"),
    "operation_run": ("Traitement groupé", "/ops/runs/"),
    "alarm": ("Alerte de silence", ""),
    "session": ("Session", ""),
}


async def audit_list(visit: Visit) -> View:
    """The list with its filters; two statements."""
    query = Query(visit)
    narrowed = audit.AuditFilter(
        action=query.choice("action", "Action", AuditAction),
        actor_id=query.uuid("actor", "Identifiant de l’auteur"),
        subject_id=query.text("subject"),
        run_id=query.uuid("run", "Traitement groupé"),
        since=query.start_of_day("from", "Du"),
        until=query.end_of_day("to", "Au"),
    )
    try:
        page = await audit.list_audit(narrowed, query.page())
    except BadCursor:
        raise HTTPException(400) from None
    return View(
        template="audit.html",
        values={
            "listing": listing(visit, page),
            "found": await audit.count_audit(narrowed),
            "problems": query.problems,
            "query": visit.query,
            "actions": tuple(AuditAction),
            "subjects": _SUBJECTS,
            "said": words_of,
        },
    )


PAGES = (Reading("/audit", audit_list),)
