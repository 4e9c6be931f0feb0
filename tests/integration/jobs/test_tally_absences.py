"""An answer at Tally reaches its survey though PostgreSQL, or every worker, was away when it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from jobs.inbox import InboxPlan
from jobs.webhooks import process_webhooks
from models import Survey, WebhookEvent
from models.database import DatabaseConfig
from models.enums import SurveyStatus
from models.enums import WebhookEventStatus as Status
from services.webhooks.dispatch import appliers
from services.webhooks.engine import work_off
from tests.integration.jobs.conftest import WorkerParts
from tests.integration.line import line_to
from tests.integration.services.hirings import PLAN
from tests.integration.services.test_survey_answers import REFERENCE, SUBMITTED_AT, sent_survey
from tests.integration.webhooks.conftest import Doors, open_doors
from tests.integration.webhooks.senders import TALLY, signed_tally, tally
from tests.waiting import until

APPLIERS = appliers(survey_kinds=PLAN.kinds_by_form)


@pytest.fixture
async def doors(database: DatabaseConfig) -> AsyncIterator[Doors]:
    async with open_doors(database) as doors:
        yield doors


async def nothing_waits() -> bool:
    return not await WebhookEvent.filter(status=Status.RECEIVED).exists()


async def deliver(doors: Doors, body: bytes) -> httpx.Response:
    return await doors.http.post(TALLY, content=body, headers=signed_tally(body))


async def test_an_answer_refused_while_the_database_was_away_counts_when_tally_brings_it_again(
    database: DatabaseConfig,
):
    survey = await sent_survey()
    answer = tally(ref=REFERENCE)
    async with line_to(database) as (line, through_line), open_doors(through_line) as doors:
        # The door has a connection by now: it is to lose one, and not only to find none.
        before = await deliver(doors, tally(response="before", ref="B" * 22))
        await line.cut()
        refused = await deliver(doors, answer)
        stored_meanwhile = await WebhookEvent.all().count()
        await line.mend()
        taken = await deliver(doors, answer)

    summary = await work_off(APPLIERS)

    assert [each.status_code for each in (before, refused, taken)] == [200, 503, 200]
    assert refused.json() == {"success": False}
    assert int(refused.headers["retry-after"]) > 0
    assert stored_meanwhile == 1
    await survey.refresh_from_db()
    assert (survey.status, survey.answered_at) == (SurveyStatus.ANSWERED, SUBMITTED_AT)
    assert (summary.processed, summary.unmatched) == (1, 1)
    assert await WebhookEvent.filter(status=Status.RECEIVED).count() == 0


async def test_an_answer_that_finds_no_worker_is_taken_and_waits_for_one(doors: Doors, worker: WorkerParts):
    survey = await sent_survey()
    context = replace(worker.context, inbox=InboxPlan(appliers=APPLIERS))

    taken = await deliver(doors, tally(ref=REFERENCE))
    waiting = await WebhookEvent.get()
    unanswered = await Survey.get(id=survey.id)
    async with asyncio.TaskGroup() as group:
        group.create_task(process_webhooks(context))
        await until(nothing_waits)
        worker.stop.set()

    assert (taken.status_code, taken.json()) == (200, {"success": True})
    assert (waiting.status, waiting.attempts) == (Status.RECEIVED, 0)
    assert unanswered.status is SurveyStatus.SENT
    await survey.refresh_from_db()
    assert (survey.status, survey.answered_at) == (SurveyStatus.ANSWERED, SUBMITTED_AT)
    assert (await WebhookEvent.get()).status is Status.PROCESSED
