"""What is promised of the speed: a floor that must be reached and, mostly, a goal beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Verdict(StrEnum):
    """The value is what readers see."""

    GOAL = "goal met"
    FLOOR = "met"
    MISSED = "missed"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`key`: of the measure in its stage's section. `digits`: with so many it is shown, and judged."""

    key: str
    title: str
    floor: float
    goal: float | None = None
    unit: str = ""
    digits: int = 2
    sign: ClassVar[str] = "≥"

    def verdict(self, value: float | None) -> Verdict:
        if value is None:
            return Verdict.UNKNOWN
        seen = round(value, self.digits)
        if self.goal is not None and self.reaches(seen, self.goal):
            return Verdict.GOAL
        return Verdict.FLOOR if self.reaches(seen, self.floor) else Verdict.MISSED

    def shown(self, value: float | None) -> str:
        if value is None:
            return "–"
        return f"{value:.{self.digits}f}{f' {self.unit}' if self.unit else ''}"

    def bound(self, value: float | None) -> str:
        """A floor or a goal, as text."""
        return "–" if value is None else f"{self.sign} {value:g}{f' {self.unit}' if self.unit else ''}"

    def reaches(self, value: float, bound: float) -> bool:
        return value >= bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling(Target):
    """Less is better: the floor is the most that is allowed."""

    sign: ClassVar[str] = "≤"

    def reaches(self, value: float, bound: float) -> bool:
        return value <= bound


TARGETS = (
    Target(key="q1_of_limit", title="Q1, requests a second ÷ the limit's", floor=0.60, goal=0.75),
    Target(key="q2_of_limit", title="Q2, requests a second ÷ the limit's", floor=0.40, goal=0.55),
    Target(key="q3_of_limit", title="Q3, requests a second ÷ the limit's", floor=0.60, goal=0.80),
    Target(key="q1_of_postgraphile", title="Q1, requests a second ÷ PostGraphile's", floor=1.6, goal=2.0),
    Ceiling(key="q1_p99_at_60", title="Q1, p99 at 60 requests a second ÷ the limit's", floor=1.5, goal=1.3),
    Ceiling(key="q1_growth", title="Q1, time on the large database ÷ on the small one", floor=1.3),
    Ceiling(key="q1_row_growth", title="Q1, time a row beyond 50 ÷ up to 50", floor=1.3),
    Ceiling(
        key="fanout_1000", title="1,000 subscribers, COMMIT to the last, p50", floor=150, goal=40, unit="ms", digits=0
    ),
    Ceiling(key="memory_mb", title="memory of a process after load", floor=90, goal=70, unit="MB", digits=0),
    Ceiling(key="start_seconds", title="from start to first answer", floor=2.0, goal=1.2, unit="s"),
)


def verdicts(measures: Mapping[str, float]) -> list[tuple[Target, float | None, Verdict]]:
    """Every target with its value and what became of it."""
    values = [(target, measures.get(target.key)) for target in TARGETS]
    return [(target, value, target.verdict(value)) for target, value in values]
