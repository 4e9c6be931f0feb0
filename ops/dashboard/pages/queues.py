"""What lies in the queue, what is paused, by whom and why; pausing and resuming, a kind of work or a partner."""

from __future__ import annotations

from starlette.responses import Response

from models.enums import Partner, WorkQueue
from ops.dashboard.forms import Form
from ops.dashboard.visits import Act, Acting, NoSuchThing, Reading, View, Visit, done
from services.operations import pausing
from services.outcomes import ConflictFound, Invalid
from services.pauses import PAUSABLE_PARTNERS, PauseTarget

_PATH = "/ops/queues"
_PARTNERS = "partner"
_QUEUES = "queue"


async def queues(visit: Visit) -> View:
    """Pauses and the queue; two statements, and four short looks at Valkey."""
    return View(template="queues.html", values=await _values(visit))


async def confirm_pause(visit: Visit) -> View:
    """Ask for the reason before a pause begins, or ends."""
    target = _target(visit)
    pauses = await pausing.read_pauses(now=visit.now)
    return View(
        template="pause.html",
        values={"target": target, "key": _key(target), "pause": pauses.of(target), "problems": (), "reason": ""},
        is_live=False,
    )


async def pause(visit: Visit, form: Form) -> View | Response:
    target = _target(visit)
    outcome = await pausing.pause(target, by=visit.visitor_id, reason=form.text("reason"), now=visit.now)
    return await _answer(visit, form, target, outcome, "paused")


async def resume(visit: Visit, form: Form) -> View | Response:
    target = _target(visit)
    outcome = await pausing.resume(target, by=visit.visitor_id, reason=form.text("reason"), now=visit.now)
    return await _answer(visit, form, target, outcome, "resumed")


async def retry_partner(visit: Visit, form: Form) -> View | Response:
    """Call a partner again that had refused our access."""
    target = _target(visit)
    if not isinstance(target, Partner):
        raise NoSuchThing
    outcome = await pausing.end_automatic_pause(target, by=visit.visitor_id, reason=form.text("reason"), now=visit.now)
    return await _answer(visit, form, target, outcome, "resumed")


async def _answer(visit: Visit, form: Form, target: PauseTarget, outcome: object, notice: str) -> View | Response:
    if isinstance(outcome, ConflictFound):
        return done(_PATH, "pause_conflict")
    if isinstance(outcome, Invalid):
        pauses = await pausing.read_pauses(now=visit.now)
        return View(
            template="pause.html",
            values={
                "target": target,
                "key": _key(target),
                "pause": pauses.of(target),
                "problems": tuple(problem.message for problem in outcome.problems),
                "reason": form.text("reason"),
            },
            status=422,
            is_live=False,
        )
    return done(_PATH, notice)


async def _values(visit: Visit) -> dict[str, object]:
    reader, now = visit.parts.queue, visit.now
    return {
        "pauses": await pausing.read_pauses(now=now),
        "key_of": _key,
        "figures": await reader.figures(now=now),
        "queued": await reader.queued(now=now, offset=_offset(visit, "queued")),
        "deferred": await reader.deferred(now=now, offset=_offset(visit, "deferred")),
        "running": await reader.running(),
        "results": await reader.results(),
    }


def _offset(visit: Visit, name: str) -> int:
    text = visit.query(name)
    return min(int(text), 1_000_000) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def _target(visit: Visit) -> PauseTarget:
    kind, name = visit.request.path_params["kind"], visit.request.path_params["name"]
    found: PauseTarget | None = None
    if kind == _PARTNERS:
        found = next((each for each in PAUSABLE_PARTNERS if each.value == name), None)
    elif kind == _QUEUES:
        found = next((each for each in WorkQueue if each.value == name), None)
    if found is None:
        raise NoSuchThing
    return found


def _key(target: PauseTarget) -> str:
    return f"{_PARTNERS if isinstance(target, Partner) else _QUEUES}/{target.value}"


_ACTS: dict[str, Act] = {"pause": pause, "resume": resume, "retry": retry_partner}

PAGES = (Reading("/queues", queues), Reading("/queues/{kind}/{name}", confirm_pause))
ACTIONS = tuple(Acting(f"/queues/{{kind}}/{{name}}/{word}", act) for word, act in _ACTS.items())
