"""What /metrics tells besides what processes counted: the work that waits, as PostgreSQL and Valkey know it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from time import monotonic

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis

from clients.breaker import BreakerState
from jobs.bell import QUEUE
from schema.streams.registry import Streams
from services.event_log import EventHub, Stream
from services.event_log.reading import read_head
from services.operations.due import read_due
from services.operations.notifications import count_by_status
from services.operations.webhooks import count_by_state
from services.operations.workers import WorkerState, read_workers
from services.partner_health import read_partner_health
from services.webhooks.silence import Expectation, read_activity
from telemetry.process import Audience

log = structlog.get_logger(__name__)

_FRESH_SECONDS = 10.0
_READ_SECONDS = 5.0
_BREAKERS = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}

Reader = Callable[[datetime], Awaitable[Iterable[Metric]]]


class SharedFigures:
    """What all processes would say alike, read from PostgreSQL and Valkey; remembered for some seconds."""

    def __init__(self, readers: Iterable[Reader]) -> None:
        self._readers = tuple(readers)
        self._lock = asyncio.Lock()
        self._text = b""
        self._read_at: float | None = None

    async def text(self) -> bytes:
        async with self._lock:  # who asks at the same time reads the same
            if self._read_at is None or monotonic() - self._read_at > _FRESH_SECONDS:
                self._text = await self._read()
                self._read_at = monotonic()
            return self._text

    async def _read(self) -> bytes:
        metrics: list[Metric] = []
        failures = GaugeMetricFamily("traverse_figures_missing", "Figures that could not be read.", labels=["figure"])
        now = datetime.now(UTC)
        for reader in self._readers:
            try:
                async with asyncio.timeout(_READ_SECONDS):
                    metrics += await reader(now)
                failures.add_metric([reader.__name__], 0)
            except Exception as error:  # noqa: BLE001 (a database that is away is what somebody wants to see here)
                log.warning("figures_not_read", name=reader.__name__, error_class=type(error).__name__)
                failures.add_metric([reader.__name__], 1)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Given([*metrics, failures]))
        return generate_latest(registry)


class _Given(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


# -- what is read


async def due_work(now: datetime) -> list[Metric]:
    number = GaugeMetricFamily("traverse_due_items", "Work that is due, up to a bound of counting.", labels=["kind"])
    age = GaugeMetricFamily("traverse_due_age_seconds", "How long the oldest of it has been due.", labels=["kind"])
    for work in await read_due(now=now):
        number.add_metric([work.kind.value], work.due.number)
        waited = work.age(now)
        age.add_metric([work.kind.value], waited.total_seconds() if waited is not None else 0)
    return [number, age]


async def notifications(_: datetime) -> list[Metric]:
    found = GaugeMetricFamily(
        "traverse_notifications", "Approvals by where their notification stands.", labels=["status"]
    )
    for status, number in (await count_by_status()).items():
        found.add_metric([status.value], number)
    return [found]


async def webhooks(_: datetime) -> list[Metric]:
    found = GaugeMetricFamily("traverse_webhook_events", "Received webhooks by state.", labels=["source", "status"])
    for counted in await count_by_state():
        found.add_metric([counted.source.value, counted.status.value], counted.number)
    return [found]


async def partners(now: datetime) -> list[Metric]:
    breaker = GaugeMetricFamily(
        "traverse_partner_breaker", "0 closed, 1 half open, 2 open; the worst of all processes.", labels=["partner"]
    )
    errors = GaugeMetricFamily(
        "traverse_partner_error_ratio", "Failed calls of the last 15 minutes, 0 to 1.", labels=["partner"]
    )
    for health in await read_partner_health(now=now):
        breaker.add_metric([health.partner.value], _BREAKERS[health.breaker])
        if health.error_rate is not None:
            errors.add_metric([health.partner.value], health.error_rate)
    return [breaker, errors]


async def workers(now: datetime) -> list[Metric]:
    found = GaugeMetricFamily("traverse_workers", "Worker processes of the last day by state.", labels=["state"])
    stuck = GaugeMetricFamily("traverse_workers_stuck", "Workers with a job that runs for longer than it may.")
    beat = GaugeMetricFamily("traverse_worker_heartbeat_age_seconds", "Since the last sign of life of any worker.")
    views = await read_workers(now=now)
    for state in WorkerState:
        found.add_metric([state.value], sum(view.state is state for view in views))
    stuck.add_metric([], sum(view.is_stuck for view in views))
    if views:
        beat.add_metric([], max((now - max(view.beat_at for view in views)).total_seconds(), 0))
    return [found, stuck, beat]


async def event_logs(_: datetime) -> list[Metric]:
    head = GaugeMetricFamily("traverse_event_log_head_position", "The last entry of each log.", labels=["log"])
    for stream in Stream:
        head.add_metric([stream.value], (await read_head(stream)).position)
    return [head]


def queue_reader(valkey: Redis) -> Reader:
    async def queue(now: datetime) -> list[Metric]:
        depth = GaugeMetricFamily("traverse_queue_depth", "Jobs that wait in Valkey.")
        age = GaugeMetricFamily("traverse_queue_age_seconds", "How long the oldest of them has waited.")
        depth.add_metric([], await valkey.zcard(QUEUE))
        oldest = await valkey.zrange(QUEUE, 0, 0, withscores=True)
        due_at = oldest[0][1] / 1000 if oldest else now.timestamp()
        age.add_metric([], max(now.timestamp() - due_at, 0))
        return [depth, age]

    return queue


def silence_reader(expected: Sequence[Expectation]) -> Reader:
    async def webhook_silence(now: datetime) -> list[Metric]:
        found = GaugeMetricFamily(
            "traverse_webhook_silence",
            "1: a partner that sent this kind of webhook stays away for too long, and no operator silenced the alarm.",
            labels=["source", "model"],
        )
        for each in await read_activity(expected, now=now):
            found.add_metric([each.expectation.source.value, each.expectation.model], int(each.is_alarming))
        return [found]

    return webhook_silence


def shared_figures(valkey: Redis, expected_webhooks: Sequence[Expectation] = ()) -> SharedFigures:
    readers = (due_work, notifications, webhooks, partners, workers, event_logs)
    return SharedFigures((*readers, silence_reader(expected_webhooks), queue_reader(valkey)))


# -- what a process shows of itself


def audience_of(streams: Streams, hub: EventHub | None) -> Callable[[], Audience]:
    def look() -> Audience:
        if hub is None:
            return Audience(streams=len(streams))
        figures = hub.figures()
        return Audience(
            streams=len(streams),
            followers={stream.value: number for stream, number in figures.followers.items()},
            catching_up=figures.catching_up,
            events_read=figures.events_read,
            listener_losses=figures.connections_lost,
            ended={reason.value: number for reason, number in figures.ended.items()},
            positions={stream.value: position for stream, position in figures.positions.items()},
        )

    return look
