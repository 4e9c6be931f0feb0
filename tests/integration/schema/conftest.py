"""The endpoint, served to each test on an empty database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from execution.engine import GraphQLEngine
from execution.limits import Limits
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from schema.build import build_schema
from tests.integration.schema.client import GraphQLClient, never_ring, serve
from tests.integration.schema.crowd import empty_database, make_crowd
from tests.integration.schema.lists import Reader


@pytest.fixture
def rung() -> list[tuple[str, UUID]]:
    """What the bell was rung for: the job's name and the row's id."""
    return []


@pytest.fixture
def resources(rung: list[tuple[str, UUID]]) -> Resources:
    async def ring(job: str, record_id: UUID) -> None:
        rung.append((job, record_id))

    return Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=ring)


@pytest.fixture(scope="session")
def engine() -> GraphQLEngine:
    """With plans for every operation, from its first time on; `GRAPHQL_COMPILED_PLANS=false` tests without any."""
    is_compiled = os.environ.get("GRAPHQL_COMPILED_PLANS", "true") == "true"
    return GraphQLEngine(
        build_schema(), Limits(), compiled_plans=is_compiled, compile_after=1, native_dates=is_compiled
    )


@pytest.fixture
async def graphql(database: object, engine: GraphQLEngine, resources: Resources) -> AsyncIterator[GraphQLClient]:
    async with serve(engine, resources) as client:
        yield client


@pytest.fixture(scope="module")
async def reader(_open_database: object, engine: GraphQLEngine) -> AsyncIterator[Reader]:
    """The operator of a crowd of rows, which all tests of a module read and none changes for good."""
    crowd = await make_crowd()
    async with serve(engine, Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=never_ring)) as client:
        yield Reader(client, crowd)
    await empty_database()
