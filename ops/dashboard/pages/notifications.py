"""Notifications to France Travail: found by number, person, code or day; read attempt by attempt; sent again."""

from __future__ import annotations

from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from models.enums import NotificationEndpoint, NotificationStatus
from ops.dashboard.forms import Form
from ops.dashboard.listing import Query, address, listing, narrowing
from ops.dashboard.tones import tone_of
from ops.dashboard.visits import Acting, NoSuchThing, Reading, View, Visit, done
from services.notification import Subject
from services.operations import notifications
from services.operations.acting import retry_notification
from services.operations.failure_groups import group_notifications
from services.operations.paging import BadCursor
from services.operations.runs import LARGEST_RUN
from services.outcomes import ConflictFound, NotFound

_NOTIFY_APPROVAL = "notify_approval"


async def notification_list(visit: Visit) -> View:
    """The list with its filters, and the failures by code; four statements."""
    query = Query(visit)
    narrowed = narrowed_notifications(query)
    try:
        page = await notifications.list_notifications(narrowed, query.page())
    except BadCursor:
        raise HTTPException(400) from None
    recall = visit.parts.memory.recall
    return View(
        template="notifications.html",
        values={
            "listing": listing(visit, page),
            "found": await notifications.count_notifications(narrowed),
            "groups": await recall("groups of notifications", lambda: group_notifications(now=visit.now)),
            "bulk_path": address("/ops/runs/new/notifications", narrowing(visit)) if narrowing(visit) else "",
            "statuses": await recall(
                "notifications by status", lambda: notifications.count_by_status_up_to(LARGEST_RUN)
            ),
            "narrowed": narrowed,
            "problems": query.problems,
            "query": visit.query,
            "tone_of": tone_of,
            "all_statuses": tuple(NotificationStatus),
            "all_endpoints": tuple(NotificationEndpoint),
        },
    )


async def notification(visit: Visit) -> View:
    """One notification with its attempts; two statements."""
    subject, row_id = _named(visit)
    detail = await notifications.read_notification(subject, row_id)
    if detail is None:
        raise NoSuchThing
    return View(
        template="notification.html",
        values={"detail": detail, "row": detail.notification, "tone_of": tone_of},
    )


async def retry(visit: Visit, _: Form) -> Response:
    """Make one due at once, and wake a worker for it."""
    subject, row_id = _named(visit)
    path = f"/ops/notifications/{subject.value}/{row_id}"
    outcome = await retry_notification(subject, row_id, by=visit.visitor_id, now=visit.now)
    if isinstance(outcome, NotFound):
        raise NoSuchThing
    if isinstance(outcome, ConflictFound):
        return done(path, "retry_refused")
    await visit.parts.ring(_NOTIFY_APPROVAL, outcome.record_id)
    return done(path, "retried")


def narrowed_notifications(query: Query) -> notifications.NotificationFilter:
    """Return what the address asks for."""
    return notifications.NotificationFilter(
        status=query.choice("status", "Statut", NotificationStatus),
        code=query.text("code"),
        endpoint=query.choice("endpoint", "Appel", NotificationEndpoint),
        label=query.text("label"),
        number=query.text("number"),
        job_seeker_id=query.uuid("job_seeker", "Candidat"),
        since=query.start_of_day("from", "Du"),
        until=query.end_of_day("to", "Au"),
    )


def _named(visit: Visit) -> tuple[Subject, UUID]:
    parameters = visit.request.path_params
    try:
        return Subject(parameters["subject"]), UUID(parameters["id"])
    except ValueError:
        raise NoSuchThing from None


PAGES = (
    Reading("/notifications", notification_list),
    Reading("/notifications/{subject}/{id}", notification),
)
ACTIONS = (Acting("/notifications/{subject}/{id}/retry", retry),)
