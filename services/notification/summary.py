"""What a run came to, and whether a person must be told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from models.enums import NotificationStatus
from services.notification.announcing import Announced
from services.notification.verdicts import BatchStop

# From so many attempts on, a run without a single success is no accident, whatever the size of a batch.
ATTEMPTS_THAT_NEED_A_SUCCESS = 20


class Alarm(StrEnum):
    """Why somebody must look at a run."""

    ALL_ERROR = "all_error"
    ALL_SHOULD_RETRY = "all_should_retry"
    NO_SUCCESS = "no_success"
    CONFIGURATION = "configuration"


@dataclass(slots=True, kw_only=True)
class BatchSummary:
    """Counts of one run. `lost`: taken over by another worker in the middle, which counts them."""

    batch_size: int
    revived: int = 0
    promoted: int = 0
    attempted: int = 0
    lost: int = 0
    statuses: Counter[NotificationStatus] = field(default_factory=Counter[NotificationStatus])
    stopped_by: BatchStop | None = None

    def add(self, announced: Announced) -> None:
        self.attempted += 1
        if announced.status is None:
            self.lost += 1
        else:
            self.statuses[announced.status] += 1
        self.stopped_by = self.stopped_by or announced.stops_batch

    @property
    def room(self) -> int:
        return self.batch_size - self.attempted

    @property
    def alarm(self) -> Alarm | None:
        """A full batch that ended all alike, a refused configuration, or many attempts without a success."""
        if self.stopped_by is BatchStop.CONFIGURATION:
            return Alarm.CONFIGURATION
        if self.attempted == self.batch_size:
            if self.statuses[NotificationStatus.ERROR] == self.batch_size:
                return Alarm.ALL_ERROR
            if self.statuses[NotificationStatus.SHOULD_RETRY] == self.batch_size:
                return Alarm.ALL_SHOULD_RETRY
        if self.attempted >= ATTEMPTS_THAT_NEED_A_SUCCESS and not self.statuses[NotificationStatus.SUCCESS]:
            return Alarm.NO_SUCCESS
        return None

    def as_json(self) -> dict[str, Any]:
        """For logs and `cron_run`."""
        return {
            "revived": self.revived,
            "promoted": self.promoted,
            "attempted": self.attempted,
            "lost": self.lost,
            **{status.value: count for status, count in sorted(self.statuses.items())},
            "stopped_by": self.stopped_by,
            "alarm": self.alarm,
        }
