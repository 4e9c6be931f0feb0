"""Promises are judged by what readers see of the figures."""

from __future__ import annotations

import pytest

from benchmarks.targets import TARGETS, Ceiling, Target, Verdict, verdicts

RATIO = Target(key="ratio", title="ratio", floor=0.6, goal=0.75)
SECONDS = Ceiling(key="start", title="start", floor=2.0, goal=1.2, unit="s")


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        (RATIO, 0.80, Verdict.GOAL),
        (RATIO, 0.75, Verdict.GOAL),
        (RATIO, 0.74, Verdict.FLOOR),
        (RATIO, 0.60, Verdict.FLOOR),
        (RATIO, 0.59, Verdict.MISSED),
        # It is shown as 0.60, and so it is read.
        (RATIO, 0.5951, Verdict.FLOOR),
        (RATIO, None, Verdict.UNKNOWN),
        (SECONDS, 1.1, Verdict.GOAL),
        (SECONDS, 1.2, Verdict.GOAL),
        (SECONDS, 1.21, Verdict.FLOOR),
        (SECONDS, 2.0, Verdict.FLOOR),
        (SECONDS, 2.01, Verdict.MISSED),
        (Ceiling(key="growth", title="growth", floor=1.3), 1.2, Verdict.FLOOR),
    ],
)
def test_a_value_is_judged_by_floor_and_goal(target: Target, value: float | None, verdict: Verdict):
    assert target.verdict(value) is verdict


def test_bounds_and_values_are_shown_with_sign_and_unit():
    assert (RATIO.bound(RATIO.floor), RATIO.shown(0.5951)) == ("≥ 0.6", "0.60")
    assert (SECONDS.bound(SECONDS.goal), SECONDS.shown(1.208)) == ("≤ 1.2 s", "1.21 s")
    assert (SECONDS.bound(None), SECONDS.shown(None)) == ("–", "–")


def test_what_was_not_measured_stays_in_the_list():
    judged = {target.key: (value, verdict) for target, value, verdict in verdicts({"memory_mb": 95.0})}

    assert len(judged) == len(TARGETS)
    assert judged["memory_mb"] == (95.0, Verdict.MISSED)
    assert judged["start_seconds"] == (None, Verdict.UNKNOWN)
