"""The inbox in a worker: woken by the bell through Valkey, looking by itself without it, and its ticks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from jobs.bell import INBOX
from jobs.context import WorkerContext
from jobs.inbox import InboxPlan
from jobs.webhooks import (
    PURGE_WEBHOOKS,
    REOPEN_WEBHOOKS,
    WATCH_WEBHOOKS,
    process_webhooks,
    purge_webhooks,
    reopen_webhooks,
    wake_inbox,
    watch_webhooks,
)
from models import CronRun, WebhookEvent
from models.enums import Partner
from models.enums import WebhookEventStatus as Status
from services.webhooks.outcomes import Applied, Outcome
from services.webhooks.processing import PendingEvent
from services.webhooks.silence import expectations
from tests.integration.jobs.conftest import WorkerParts
from tests.integration.services.test_webhook_engine import receive
from tests.integration.webhooks.senders import rdv
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database", "api")


LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


async def apply(_: PendingEvent, __: object) -> Outcome:
    return Applied()


@pytest.fixture
def context(worker: WorkerParts) -> WorkerContext:
    plan = InboxPlan(
        appliers=MappingProxyType({Partner.RDV_INSERTION: apply}),
        expected=expectations(rdv_insertion=timedelta(days=1), tally=None),
    )
    return replace(worker.context, inbox=plan)


async def all_are_processed() -> bool:
    return not await WebhookEvent.exclude(status=Status.PROCESSED).exists()


async def test_a_worker_finds_what_was_stored_without_any_bell(context: WorkerContext):
    await receive(rdv(1), rdv(2))

    async with asyncio.TaskGroup() as group:
        group.create_task(process_webhooks(context))
        await until(all_are_processed)
        context.rounds.stop.set()


async def test_the_bell_wakes_a_worker_that_rests(context: WorkerContext):
    async with asyncio.TaskGroup() as group:
        group.create_task(process_webhooks(context))
        for number in range(1, 6):
            await receive(rdv(number))
            await wake_inbox(context, INBOX)
            await until(all_are_processed)
        context.rounds.stop.set()


async def test_a_round_that_fails_is_followed_by_another_one(context: WorkerContext):
    failures: list[None] = []

    class Flaky(dict[Partner, object]):
        """Fails the first time that anybody asks who applies what."""

        def __iter__(self):  # type: ignore[no-untyped-def]
            if not failures:
                failures.append(None)
                raise OSError("gone for a moment")
            return super().__iter__()

    await receive(rdv())
    flaky = replace(context, inbox=replace(context.inbox, appliers=Flaky({Partner.RDV_INSERTION: apply})))  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as group:
        group.create_task(process_webhooks(flaky))
        await until(all_are_processed, within_seconds=20)
        context.rounds.stop.set()

    assert len(failures) == 1


async def test_the_ticks_leave_what_they_did(context: WorkerContext):
    await receive(rdv())
    await WebhookEvent.all().update(status=Status.PROCESSED, processed_at=LONG_AGO, received_at=LONG_AGO)

    await purge_webhooks(context)
    await reopen_webhooks(context)
    await watch_webhooks(context)

    runs = {run.name: run.summary for run in await CronRun.all()}
    assert runs == {PURGE_WEBHOOKS: {"purged": 1}, REOPEN_WEBHOOKS: {"reopened": 0}, WATCH_WEBHOOKS: {"silent": 1}}
