"""A database large enough for a planner to care: 100 companies, 20,000 job seekers, 60,000 applications."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from benchmarks.seed import LARGE, seed
from execution.engine import GraphQLEngine
from execution.limits import Limits
from models.database import DatabaseConfig
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from schema.build import build_schema
from services.tokens import issue_development_token
from tests.integration.schema.client import AUDIENCE, HS256_KEY, ISSUER, Answer, GraphQLClient, never_ring, serve
from tests.integration.schema.crowd import empty_database


@dataclass(frozen=True)
class Seeded:
    """A client of the seeded database, for any of its viewers."""

    graphql: GraphQLClient
    organizations: dict[str, UUID]

    async def ask(self, subject: str, query: str) -> Answer:
        token = issue_development_token(
            subject=subject,
            organization_id=self.organizations.get(subject),
            issuer=ISSUER,
            audience=AUDIENCE,
            key=HS256_KEY,
            lifetime=timedelta(hours=1),
            now=datetime.now(UTC),
        )
        return await self.graphql(query, token=token)


@pytest.fixture(scope="module")
async def seeded(_open_database: DatabaseConfig) -> AsyncIterator[Seeded]:
    organizations = await seed(_open_database.url, LARGE.times(0.1))
    resources = Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=never_ring)
    async with serve(GraphQLEngine(build_schema(), Limits()), resources) as graphql:
        yield Seeded(graphql, organizations)
    await empty_database()
