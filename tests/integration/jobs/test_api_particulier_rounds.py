"""The rounds that ask API Particulier: begun by the clock, kept in `cron_run`, idle where the partner is off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobs.certification import ASK_DUE, TAKE_UP_UNANSWERED, begin_asking, take_up_unanswered_questions
from jobs.cron import TICKS
from models import CronRun
from tests.integration.jobs.conftest import WorkerParts
from tests.integration.services.citizens import certified_at, make_citizen, make_request, particulier, request_of
from tests.unit.clients.api_particulier import Api
from tests.waiting import until

__all__ = ["particulier"]

pytestmark = pytest.mark.usefixtures("database")


async def is_finished(name: str) -> bool:
    run = await CronRun.get_or_none(name=name)
    return run is not None and run.finished_at is not None


async def test_the_tick_of_every_minute_asks_about_whoever_is_due(worker: WorkerParts, particulier: Api):
    person = await make_citizen()
    await make_request(person)

    await begin_asking(replace(worker.context, api_particulier=particulier.client))
    await until(lambda: is_finished(ASK_DUE))

    assert await certified_at(person) is not None
    run = await CronRun.get(name=ASK_DUE)
    assert (run.succeeded, run.summary["asked"], run.summary["certified"]) == (True, 1, 1)


async def test_a_worker_that_is_to_end_asks_nobody(worker: WorkerParts, particulier: Api):
    await make_request(await make_citizen())
    worker.stop.set()

    await begin_asking(replace(worker.context, api_particulier=particulier.client))

    assert not particulier.rsa.called


async def test_the_nightly_tick_makes_due_what_was_given_up(worker: WorkerParts, particulier: Api):
    person = await make_citizen()
    long_ago = datetime.now(UTC) - timedelta(days=8)
    await make_request(person, created_at=long_ago, last_attempt_at=long_ago, next_attempt_at=None)

    await take_up_unanswered_questions(replace(worker.context, api_particulier=particulier.client))

    assert (await request_of(person)).next_attempt_at is not None
    assert (await CronRun.get(name=TAKE_UP_UNANSWERED)).summary == {"taken_up": 1}


async def test_without_access_to_api_particulier_nothing_is_begun(worker: WorkerParts):
    person = await make_citizen()
    await make_request(person)

    await begin_asking(worker.context)
    await take_up_unanswered_questions(worker.context)

    assert await CronRun.all().count() == 0
    assert (await request_of(person)).last_attempt_at is not None


def test_the_timetable_looks_every_minute_and_takes_up_at_night():
    times = {tick.run: (tick.hour, tick.minute) for tick in TICKS}

    assert times[begin_asking] == (None, None)
    assert times[take_up_unanswered_questions] == (0, 30)
