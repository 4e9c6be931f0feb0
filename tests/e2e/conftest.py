"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.stage import Theatre, theatre
from tests.conftest import KEYS


@pytest.fixture(scope="module")
def stages() -> Iterator[Theatre]:
    """Engines for faults alone: others would not bear their restarts.

    Not in pytest's own folder, which each session closes to other accounts: PostgreSQL has one, where we are root.
    """
    with tempfile.TemporaryDirectory(prefix="traverse-faults-") as folder, theatre(Path(folder), KEYS) as running:
        yield running
