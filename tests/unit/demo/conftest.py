"""The cast, invented once for all tests that only look at it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from demo.cast.building import Cast, build_cast
from demo.cast.world import SimulatedWorld
from sandbox.cast import PEOPLE
from sandbox.france_travail.identifiers import id_national_of

WORLD = SimulatedWorld(id_national_of=id_national_of, people=PEOPLE)
# A Sunday, so that what falls on weekends is seen.
LOADED_AT = datetime(2026, 2, 22, 14, 20, tzinfo=UTC)


@pytest.fixture(scope="session")
def cast() -> Cast:
    return build_cast(LOADED_AT, WORLD)
