"""A GraphQL client of the real endpoint: every test goes through HTTP, tokens and SQL as a front end does."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from execution.engine import GraphQLEngine
from middleware import RequestIdMiddleware
from models import Company, Institution, PartnerClient, PrescriberOrganization, User
from resolvers.context import Resources
from schema.http import EndpointConfig, GraphQLEndpoint
from services.tokens import TokenVerifier, issue_development_token

HS256_KEY = "tests-only-token-key-of-32-bytes-or-more"
ISSUER, AUDIENCE = "tests", "traverse"
# Nobody is remembered: how many statements an operation takes is not to depend on the one before.
CONFIG = EndpointConfig(max_body_bytes=1_000_000, deadline_seconds=10, is_production=False)

Organization = Company | PrescriberOrganization | Institution


@dataclass
class Answer:
    """What came back: `data` as it is, errors by code, and how many SQL statements it took."""

    status: int
    body: dict[str, Any]
    headers: httpx.Headers

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]

    @property
    def errors_by_path(self) -> dict[str, str]:
        """Codes by path: `jobSeeker.email` → FORBIDDEN."""
        return {
            ".".join(str(part) for part in error.get("path", ())): error["extensions"]["code"]
            for error in self.body.get("errors", [])
        }

    @property
    def statements(self) -> int:
        return int(self.headers["server-timing"].split('"')[1].split()[0])


@dataclass
class GraphQLClient:
    """Sends operations as somebody."""

    http: httpx.AsyncClient

    async def __call__(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        as_: User | PartnerClient | None = None,
        of: Organization | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if as_ is not None:
            token = token_for(as_, of)
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        response = await self.http.post("/graphql", json={"query": query, "variables": variables or {}}, headers=sent)
        return Answer(response.status_code, response.json(), response.headers)


def token_for(who: User | PartnerClient, of: Organization | None = None, **overrides: Any) -> str:
    values: dict[str, Any] = {
        "subject": who.subject,
        "organization_id": of.id if of is not None else None,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "key": HS256_KEY,
        "lifetime": timedelta(hours=1),
        "now": datetime.now(UTC),
    }
    return issue_development_token(**(values | overrides))


@asynccontextmanager
async def serve(
    engine: GraphQLEngine,
    resources: Resources,
    *,
    config: EndpointConfig = CONFIG,
    verifier: TokenVerifier | None = None,
) -> AsyncGenerator[GraphQLClient, None]:
    """The endpoint behind a client, in this process."""
    verifier = verifier or TokenVerifier(issuer=ISSUER, audience=AUDIENCE, hs256_key=HS256_KEY)
    endpoint = GraphQLEndpoint(engine, verifier, resources, config)
    app = Starlette(routes=[Route("/graphql", endpoint)], middleware=[Middleware(RequestIdMiddleware)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as http:
        yield GraphQLClient(http)


async def never_ring(job: str, record_id: UUID) -> None:
    """The bell of tests that only read."""
    raise AssertionError(f"reading rang for {job} {record_id}")
