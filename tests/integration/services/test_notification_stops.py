"""When a run stops, goes on, or calls for help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from clients.france_travail import FranceTravailClient
from models import JobSeekerProfile
from models.database import write
from models.enums import NotificationStatus as Status
from services.notification import Alarm, BatchStop
from tests.factories import make_approval, make_job_seeker
from tests.integration.services.conftest import Sleeps, TickingClock
from tests.integration.services.notifications import (
    KNOWN_ID,
    days_ago,
    make_sendable,
    numbers_told,
    run,
    status_of,
)
from tests.unit.clients.doubles import ClosedPacer, MemoryTokenStore
from tests.unit.clients.france_travail import CONFIG, FakeFranceTravail

pytestmark = pytest.mark.usefixtures("database", "api")

REJECTED = httpx.Response(200, json={"codeSortie": "S022"})
TAKEN = httpx.Response(200, json={"codeSortie": "S000"})


def alarms(logs: Sequence[EventDict]) -> list[str]:
    assert all(entry["log_level"] == "error" for entry in logs if entry["event"] == "notification_alarm")
    return [entry["reason"] for entry in logs if entry["event"] == "notification_alarm"]


async def test_a_rate_limit_is_waited_for_and_the_same_record_sent_again(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail, sleeps: Sleeps
):
    approval = await make_sendable()
    api.update.mock(side_effect=[httpx.Response(429, text="slow", headers={"Retry-After": "7"}), TAKEN])

    summary = await run(france_travail, clock, sleep=sleeps)

    assert sleeps.seconds == [7]
    assert numbers_told(api.update) == [approval.number] * 2
    assert (summary.statuses, summary.stopped_by) == ({Status.SUCCESS: 1}, None)


async def test_a_second_rate_limit_ends_the_batch(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail, sleeps: Sleeps
):
    first = await make_sendable(start_at=days_ago(1))
    second = await make_sendable(start_at=days_ago(2))
    api.update.respond(429, text="slow", headers={"Retry-After": "30"})

    summary = await run(france_travail, clock, sleep=sleeps)

    assert (summary.stopped_by, summary.attempted) == (BatchStop.RATE_LIMITED, 1)
    assert sleeps.seconds == [30]
    assert api.update.call_count == 2
    assert [await status_of(row) for row in (first, second)] == [Status.SHOULD_RETRY, Status.READY]
    await first.refresh_from_db()
    assert first.pe_notification_time is not None
    assert first.next_attempt_at == first.pe_notification_time + timedelta(seconds=30)


async def test_a_refused_configuration_stops_the_batch_and_calls_for_help(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    rows = [await make_sendable(start_at=days_ago(day)) for day in (1, 2)]
    api.token.respond(400, json={"error": "invalid_client"})

    with capture_logs() as logs:
        summary = await run(france_travail, clock)

    assert (summary.stopped_by, summary.attempted) == (BatchStop.CONFIGURATION, 1)
    assert [await status_of(row) for row in rows] == [Status.SHOULD_RETRY, Status.READY]
    assert alarms(logs) == [Alarm.CONFIGURATION]
    assert api.update.call_count == 0


async def test_a_gate_that_stays_closed_ends_the_batch_before_everybody_has_waited_for_it(
    france_travail_http: httpx.AsyncClient, clock: TickingClock, api: FakeFranceTravail
):
    rows = [await make_sendable(start_at=days_ago(day)) for day in (1, 2)]
    config = replace(CONFIG, queue_seconds=0.05)
    held = FranceTravailClient(config, france_travail_http, MemoryTokenStore(), ClosedPacer())

    summary = await run(held, clock)

    assert (summary.stopped_by, summary.attempted) == (BatchStop.HELD, 1)
    assert [await status_of(row) for row in rows] == [Status.SHOULD_RETRY, Status.READY]
    assert not api.update.called


async def test_a_full_batch_of_failures_raises_an_alarm(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    for _ in range(3):
        await make_sendable()
    api.update.respond(503)

    with capture_logs() as logs:
        await run(france_travail, clock, batch_size=3)

    assert alarms(logs) == [Alarm.ALL_SHOULD_RETRY]


async def test_one_success_in_a_full_batch_raises_none(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    for _ in range(3):
        await make_sendable()
    api.update.mock(side_effect=[httpx.Response(503), TAKEN, httpx.Response(503)])

    with capture_logs() as logs:
        summary = await run(france_travail, clock, batch_size=3)

    assert summary.statuses == {Status.SUCCESS: 1, Status.SHOULD_RETRY: 2}
    assert alarms(logs) == []


async def test_a_broken_record_does_not_keep_the_next_one_from_its_turn(
    france_travail: FranceTravailClient, clock: TickingClock
):
    broken = await make_sendable(start_at=days_ago(1))
    sound = await make_sendable(start_at=days_ago(2))
    await write(
        "UPDATE job_seeker_profile SET nir = '\\x0102'::bytea WHERE user_id = $1 RETURNING id", broken.job_seeker_id
    )

    summary = await run(france_travail, clock)

    assert summary.statuses == {Status.SHOULD_RETRY: 1, Status.SUCCESS: 1}
    assert await status_of(sound) is Status.SUCCESS


async def test_a_run_that_is_told_to_stop_ends_after_the_record_under_way(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    for _ in range(3):
        await make_sendable()

    summary = await run(france_travail, clock, keep_going=lambda: not api.update.called)

    assert (summary.attempted, summary.stopped_by) == (1, BatchStop.INTERRUPTED)


async def test_no_personal_data_reaches_the_log_of_a_run(
    france_travail: FranceTravailClient, clock: TickingClock, api: FakeFranceTravail
):
    job_seekers = [await make_job_seeker() for _ in range(3)]
    for job_seeker in job_seekers:
        await make_approval(job_seeker)
    api.update.mock(side_effect=[TAKEN, REJECTED, httpx.ReadTimeout])

    with capture_logs() as logs:
        await run(france_travail, clock)

    text = str(logs)
    for job_seeker in job_seekers:
        profile = await JobSeekerProfile.get(user_id=job_seeker.id)
        for secret in (job_seeker.first_name, job_seeker.last_name, str(profile.nir), str(profile.birthdate)):
            assert secret not in text
    assert KNOWN_ID not in text
