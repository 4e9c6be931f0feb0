"""Runs over everything that matches a filter: previewed with a number, confirmed with a reason, followed as they go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from models.enums import OperationKind
from ops.dashboard.forms import Form
from ops.dashboard.listing import Query, address, listing, narrowing
from ops.dashboard.pages.notifications import narrowed_notifications
from ops.dashboard.pages.webhooks import narrowed_webhooks
from ops.dashboard.tones import tone_of
from ops.dashboard.visits import Acting, NoSuchThing, Reading, View, Visit, done
from services.clock import PARIS
from services.operations import runs
from services.operations.paging import BadCursor
from services.outcomes import ConflictFound, Invalid, NotFound

_RUN_OPERATIONS = "run_operations"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What can be done to many at once."""

    kind: OperationKind
    list_path: str
    list_title: str
    verb: str
    narrowed: Callable[[Query], runs.RunFilter]


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "notifications": _Kind(
            OperationKind.RETRY_NOTIFICATIONS,
            "/ops/notifications",
            "Notifications",
            "Renvoyer",
            narrowed_notifications,
        ),
        "webhooks": _Kind(OperationKind.REPLAY_WEBHOOKS, "/ops/webhooks", "Webhooks", "Rejouer", narrowed_webhooks),
    }
)
_CRITERIA: Mapping[str, str] = MappingProxyType(
    {
        "status": "statut",
        "code": "code",
        "endpoint": "appel",
        "label": "libellé",
        "number": "numéro",
        "job_seeker_id": "candidat",
        "since": "depuis le",
        "until": "jusqu’au",
        "source": "source",
        "model": "modèle",
        "resource_id": "ressource",
        "error": "erreur",
    }
)


async def run_list(visit: Visit) -> View:
    try:
        page = await runs.list_runs(Query(visit).page())
    except BadCursor:
        raise HTTPException(400) from None
    return View(
        template="runs.html",
        values={"listing": listing(visit, page), "tone_of": tone_of, "criteria_of": _criteria},
    )


async def run(visit: Visit) -> View:
    found = await runs.read_run(_run_id(visit))
    if found is None:
        raise NoSuchThing
    return View(template="run.html", values=_values_of(found))


async def preview(visit: Visit) -> View:
    """How many the filter of the address takes, and the form that confirms."""
    return await _preview(visit, problems=[], reason="", status=200)


async def begin(visit: Visit, form: Form) -> View | Response:
    """Write the run down, and wake a worker."""
    chosen = _kind(visit)
    query = Query(visit)
    narrowed = chosen.narrowed(query)
    if query.problems:
        return await _preview(visit, problems=query.problems, reason=form.text("reason"), status=422)
    outcome = await runs.begin_run(narrowed, by=visit.visitor_id, reason=form.text("reason"), now=visit.now)
    if isinstance(outcome, Invalid):
        problems = [problem.message for problem in outcome.problems]
        return await _preview(visit, problems=problems, reason=form.text("reason"), status=422)
    if isinstance(outcome, ConflictFound):
        return await _preview(visit, problems=[outcome.reason], reason=form.text("reason"), status=409)
    await visit.parts.ring(_RUN_OPERATIONS, outcome.run_id)
    return done(f"/ops/runs/{outcome.run_id}", "run_begun")


async def cancel(visit: Visit, form: Form) -> View | Response:
    run_id = _run_id(visit)
    outcome = await runs.cancel_run(run_id, by=visit.visitor_id, reason=form.text("reason"), now=visit.now)
    if isinstance(outcome, NotFound):
        raise NoSuchThing
    if isinstance(outcome, ConflictFound):
        return done(f"/ops/runs/{run_id}", "run_over")
    if isinstance(outcome, Invalid):
        found = await runs.read_run(run_id)
        if found is None:
            raise NoSuchThing
        problems = tuple(problem.message for problem in outcome.problems)
        return View(template="run.html", values={**_values_of(found), "problems": problems}, status=422, is_live=False)
    return done(f"/ops/runs/{run_id}", "run_cancelled")


async def _preview(visit: Visit, *, problems: list[str], reason: str, status: int) -> View:
    chosen = _kind(visit)
    query = Query(visit)
    narrowed = chosen.narrowed(query)
    parameters = narrowing(visit)
    return View(
        template="run_preview.html",
        values={
            "kind": chosen,
            "found": await runs.preview(narrowed),
            "largest": runs.LARGEST_RUN,
            "criteria": _criteria(narrowed),
            "problems": problems or query.problems,
            "reason": reason,
            "action": address(visit.request.url.path, parameters),
            "back": address(chosen.list_path, parameters),
        },
        status=status,
        is_live=False,
    )


def _values_of(found: runs.RunView) -> dict[str, object]:
    kind = next(each for each in _KINDS.values() if each.kind is found.kind)
    return {"run": found, "kind": kind, "criteria": _criteria(found.filter), "tone_of": tone_of, "problems": ()}


def _criteria(narrowed: runs.RunFilter) -> list[tuple[str, str]]:
    """The filter in French words."""
    shown: list[tuple[str, str]] = []
    for name in runs.criteria_of(narrowed):
        value = getattr(narrowed, name)
        if name in ("since", "until"):
            # The end is the first instant that is not meant: the day before it is what was asked for.
            day = value.astimezone(PARIS) - (timedelta(seconds=1) if name == "until" else timedelta())
            text = day.strftime("%d/%m/%Y")
        else:
            text = str(getattr(value, "label", value))
        shown.append((_CRITERIA.get(name, name), text))
    return shown


def _kind(visit: Visit) -> _Kind:
    found = _KINDS.get(visit.request.path_params["kind"])
    if found is None:
        raise NoSuchThing
    return found


def _run_id(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError:
        raise NoSuchThing from None


PAGES = (Reading("/runs", run_list), Reading("/runs/new/{kind}", preview), Reading("/runs/{id}", run))
ACTIONS = (Acting("/runs/new/{kind}", begin), Acting("/runs/{id}/cancel", cancel))
