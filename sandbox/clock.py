"""Time as the sandbox sees it, so that tests can age tokens and windows instead of waiting."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, slots=True)
class Clock:
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def today_in_paris(self) -> date:
        """The day that French administrations mean by today."""
        return self.now().astimezone(_PARIS).date()
