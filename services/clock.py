"""The time of day that services read, and the calendar that rules are written in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]

PARIS = ZoneInfo("Europe/Paris")


def utc_now() -> datetime:
    return datetime.now(UTC)


def paris_day(now: datetime) -> date:
    """The day in Europe/Paris: an approval starts and ends on days of French law, whatever the server's zone."""
    return now.astimezone(PARIS).date()
