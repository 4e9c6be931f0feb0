"""Figures over time: how much was done, how much in vain, how long it took. For charts, oldest bucket first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from models.database import fetch_all


class Window(Enum):
    """How far back, in how many steps. The value: length, step."""

    HOUR = (timedelta(hours=1), timedelta(minutes=1))
    SIX_HOURS = (timedelta(hours=6), timedelta(minutes=5))
    DAY = (timedelta(days=1), timedelta(minutes=30))
    WEEK = (timedelta(days=7), timedelta(hours=3))

    @property
    def length(self) -> timedelta:
        return self.value[0]

    @property
    def step(self) -> timedelta:
        return self.value[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What began in [`start`, `start` + step). Percentiles in milliseconds; None: nothing ended."""

    start: datetime
    total: int
    succeeded: int
    failed: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None

    @property
    def failure_rate(self) -> float | None:
        """From 0 to 1; None: nothing was done."""
        return self.failed / self.total if self.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """All buckets of a window, empty ones included, and the whole of it as one. The last bucket is still filling."""

    window: Window
    buckets: tuple[Bucket, ...]
    whole: Bucket


# Each bucket reads its own range of an index and sorts what it found there; to sort all by bucket costs twice as much,
# and goes to the disk for a week.
_BUCKETS = """
SELECT span.start, span.is_whole, figures.*
FROM (
    SELECT start, start + $3::interval AS until, false AS is_whole
    FROM generate_series($1::timestamptz, $2::timestamptz - $3::interval, $3::interval) AS start
    UNION ALL SELECT $1, $2, true
) AS span
CROSS JOIN LATERAL (
    SELECT count(*)::int AS total,
        (count(*) FILTER (WHERE {succeeded}))::int AS succeeded,
        (count(*) FILTER (WHERE {failed}))::int AS failed,
        percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY ({milliseconds})::float8)
            AS percentiles
    FROM {table} WHERE {at} >= span.start AND {at} < span.until
) AS figures
ORDER BY span.start
"""
_NOTIFICATIONS = _BUCKETS.format(
    at="started_at",
    table="notification_attempt",
    succeeded="outcome = 'notification_success'",
    failed="outcome IN ('notification_error', 'notification_should_retry')",
    # What was never called took no time worth a percentile.
    milliseconds="CASE WHEN finished_at IS NOT NULL AND endpoint IS NOT NULL THEN duration_ms END",
)
_WEBHOOKS = _BUCKETS.format(
    at="received_at",
    table="webhook_event",
    succeeded="status IN ('processed', 'ignored')",
    failed="status = 'failed'",
    # One that is processed again has waited since then, and not since it came.
    milliseconds="date_part('epoch', processed_at - greatest(received_at, due_since)) * 1000",
)


async def read_notification_series(window: Window, *, now: datetime) -> Series:
    """Attempts by their start. Failed: refused, or to be tried again; the others were held back by a check.

    Percentiles: of attempts that called France Travail. One statement.
    """
    return await _read(_NOTIFICATIONS, window, now)


async def read_webhook_series(window: Window, *, now: datetime) -> Series:
    """Events by their reception. Failed: given up. Percentiles: from the reception to the outcome. One statement.

    An event that was replayed counts by its last outcome, from when it was replayed.
    """
    return await _read(_WEBHOOKS, window, now)


async def _read(statement: str, window: Window, now: datetime) -> Series:
    # Up to the end of the bucket that is filling; whole multiples, so that a reload does not shift the chart.
    seconds = window.step.total_seconds()
    end = datetime.fromtimestamp((now.timestamp() // seconds + 1) * seconds, tz=now.tzinfo)
    rows = await fetch_all(statement, end - window.length, end, window.step)
    return Series(
        window=window,
        buckets=tuple(_bucket(row) for row in rows if not row["is_whole"]),
        whole=next(_bucket(row) for row in rows if row["is_whole"]),
    )


def _bucket(row: Any) -> Bucket:
    p50, p95, p99 = row["percentiles"] or (None, None, None)
    return Bucket(
        start=row["start"],
        total=row["total"],
        succeeded=row["succeeded"],
        failed=row["failed"],
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
    )
