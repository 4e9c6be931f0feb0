"""Clients, partners, clocks and disks misbehave: nothing is lost, doubled or leaked, and nobody has to help.

`python -m benchmarks.faults` runs the same, larger, and prints a table; see docs/explanation/faults.md.
"""

from __future__ import annotations

import pytest

from benchmarks.faults.catalogue import FAULTS, WITHIN
from benchmarks.faults.stage import Theatre
from tests.e2e.faults import assert_it_costs_nothing

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in WITHIN])
async def test_a_fault_around_us_loses_doubles_and_leaks_nothing(fault: str, stages: Theatre):
    await assert_it_costs_nothing(fault, stages)
