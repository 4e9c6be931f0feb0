"""What the database and the queue say of the work that waits, as Prometheus reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from clients.breaker import BreakerState
from clients.observer import CallOutcome
from jobs.bell import JobQueue
from metrics import SharedFigures, shared_figures
from models import WorkerHeartbeat
from models.database import counting_statements
from models.enums import NotificationStatus, Partner
from services.partner_health import CallRecorder
from services.partner_health.reporting import report
from tests.factories import make_approval

pytestmark = pytest.mark.usefixtures("database")


class Breakers:
    def breaker_states(self) -> dict[str, BreakerState]:
        return {"geocode": BreakerState.OPEN}


async def samples(figures: SharedFigures) -> dict[tuple[str, ...], float]:
    """By name and values of labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families((await figures.text()).decode())
        for sample in family.samples
    }


async def test_the_work_that_waits_is_told_with_its_age(valkey: Redis):
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    approval = await make_approval()
    await approval.filter(id=approval.id).update(
        pe_notification_status=NotificationStatus.SHOULD_RETRY, next_attempt_at=long_ago, created_at=long_ago
    )

    found = await samples(shared_figures(valkey))

    assert found["traverse_due_items", "notifications"] == 1
    assert found["traverse_due_age_seconds", "notifications"] == pytest.approx(7_200, abs=60)
    assert found["traverse_notifications", "notification_should_retry"] == 1


async def test_the_queue_is_told_with_its_depth(valkey: Redis):
    await JobQueue(valkey).ring("notify_approval", uuid4())

    found = await samples(shared_figures(valkey))

    assert found["traverse_queue_depth",] == 1
    assert found["traverse_queue_age_seconds",] >= 0


async def test_workers_and_breakers_of_all_processes_are_told(valkey: Redis):
    now = datetime.now(UTC)
    await WorkerHeartbeat.create(host="h", pid=1, version="0", queue="q", started_at=now, beat_at=now)
    recorder, breakers = CallRecorder(), Breakers()
    recorder.watch("ban", breakers)
    for outcome in (CallOutcome.OK, CallOutcome.UNAVAILABLE):
        recorder.observe(partner="ban", operation="geocode", outcome=outcome, http_status=None, duration_ms=5)
    await report(recorder, uuid4(), "worker", now=now)

    found = await samples(shared_figures(valkey))

    assert found["traverse_workers", "alive"] == 1
    assert found["traverse_worker_heartbeat_age_seconds",] < 60
    assert found["traverse_partner_breaker", "ban"] == 2
    assert found["traverse_partner_error_ratio", "ban"] == pytest.approx(0.5)
    assert sum(name[0] == "traverse_partner_breaker" for name in found) == len(Partner)


async def test_what_cannot_be_read_is_named_and_the_rest_is_told(valkey: Redis):
    async def broken(_: datetime) -> list[Metric]:
        raise ConnectionError

    async def sound(_: datetime) -> list[Metric]:
        return []

    found = await samples(SharedFigures((broken, sound)))

    assert found == {("traverse_figures_missing", "broken"): 1, ("traverse_figures_missing", "sound"): 0}


async def test_figures_are_read_once_for_all_who_ask_within_some_seconds(valkey: Redis):
    figures = shared_figures(valkey)
    first = await figures.text()

    async with counting_statements() as counter:
        second = await figures.text()

    assert counter.statements == 0
    assert second == first
