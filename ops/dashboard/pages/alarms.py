"""The alarm on a kind of webhook that stays away: silenced for a while, and woken again, each with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from starlette.responses import Response

from ops.dashboard.forms import Form
from ops.dashboard.visits import Acting, NoSuchThing, Reading, View, Visit, done
from services.operations import alarms
from services.outcomes import ConflictFound, Invalid
from services.webhooks.silence import Activity, read_activity

_PATH = "/ops/webhooks"
_LASTING: Mapping[str, tuple[str, timedelta]] = MappingProxyType(
    {
        "4h": ("4 heures", timedelta(hours=4)),
        "1d": ("1 jour", timedelta(days=1)),
        "3d": ("3 jours", timedelta(days=3)),
        "7d": ("7 jours", timedelta(days=7)),
        "31d": ("31 jours", alarms.LONGEST_SILENCE),
    }
)


async def confirm(visit: Visit) -> View:
    """Ask for the reason, and for how long; one statement."""
    return await _view(visit, problems=(), reason="", lasting="1d", status=200)


async def silence(visit: Visit, form: Form) -> View | Response:
    found, lasting = await _activity(visit), form.text("lasting")
    until = visit.now + _LASTING[lasting][1] if lasting in _LASTING else visit.now
    outcome = await alarms.silence_alarm(
        found.expectation, until=until, by=visit.visitor_id, reason=form.text("reason"), now=visit.now
    )
    return await _answer(visit, form, outcome, "alarm_silenced")


async def restore(visit: Visit, form: Form) -> View | Response:
    found = await _activity(visit)
    outcome = await alarms.restore_alarm(
        found.expectation, by=visit.visitor_id, reason=form.text("reason"), now=visit.now
    )
    return await _answer(visit, form, outcome, "alarm_restored")


async def _answer(visit: Visit, form: Form, outcome: object, notice: str) -> View | Response:
    if isinstance(outcome, ConflictFound):
        return done(_PATH, "alarm_conflict")
    if isinstance(outcome, Invalid):
        problems = tuple(problem.message for problem in outcome.problems)
        return await _view(
            visit, problems=problems, reason=form.text("reason"), lasting=form.text("lasting"), status=422
        )
    return done(_PATH, notice)


async def _view(visit: Visit, *, problems: tuple[str, ...], reason: str, lasting: str, status: int) -> View:
    return View(
        template="alarm.html",
        values={
            "activity": await _activity(visit),
            "lastings": tuple((key, label) for key, (label, _) in _LASTING.items()),
            "chosen": lasting,
            "problems": problems,
            "reason": reason,
        },
        status=status,
        is_live=False,
    )


async def _activity(visit: Visit) -> Activity:
    key = f"{visit.request.path_params['source']}:{visit.request.path_params['model']}"
    expected = [each for each in visit.parts.expected_webhooks if each.key == key]
    if not expected:
        raise NoSuchThing
    return (await read_activity(expected, now=visit.now))[0]


PAGES = (Reading("/webhooks/alarms/{source}/{model}", confirm),)
ACTIONS = (
    Acting("/webhooks/alarms/{source}/{model}/silence", silence),
    Acting("/webhooks/alarms/{source}/{model}/restore", restore),
)
