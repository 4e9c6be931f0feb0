"""partnerHealth, over several processes: what each writes down, and what is read from all of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from clients.breaker import BreakerState
from clients.observer import CallOutcome
from models import PartnerCalls
from models.database import counting_statements, write
from models.encryption import key_ring
from models.enums import Partner
from services.partner_health import CallRecorder, PartnerHealth, forget_old_calls, read_partner_health, reporting
from services.partner_health.reporting import report
from tests.conftest import NOW
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

OFTEN = timedelta(milliseconds=20)


class Breakers:
    def __init__(self, **states: BreakerState) -> None:
        self.states = states

    def breaker_states(self) -> dict[str, BreakerState]:
        return self.states


def recorder_at(now: datetime = NOW) -> CallRecorder:
    return CallRecorder(lambda: now)


def observe(
    recorder: CallRecorder, outcome: CallOutcome, *, partner: str = "ban", duration_ms: float = 20, times: int = 1
) -> None:
    for _ in range(times):
        recorder.observe(
            partner=partner, operation="geocode", outcome=outcome, http_status=None, duration_ms=duration_ms
        )


async def health_of(partner: Partner, now: datetime = NOW) -> PartnerHealth:
    return {health.partner: health for health in await read_partner_health(now=now)}[partner]


async def test_all_ten_partners_are_there_before_anything_was_called():
    healths = await read_partner_health(now=NOW)

    assert [health.partner for health in healths] == list(Partner)
    assert len(healths) == 10
    assert {health.breaker for health in healths} == {BreakerState.CLOSED}
    assert {
        (health.last_success_at, health.last_failure_at, health.p95_ms, health.error_rate) for health in healths
    } == {(None, None, None, None)}


async def test_the_calls_of_several_processes_are_one_picture():
    api, worker = recorder_at(NOW - timedelta(minutes=2)), recorder_at(NOW - timedelta(minutes=1))
    observe(api, CallOutcome.OK, times=6)
    observe(api, CallOutcome.BUSY, times=5)
    observe(worker, CallOutcome.REJECTED, times=1, duration_ms=900)
    observe(worker, CallOutcome.UNAVAILABLE, times=2, duration_ms=900)
    observe(worker, CallOutcome.RATE_LIMITED, times=1, duration_ms=900)

    await report(api, uuid4(), "api", now=NOW)
    await report(worker, uuid4(), "worker", now=NOW)

    health = await health_of(Partner.BAN)
    assert health.error_rate == pytest.approx(0.3)
    assert health.p95_ms is not None
    assert 750 < health.p95_ms < 1_000
    assert health.last_success_at == NOW - timedelta(minutes=1)
    assert health.last_failure_at == NOW - timedelta(minutes=1)
    assert health.calls[CallOutcome.BUSY] == 5


async def test_writing_the_same_minute_again_replaces_it():
    recorder, process_id = recorder_at(), uuid4()
    observe(recorder, CallOutcome.OK)
    await report(recorder, process_id, "api", now=NOW)
    observe(recorder, CallOutcome.OK)

    await report(recorder, process_id, "api", now=NOW)

    assert [row.outcomes for row in await PartnerCalls.all()] == [{"ok": 2}]


async def test_what_did_not_change_costs_no_statement():
    recorder, process_id = recorder_at(), uuid4()
    for partner in ("ban", "sirene", "smtp"):
        observe(recorder, CallOutcome.OK, partner=partner)

    async with counting_statements() as first:
        await report(recorder, process_id, "api", now=NOW)
    async with counting_statements() as second:
        await report(recorder, process_id, "api", now=NOW)

    assert (first.statements, second.statements) == (1, 0)


async def test_calls_older_than_the_window_are_in_no_rate_but_their_time_is_known():
    recorder = recorder_at(NOW - timedelta(minutes=16))
    observe(recorder, CallOutcome.UNAVAILABLE)
    await report(recorder, uuid4(), "api", now=NOW - timedelta(minutes=16))

    health = await health_of(Partner.BAN)

    assert (health.error_rate, health.p95_ms) == (None, None)
    assert health.last_failure_at == NOW - timedelta(minutes=16)


async def test_the_worst_breaker_of_any_process_is_shown():
    api, worker = recorder_at(), recorder_at()
    kept = [
        api.watch("sirene", Breakers(search=BreakerState.CLOSED)),
        worker.watch("sirene", Breakers(search=BreakerState.OPEN, token=BreakerState.CLOSED)),
    ]
    observe(api, CallOutcome.OK, partner="sirene")

    await report(api, uuid4(), "api", now=NOW)
    await report(worker, uuid4(), "worker", now=NOW)

    health = await health_of(Partner.SIRENE)
    assert (health.breaker, health.open_operations) == (BreakerState.OPEN, ("search",))
    assert len(kept) == 2


async def test_a_breaker_that_closed_in_the_next_minute_is_closed():
    process_id, earlier = uuid4(), recorder_at(NOW - timedelta(seconds=10))
    client = earlier.watch("ban", Breakers(geocode=BreakerState.OPEN))
    await report(earlier, process_id, "api", now=NOW - timedelta(seconds=10))
    client.states["geocode"] = BreakerState.CLOSED
    later = recorder_at(NOW)
    later.watch("ban", client)
    observe(later, CallOutcome.OK)

    await report(later, process_id, "api", now=NOW)

    assert (await health_of(Partner.BAN)).breaker is BreakerState.CLOSED


async def test_the_breaker_of_a_process_that_fell_silent_counts_no_more():
    recorder = recorder_at(NOW - timedelta(minutes=1))
    client = recorder.watch("ban", Breakers(geocode=BreakerState.OPEN))
    await report(recorder, uuid4(), "api", now=NOW - timedelta(minutes=1))

    assert (await health_of(Partner.BAN)).breaker is BreakerState.CLOSED
    assert client.states["geocode"] is BreakerState.OPEN


async def test_a_process_writes_while_it_lives_and_takes_its_breakers_with_it():
    recorder = CallRecorder()
    client = recorder.watch("ban", Breakers(geocode=BreakerState.OPEN))
    async with reporting(recorder, "worker", interval=OFTEN) as process_id:

        async def is_open() -> bool:
            rows = await PartnerCalls.filter(process_id=process_id)
            return any(row.breakers == {"geocode": "open"} for row in rows)

        await until(is_open)
        observe(recorder, CallOutcome.OK)

    rows = await PartnerCalls.filter(process_id=process_id)
    assert {row.role for row in rows} == {"worker"}
    assert [row.breakers for row in rows] == [{}] * len(rows)
    assert sum(sum(row.outcomes.values()) for row in rows) == 1
    assert client.states


async def test_diagoriente_fares_as_the_relay_of_mails_does():
    recorder = recorder_at()
    observe(recorder, CallOutcome.UNAVAILABLE, partner="smtp")
    await report(recorder, uuid4(), "worker", now=NOW)

    health = await health_of(Partner.DIAGORIENTE)

    assert (health.error_rate, health.last_failure_at) == (1.0, NOW)


async def test_tally_was_heard_of_when_a_form_came():
    await write(
        "INSERT INTO webhook_event"
        " (id, source, fingerprint, received_at, status, model, resource_id, body, attempts)"
        " VALUES ($1, 'tally', $2, $3, 'received', 'form_response', '1', $4, 0)",
        uuid4(),
        "f" * 64,
        NOW - timedelta(hours=3),
        key_ring().seal("{}"),
    )

    assert (await health_of(Partner.TALLY)).last_success_at == NOW - timedelta(hours=3)


async def test_minutes_are_forgotten_after_a_week():
    for days in (1, 6, 8):
        recorder = recorder_at(NOW - timedelta(days=days))
        observe(recorder, CallOutcome.OK)
        await report(recorder, uuid4(), "api", now=NOW)

    assert await forget_old_calls(now=NOW) == 1

    assert await PartnerCalls.all().count() == 2


async def test_reading_costs_three_statements():
    async with counting_statements() as counter:
        await read_partner_health(now=NOW)

    assert counter.statements == 3
