"""The process itself: whether its event loop keeps up, and who listens to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from prometheus_client import Gauge, Histogram

from telemetry.registry import REGISTRY, leave

_INTERVAL_SECONDS = 0.5

LOOP_LAG = Histogram(
    "traverse_event_loop_lag_seconds",
    "How much later than asked the event loop came back: everything of the process waits as long.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
STREAMS = Gauge(
    "traverse_streams_open",
    "WebSockets and event streams that are open.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
FOLLOWERS = Gauge(
    "traverse_subscribers",
    "Subscriptions that follow a log of events.",
    ("log",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
CATCHING_UP = Gauge(
    "traverse_subscribers_catching_up",
    "Of these, the subscriptions that still read what they missed.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
EVENTS_READ = Gauge(
    "traverse_events_read",
    "Events that the processes that live have read from the logs.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
LISTENER_LOSSES = Gauge(
    "traverse_event_listener_losses",
    "How often the processes that live have lost their connection to the logs.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
STREAM_ENDS = Gauge(
    "traverse_subscriptions_ended",
    "Subscriptions that the processes that live have ended, by reason.",
    ("reason",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
POSITION = Gauge(
    "traverse_event_log_read_position",
    "Up to where a log was read, by the process that is furthest behind.",
    ("log",),
    registry=REGISTRY,
    multiprocess_mode="livemin",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who listens to the process, by log and by reason of leaving."""

    streams: int = 0
    followers: Mapping[str, int] = field(default_factory=dict[str, int])
    catching_up: int = 0
    events_read: int = 0
    listener_losses: int = 0
    ended: Mapping[str, int] = field(default_factory=dict[str, int])
    positions: Mapping[str, int] = field(default_factory=dict[str, int])


@asynccontextmanager
async def sampling(
    audience: Callable[[], Audience] | None = None, *, interval_seconds: float = _INTERVAL_SECONDS
) -> AsyncGenerator[None, None]:
    """Look at the process twice a second while the block runs."""
    task = asyncio.create_task(_sample(audience, interval_seconds), name="metrics")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        leave()


async def _sample(audience: Callable[[], Audience] | None, interval_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        expected = loop.time() + interval_seconds
        await asyncio.sleep(interval_seconds)
        LOOP_LAG.observe(max(loop.time() - expected, 0))
        if audience is not None:
            show(audience())


def show(audience: Audience) -> None:
    STREAMS.set(audience.streams)
    CATCHING_UP.set(audience.catching_up)
    EVENTS_READ.set(audience.events_read)
    LISTENER_LOSSES.set(audience.listener_losses)
    for log, number in audience.followers.items():
        FOLLOWERS.labels(log).set(number)
    for reason, number in audience.ended.items():
        STREAM_ENDS.labels(reason).set(number)
    for log, position in audience.positions.items():
        POSITION.labels(log).set(position)
