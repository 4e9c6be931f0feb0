"""Faults on purpose, small enough for every run of the tests; docs/explanation/faults.md tells what each does.

`python -m benchmarks.faults` runs the same, larger, and prints their table.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.faults.catalogue import FAULTS, NEED_A_DISK
from benchmarks.faults.disks import can_mount
from benchmarks.faults.stage import Theatre, theatre
from tests.conftest import KEYS

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Engines of these tests alone: others would not bear their restarts."""
    with theatre(tmp_path_factory.mktemp("faults"), KEYS) as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_loses_doubles_and_leaks_nothing(fault: str, stages: Theatre):
    if fault in NEED_A_DISK and not can_mount():
        pytest.skip("a full disk needs a small disk: only root may mount one")

    figures = await FAULTS[fault](stages, 1)

    print(f"\n{figures.line()}")  # noqa: T201 - the figures are what the test is for
    assert (figures.lost, figures.doubled, figures.leaked) == (0, 0, 0)
    assert figures.tries > 0
