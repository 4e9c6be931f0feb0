"""Counting calls, as partners do that allow so many within a time."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Window:
    """The calls let through within the last seconds. Those that were refused do not count: patience is rewarded."""

    seconds: float = 1.0
    _recent: deque[float] = field(default_factory=deque[float])

    def admits(self, now: float, *, limit: int) -> bool:
        """Whether one more call is within the limit; it is counted then."""
        while self._recent and self._recent[0] <= now - self.seconds:
            self._recent.popleft()
        if len(self._recent) >= limit:
            return False
        self._recent.append(now)
        return True
