"""Chance that falls the same way every time, and days counted from the day of loading."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")

PARIS = ZoneInfo("Europe/Paris")
_SATURDAY = 5


class Dice(random.Random):
    """A generator for one subject: a change in one part of the cast leaves the others as they were."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"traverse demo, {subject}")

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def draw(self, weights: Mapping[T, float]) -> T:
        return self.choices([*weights], [*weights.values()])[0]

    def pick(self, values: Sequence[T]) -> T:
        return values[int(self.random() * len(values))]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Turns "so many days ago" into instants. Everything in the cast stands relative to `now`."""

    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(PARIS).date()

    def day(self, offset: int) -> date:
        return self.today + timedelta(days=offset)

    def office_hour(self, offset: int, dice: Dice) -> datetime:
        """An instant between 8:00 and 18:00 in Paris; a weekend moves to the Friday before. Never after now."""
        day = self.day(offset)
        day -= timedelta(days=max(0, day.weekday() - _SATURDAY + 1))
        instant = self.instant(day, time(8 + int(dice.random() * 10), int(dice.random() * 60)))
        return min(instant, self.now - timedelta(minutes=1 + int(dice.random() * 50)))

    def slot(self, offset: int, dice: Dice) -> datetime:
        """The start of an appointment, on a working day; for the day of loading, one to five hours ahead of now."""
        if offset == 0:
            return self.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1 + int(dice.random() * 5))
        day = self.day(offset)
        weekend = day.weekday() - _SATURDAY
        if weekend >= 0:
            # Forwards for what is to come, backwards for what is over: neither may cross today.
            day += timedelta(days=2 - weekend) if offset > 0 else timedelta(days=-1 - weekend)
        return self.instant(day, time(9 + int(dice.random() * 8), dice.pick((0, 15, 30, 45))))

    @staticmethod
    def instant(day: date, at: time) -> datetime:
        return datetime.combine(day, at, PARIS).astimezone(UTC)
