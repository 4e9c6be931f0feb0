"""What is said of many figures: the middle, the ends, a line through them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import linear_regression


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    # -(-a // b) rounds up.
    return ordered[max(0, int(-(-len(ordered) * share // 1)) - 1)]


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope and intercept of the line that fits best (least squares)."""
    slope, intercept = linear_regression([x for x, _ in points], [y for _, y in points])
    return slope, intercept
