"""The engine of these tests: the schema as it is, every operation compiled from its first time on."""

from __future__ import annotations

import pytest

from execution.engine import GraphQLEngine
from execution.limits import Limits
from schema.build import build_schema


@pytest.fixture(scope="session")
def engine() -> GraphQLEngine:
    return GraphQLEngine(build_schema(), Limits(), compiled_plans=True, compile_after=1, native_dates=True)
