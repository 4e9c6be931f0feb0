"""The engine of the inbox, with appliers of the tests' own: what is applied, how often, what becomes of the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import copy_context
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from clients.rdv_insertion.events import read_envelope
from models import CronRun, WebhookEvent
from models.database import counting_statements, fetch_all, lock_for_transaction, transaction, write
from models.encryption import key_ring
from models.enums import Partner
from models.enums import WebhookEventStatus as Status
from services.webhooks.claims import Resource, claim, release
from services.webhooks.deliveries import read_rdv_insertion, read_tally
from services.webhooks.engine import work_off
from services.webhooks.inbox import store
from services.webhooks.outcomes import Applied, Failed, Ignored, Outcome, Unmatched
from services.webhooks.processing import (
    MAX_ATTEMPTS,
    PAUSES,
    Applier,
    Appliers,
    PendingEvent,
    Settled,
    process_due,
)
from tests.conftest import NOW
from tests.integration.locks import WAITING_FOR_A_LOCK
from tests.integration.webhooks.senders import invitation, rdv, tally
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

LEASE = timedelta(seconds=60)


class _Here:
    """Stores over the pool of the tests."""

    async def write(self, sql: str, /, *arguments: object) -> object:
        return await write(sql, *arguments)


async def receive(*bodies: bytes) -> list[UUID]:
    stored = [await store(read_rdv_insertion(body), writer=_Here(), received_at=NOW) for body in bodies]
    return [each.event_id for each in stored if each.event_id is not None]


def clock() -> datetime:
    return NOW


async def note(event: PendingEvent) -> None:
    """An effect that can be counted: a row for each application, in the transaction of the engine."""
    number = read_envelope(event.body).resource_id
    await CronRun.create(name=f"{number}:{event.id}:{uuid4().hex[:6]}", started_at=NOW)


async def effects() -> list[str]:
    """The events that took effect, by id, each as often as it did."""
    return sorted(run.name.split(":")[1] for run in await CronRun.all())


async def apply(event: PendingEvent, _: datetime) -> Outcome:
    await note(event)
    return Applied()


APPLYING: Appliers = {Partner.RDV_INSERTION: apply}


def answering(outcomes: Mapping[str, Outcome | BaseException]) -> Appliers:
    """An applier that answers by the status that an appointment bears; and writes an effect before it answers."""

    async def answer(event: PendingEvent, _: datetime) -> Outcome:
        await note(event)
        for word, outcome in outcomes.items():
            if f'"{word}"'.encode() in event.body:
                if isinstance(outcome, BaseException):
                    raise outcome
                return outcome
        return Applied()

    return {Partner.RDV_INSERTION: answer}


async def event_of(event_id: UUID) -> WebhookEvent:
    return await WebhookEvent.get(id=event_id)


APPOINTMENT = Resource(source=Partner.RDV_INSERTION, model="rdv", id="1261")


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (Applied(), Status.PROCESSED, None),
        (Ignored("older"), Status.IGNORED, "older"),
        (Unmatched("nobody_invited"), Status.UNMATCHED, "nobody_invited"),
        (Failed("unlisted_status"), Status.FAILED, "unlisted_status"),
    ],
)
async def test_an_outcome_is_recorded_with_its_reason(outcome: Outcome, status: Status, reason: str | None):
    [event_id] = await receive(rdv(status="seen"))

    await work_off(answering({"seen": outcome}), clock=clock)

    event = await event_of(event_id)
    assert (event.status, event.error, event.processed_at) == (status, reason, NOW)
    assert (event.lease_token, event.next_attempt_at, event.attempts) == (None, None, 1)


async def test_what_is_settled_is_not_applied_again():
    await receive(rdv(), invitation())

    first, second = await work_off(APPLYING, clock=clock), await work_off(APPLYING, clock=clock)

    assert (first.processed, first.total, second.total) == (2, 2, 0)
    assert len(await effects()) == 2


async def test_events_of_one_resource_are_given_together_the_newest_first():
    ids = await receive(
        rdv(at="2026-03-02 10:15:01 +0100"),
        rdv(at="2026-03-02 10:15:03 +0100"),
        rdv(at="2026-03-02 10:15:02 +0100", event="destroyed"),
        rdv(at="2026-03-02 10:15:03 +0100", event="created"),
    )
    seen: list[UUID] = []

    async def watch(event: PendingEvent, _: datetime) -> Outcome:
        seen.append(event.id)
        return Applied() if len(seen) == 1 else Ignored("stale")

    summary = await work_off({Partner.RDV_INSERTION: watch}, clock=clock)

    # What was destroyed stays so, though a change that crossed it bears a later time.
    assert seen == [ids[2], ids[1], ids[3], ids[0]]
    assert (summary.processed, summary.ignored) == (1, 3)


async def test_events_without_an_applier_wait_for_one():
    await store(read_tally(tally()), writer=_Here(), received_at=NOW)

    await work_off(APPLYING, clock=clock)

    event = await WebhookEvent.all().get()
    assert (event.status, event.attempts) == (Status.RECEIVED, 0)


async def test_an_accident_undoes_the_effect_and_postpones_the_event_alone():
    bad, good = await receive(rdv(status="seen", at="2026-03-02 10:15:02 +0100"), rdv(status="excused"))
    other = (await receive(rdv(2)))[0]

    with capture_logs() as logs:
        summary = await work_off(answering({"seen": ValueError("Zélie Fictive")}), clock=clock)

    event = await event_of(bad)
    assert (event.status, event.error, event.next_attempt_at) == (Status.RECEIVED, "ValueError", NOW + PAUSES[0])
    assert await effects() == sorted([str(good), str(other)])
    assert (summary.processed, summary.postponed) == (2, 1)
    assert "Zélie" not in str(logs)


async def test_an_event_is_tried_again_when_its_time_has_come_and_not_before():
    [event_id] = await receive(rdv(status="seen"))
    await work_off(answering({"seen": ValueError("odd")}), clock=clock)

    early = await work_off(APPLYING, clock=lambda: NOW + PAUSES[0] - timedelta(milliseconds=1))
    in_time = await work_off(APPLYING, clock=lambda: NOW + PAUSES[0])

    assert (early.total, in_time.processed) == (0, 1)
    event = await event_of(event_id)
    assert (event.status, event.error, event.attempts) == (Status.PROCESSED, None, 2)


async def test_after_the_last_attempt_an_operator_is_called():
    [event_id] = await receive(rdv(status="seen"))
    now = NOW
    with capture_logs() as logs:
        for pause in (*PAUSES, timedelta(0)):
            await work_off(answering({"seen": ValueError("odd")}), clock=lambda: now)  # noqa: B023 (called within)
            now += pause

    event = await event_of(event_id)
    assert (event.status, event.error, event.attempts) == (Status.FAILED, "ValueError", MAX_ATTEMPTS)
    assert event.body is not None
    assert [entry["event"] for entry in logs][-1] == "webhook_event_given_up"
    assert (await work_off(APPLYING, clock=lambda: now + timedelta(days=9))).total == 0


async def test_an_event_that_takes_its_worker_with_it_is_given_up_in_the_end():
    [event_id] = await receive(rdv())
    for _ in range(MAX_ATTEMPTS):
        await claim([Partner.RDV_INSERTION], now=NOW, size=9, lease=timedelta(0))

    await work_off(APPLYING, clock=clock)

    event = await event_of(event_id)
    assert (event.status, event.error) == (Status.FAILED, "worker_died")
    assert await effects() == []


async def test_a_body_whose_key_is_gone_fails_and_keeps_nobody_else_from_their_turn():
    lost, kept = await receive(rdv(1), rdv(2))
    sealed = bytearray(key_ring().seal("{}"))
    sealed[-1] ^= 1
    await write("UPDATE webhook_event SET body = $2 WHERE id = $1 RETURNING id", lost, bytes(sealed))

    await work_off(APPLYING, clock=clock)

    rows = await fetch_all("SELECT error FROM webhook_event WHERE id = $1", lost)
    assert rows[0]["error"] == "body_cannot_be_opened"
    assert await effects() == [str(kept)]


class Killed(BaseException):
    """The worker is gone at this very instruction."""


async def test_a_worker_killed_after_its_claim_leaves_events_that_another_takes_when_the_lease_is_over():
    [event_id] = await receive(rdv())
    await claim([Partner.RDV_INSERTION], now=NOW, size=9, lease=LEASE)

    while_held = await work_off(APPLYING, clock=clock)
    await write(
        "UPDATE webhook_event SET lease_until = clock_timestamp() - interval '1 second' WHERE id = $1 RETURNING id",
        event_id,
    )
    afterwards = await work_off(APPLYING, clock=clock)

    assert (while_held.total, afterwards.processed) == (0, 1)
    assert (await event_of(event_id)).attempts == 2


async def test_a_worker_killed_between_effect_and_outcome_leaves_neither():
    [event_id] = await receive(rdv(status="seen"))

    with pytest.raises(Killed):
        await process_due(APPOINTMENT, answering({"seen": Killed()}), clock=clock)

    assert await effects() == []
    assert (await event_of(event_id)).status is Status.RECEIVED
    assert await process_due(APPOINTMENT, APPLYING, clock=clock) == Settled((Applied(),))
    assert await effects() == [str(event_id)]


async def test_a_worker_killed_after_the_commit_leaves_nothing_to_do():
    await receive(rdv())
    await claim([Partner.RDV_INSERTION], now=NOW, size=9, lease=LEASE)
    await process_due(APPOINTMENT, APPLYING, clock=clock)

    assert await process_due(APPOINTMENT, APPLYING, clock=clock) is None
    assert len(await effects()) == 1


async def test_a_worker_that_is_to_end_gives_back_what_it_has_not_begun():
    await receive(*(rdv(number) for number in range(1, 11)))
    begun: list[UUID] = []

    async def count(event: PendingEvent, _: datetime) -> Outcome:
        begun.append(event.id)
        return Applied()

    await work_off(
        {Partner.RDV_INSERTION: count}, clock=clock, at_once=1, together=1, keep_going=lambda: len(begun) < 3
    )

    left = await WebhookEvent.filter(status=Status.RECEIVED)
    assert len(left) == 7
    assert {(event.lease_token, event.attempts) for event in left} == {(None, 0)}


async def test_giving_back_touches_no_claim_of_another_worker():
    await receive(rdv(1))
    mine = await claim([Partner.RDV_INSERTION], now=NOW, size=9, lease=LEASE)
    await receive(rdv(2))
    await claim([Partner.RDV_INSERTION], now=NOW, size=9, lease=LEASE)

    assert await release(mine.token) == 1
    assert await WebhookEvent.filter(lease_token__isnull=False).count() == 1


async def test_four_engines_at_once_apply_each_event_once():
    ids = await receive(
        *(rdv(number, at=f"2026-03-02 10:15:{second:02d} +0100") for second in range(4) for number in range(1, 41))
    )

    summaries = await asyncio.gather(*(work_off(APPLYING, clock=clock, batch_size=7, at_once=3) for _ in range(4)))

    assert sum(summary.processed for summary in summaries) == 160
    assert await effects() == sorted(str(event_id) for event_id in ids)
    assert await WebhookEvent.filter(status=Status.PROCESSED).count() == 160


async def test_two_workers_never_apply_events_of_one_resource_at_the_same_time():
    await receive(*(rdv(at=f"2026-03-02 10:15:{second:02d} +0100") for second in range(30)))
    inside, most = 0, 0

    async def count(event: PendingEvent, _: datetime) -> Outcome:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await note(event)
        inside -= 1
        return Applied()

    appliers: Appliers = {Partner.RDV_INSERTION: count}
    await asyncio.gather(*(work_off(appliers, clock=clock, batch_size=2, at_once=3) for _ in range(3)))

    assert most == 1
    assert len(await effects()) == 30


async def test_a_worker_waits_for_the_one_that_is_at_the_resource():
    await receive(rdv())
    outside = copy_context()  # a task of its own, and not one within the transaction that holds the lock

    async with transaction():
        await lock_for_transaction(APPOINTMENT.lock_key)
        waiting = asyncio.create_task(process_due(APPOINTMENT, APPLYING, clock=clock), context=outside)
        await until(somebody_waits_for_a_lock)
        before = await effects()

    assert await waiting == Settled((Applied(),))
    assert before == []


async def somebody_waits_for_a_lock() -> bool:
    return bool(await fetch_all(WAITING_FOR_A_LOCK))


async def test_a_database_error_in_an_applier_is_an_accident_of_that_event_only():
    bad, good = await receive(rdv(1, status="seen"), rdv(2))

    async def overflow(event: PendingEvent, _: datetime) -> Outcome:
        if b'"seen"' in event.body:
            await fetch_all("SELECT $1::bigint", 2**70)
        return await apply(event, NOW)

    await work_off({Partner.RDV_INSERTION: overflow}, clock=clock)

    assert (await event_of(bad)).status is Status.RECEIVED
    assert (await event_of(bad)).error is not None
    assert await effects() == [str(good)]


async def test_few_statements_are_sent_whatever_the_number_of_events_of_a_resource():
    async def nothing(_: PendingEvent, __: datetime) -> Outcome:
        return Applied()

    appliers: Mapping[Partner, Applier] = {Partner.RDV_INSERTION: nothing}
    counts: list[int] = []
    for number, events in ((1, 1), (2, 20)):
        await receive(*(rdv(number, at=f"2026-03-02 10:15:{second:02d} +0100") for second in range(events)))
        resource = Resource(source=Partner.RDV_INSERTION, model="rdv", id=str(number))
        async with counting_statements() as counter:
            await process_due(resource, appliers, clock=clock)
        counts.append(counter.statements)

    assert counts == [3, 3]


async def test_many_resources_cost_few_transactions_and_statements():
    async def nothing(_: PendingEvent, __: datetime) -> Outcome:
        return Applied()

    await receive(*(rdv(number) for number in range(1, 41)))
    async with counting_statements() as counter:
        summary = await work_off({Partner.RDV_INSERTION: nothing}, clock=clock)

    assert summary.processed == 40
    # Claim and release, twice because the second finds nothing; and lock, due, outcomes of each ten.
    assert counter.statements <= 4 + 4 * 3


async def test_more_events_than_go_together_are_all_settled_in_their_order():
    ids = await receive(
        *(rdv(number, at=f"2026-03-02 10:15:{second:02d} +0100") for number in (1, 2) for second in range(30))
    )
    order: dict[bytes, list[UUID]] = {b'"id":1,': [], b'"id":2,': []}

    async def watch(event: PendingEvent, _: datetime) -> Outcome:
        order[next(number for number in order if number in event.body)].append(event.id)
        return Applied()

    await work_off({Partner.RDV_INSERTION: watch}, clock=clock)

    assert list(order.values()) == [ids[29::-1], ids[:29:-1]]


async def test_what_is_wrong_with_one_of_several_keeps_none_of_the_others():
    await receive(*(rdv(number, status="seen" if number == 4 else "unknown") for number in range(1, 11)))

    summary = await work_off(answering({"seen": ValueError("odd")}), clock=clock)

    assert (summary.processed, summary.postponed) == (9, 1)
    assert len(await effects()) == 9


async def test_a_connection_that_is_cut_in_the_middle_undoes_everything_and_postpones_the_event():
    [event_id] = await receive(rdv())

    async def cut(event: PendingEvent, _: datetime) -> Outcome:
        await note(event)
        await fetch_all("SELECT pg_terminate_backend(pg_backend_pid())")
        return Applied()

    await work_off({Partner.RDV_INSERTION: cut}, clock=clock)

    event = await event_of(event_id)
    assert (event.status, event.next_attempt_at) == (Status.RECEIVED, NOW + PAUSES[0])
    assert await effects() == []
