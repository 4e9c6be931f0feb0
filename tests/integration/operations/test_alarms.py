"""Alarms on the silence of a partner: an operator ends them for a while, says why, and they wake by themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client.core import Metric
from structlog.testing import capture_logs

from metrics import silence_reader
from models import AuditEntry, SilencedAlarm
from models.enums import AuditAction, Partner
from services.operations.alarms import LONGEST_SILENCE, restore_alarm, silence_alarm
from services.operations.pausing import Changed
from services.outcomes import ConflictFound, Invalid
from services.webhooks.silence import Expectation, alarm_on_silence, read_activity
from tests.integration.operations.rows import LATER, NOW, REASON, make_event, make_operator

pytestmark = pytest.mark.usefixtures("database")

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
RDV = Expectation(source=Partner.RDV_INSERTION, model="rdv", within=DAY)
TALLY = Expectation(source=Partner.TALLY, model="form_response", within=DAY)
BOTH = (RDV, TALLY)


@pytest.fixture(autouse=True)
async def both_silent(database: object) -> None:
    """Each came once, and two days have passed since."""
    await make_event(source=RDV.source, model=RDV.model, at=NOW - 2 * DAY)
    await make_event(source=TALLY.source, model=TALLY.model, at=NOW - 2 * DAY)


async def silenced(expected: Expectation, *, until: timedelta = DAY) -> None:
    operator = await make_operator()
    assert (
        await silence_alarm(expected, until=NOW + until, by=operator.id, reason="Fermeture annoncée", now=NOW)
        == Changed()
    )


async def test_a_silenced_alarm_is_given_nowhere_and_that_of_others_is():
    await silenced(RDV)

    with capture_logs() as logs:
        number = await alarm_on_silence(BOTH, now=NOW)
    [figure] = list(await silence_reader(BOTH)(NOW))

    assert number == 1
    assert [(entry["event"], entry["source"]) for entry in logs] == [("webhook_silence", "tally")]
    assert values(figure) == {("rdv_insertion", "rdv"): 0, ("tally", "form_response"): 1}


async def test_who_looks_sees_that_it_is_silent_and_who_silenced_it_until_when_and_why():
    await silenced(RDV)

    rdv, tally = await read_activity(BOTH, now=NOW)

    assert (rdv.is_silent, rdv.is_alarming, tally.is_alarming) == (True, False, True)
    assert rdv.silenced is not None
    assert (rdv.silenced.until, rdv.silenced.reason) == (NOW + DAY, "Fermeture annoncée")
    assert rdv.silenced.author_name is not None


async def test_an_alarm_wakes_by_itself_when_its_time_is_over_and_can_be_silenced_again():
    await silenced(RDV)
    operator = await make_operator()

    before, after = (
        (await read_activity([RDV], now=NOW + DAY - SECOND))[0],
        (await read_activity([RDV], now=NOW + DAY))[0],
    )
    again = await silence_alarm(RDV, until=NOW + 3 * DAY, by=operator.id, reason=REASON, now=NOW + DAY)

    assert (before.is_alarming, after.is_alarming) == (False, True)
    assert again == Changed()
    assert (await read_activity([RDV], now=NOW + 2 * DAY))[0].is_alarming is False


async def test_an_alarm_is_silenced_once_and_woken_once_and_both_are_recorded():
    await silenced(RDV)
    operator = await make_operator()

    twice = await silence_alarm(RDV, until=NOW + DAY, by=operator.id, reason=REASON, now=NOW)
    woken = await restore_alarm(RDV, by=operator.id, reason="Tout est rentré dans l’ordre", now=LATER)
    woken_twice = await restore_alarm(RDV, by=operator.id, reason=REASON, now=LATER)

    assert isinstance(twice, ConflictFound)
    assert woken == Changed()
    assert isinstance(woken_twice, ConflictFound)
    assert await SilencedAlarm.all().count() == 0
    first, second = await AuditEntry.all().order_by("at")
    assert (first.action, first.subject_type, first.subject_id) == (
        AuditAction.ALARM_SILENCED,
        "alarm",
        "rdv_insertion:rdv",
    )
    assert first.after == {"silenced": True, "until": (NOW + DAY).isoformat()}
    assert (second.action, second.after) == (AuditAction.ALARM_RESTORED, {"silenced": False})
    assert second.before is not None
    assert second.before["reason"] == "Fermeture annoncée"


@pytest.mark.parametrize("until", [timedelta(), -SECOND, LONGEST_SILENCE + SECOND])
async def test_an_end_that_is_over_or_too_far_away_is_refused(until: timedelta):
    operator = await make_operator()

    outcome = await silence_alarm(RDV, until=NOW + until, by=operator.id, reason=REASON, now=NOW)

    assert isinstance(outcome, Invalid)
    assert [problem.path for problem in outcome.problems] == [("until",)]
    assert await SilencedAlarm.all().count() == 0


@pytest.mark.parametrize("reason", ["", "x", "appeler le 06 12 34 56 78"])
async def test_a_reason_is_asked_for_and_names_nobody(reason: str):
    operator = await make_operator()

    outcome = await silence_alarm(RDV, until=NOW + DAY, by=operator.id, reason=reason, now=NOW)

    assert isinstance(outcome, Invalid)
    assert [problem.path for problem in outcome.problems] == [("reason",)]


def values(figure: Metric) -> dict[tuple[str, str], float]:
    return {(sample.labels["source"], sample.labels["model"]): sample.value for sample in figure.samples}
