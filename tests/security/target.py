"""What fuzzed requests are sent to: the endpoint over a small database, and what every answer has in common."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from structlog.testing import capture_logs

from execution.engine import GraphQLEngine
from models import Company, PartnerClient, User
from models.enums import UserKind
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from resolvers.global_ids import encode
from tests.factories import (
    make_appointment,
    make_approval,
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
    make_participation,
    make_user,
)
from tests.integration.schema.client import CONFIG, GraphQLClient, serve, token_for
from tests.integration.schema.crowd import empty_database
from tests.security.test_mutation_rights import CALLS

SIGNER = CursorSigner(b"tests-only-cursor-key")


@dataclass(slots=True)
class Target:
    """The endpoint, who asks, and ids of rows that exist. None among `askers` asks without a token."""

    graphql: GraphQLClient
    operator: User
    askers: tuple[tuple[User | PartnerClient, Company | None] | None, ...]
    ids: dict[str, str]

    def ids_for(self, field: str) -> list[str]:
        """Ids of every type, most of them of the one that a mutation is about."""
        right = CALLS[field][0] if field in CALLS else "Company"
        return [*[self.ids[right]] * 8, *self.ids.values()]

    async def send(self, body: dict[str, Any], *, asker: int = 0) -> None:
        """Send a request as the operator, or as another of `askers`. Fails for whatever is a fault of the server."""
        who = self.askers[asker]
        headers = {"Authorization": f"Bearer {token_for(*who)}"} if who is not None else {}
        with capture_logs() as logs:
            response = await self.graphql.http.post(
                "/graphql",
                # Escaped: half a surrogate pair is something that JSON can say and UTF-8 cannot.
                content=json.dumps(body).encode(),
                headers={**headers, "Content-Type": "application/json"},
            )
        assert response.status_code in (200, 400), response.text
        answer = response.json()
        codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
        assert "INTERNAL" not in codes, (body, answer)
        assert all(codes)
        assert [line for line in logs if line["log_level"] in ("error", "critical")] == [], body


@asynccontextmanager
async def open_target(engine: GraphQLEngine) -> AsyncGenerator[Target]:
    """Rows, people and an endpoint; the database is empty again at the end."""

    async def ring(job: str, record_id: UUID) -> None:
        """Nobody works here."""

    company, person = await make_company(), await make_job_seeker()
    rows = {
        "Company": company,
        "JobSeeker": person,
        "Approval": await make_approval(person, company),
        "JobApplication": await make_job_application(person, company),
        "Appointment": (appointment := await make_appointment(company)),
        "Participation": await make_participation(person, appointment),
    }
    ids = {type_name: encode(type_name, row.id) for type_name, row in rows.items()}
    operator, employer = await make_user(UserKind.STAFF, is_operator=True), await make_employer(company)
    askers = ((operator, None), (employer, company), (person, None), None)
    # As in production: who asked before is remembered.
    config = replace(CONFIG, remembers_viewers=True)
    async with serve(engine, Resources(cursors=SIGNER, ring=ring), config=config) as client:
        yield Target(client, operator, askers, ids)
    await empty_database()
