"""One fault of `benchmarks.faults`, as small as it gets, and what must come of it."""

from __future__ import annotations

import pytest

from benchmarks.faults.catalogue import FAULTS, NEED_A_DISK
from benchmarks.faults.disks import can_mount
from benchmarks.faults.stage import Theatre


async def assert_it_costs_nothing(fault: str, stages: Theatre) -> None:
    """Run it. Skips a full disk where none can be made."""
    if fault in NEED_A_DISK and not can_mount():
        pytest.skip("a full disk needs a small disk: only root may mount one")

    figures = await FAULTS[fault](stages, 1)

    print(f"\n{figures.line()}")  # noqa: T201 - the figures are what the test is for
    assert (figures.lost, figures.doubled, figures.leaked) == (0, 0, 0)
    assert figures.tries > 0
