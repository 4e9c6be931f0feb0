"""What to try once the demo stands: addresses, tokens, and requests ready to be pasted into a terminal."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from demo.cast.identifiers import demo_id
from demo.cast.well_known import DEMO_COMPANY, Persona
from demo.database import connected
from demo.http import call_json
from models.enums import JobApplicationState
from resolvers.global_ids import encode

WHO_AM_I = "{ viewer { kind permissions user { firstName lastName } organization { ... on Company { name siret } } } }"
EMPLOYERS_PAGE = """{ jobApplications(first: 50) { totalCount pageInfo { hasNextPage endCursor } nodes {
  id state createdAt senderKind jobSeeker { firstName lastName isCertified } approval { number state endAt }
  nextAppointmentStartAt upcomingParticipationsCount } } }"""
FAILED_NOTIFICATIONS = """{ approvals(filter: {notificationStatuses: [ERROR]}, first: 5) { totalCount nodes {
  number startAt notification { status endpoint exitCode exitLabel lastAttemptAt
    attempts(first: 3) { nodes { startedAt outcome httpStatus exitCode durationMs } } } } } }"""
CREATE_APPROVAL = """mutation ($input: CreateApprovalInput!) { createApproval(input: $input) { __typename
  ... on Approval { id number startAt endAt notification { status } } ... on Error { code message }
  ... on InvalidInput { problems { path message } } } }"""

_AWAITING_APPROVAL = """
SELECT application.id FROM job_application application
WHERE company_id = $1 AND state = $2 AND approval_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM approval WHERE approval.job_seeker_id = application.job_seeker_id
        AND cancelled_at IS NULL AND end_at >= $3)
ORDER BY created_at DESC, id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Example:
    """A request worth trying, as one of the demo's users."""

    title: str
    persona: Persona
    query: str
    variables: dict[str, Any] | None = None

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"query": " ".join(self.query.split())}
        return body | ({"variables": self.variables} if self.variables else {})

    def curl(self, api_url: str, traverse: str) -> str:
        """Return a command line; the token is made when it runs, and so is never out of date."""
        return (
            f'curl -s {api_url}/graphql -H "Authorization: Bearer $({traverse} token --as {self.persona})"'
            f" -H 'Content-Type: application/json' -d {shlex.quote(orjson.dumps(self.body).decode())}"
        )


async def examples(database_url: str, today: date) -> Sequence[Example]:
    """Return the requests; the last one creates a PASS IAE, if the demo's company still has somebody hired without."""
    found = [
        Example("Who am I?", Persona.EMPLOYER, WHO_AM_I),
        Example("An employer's page: 50 applications with all that it shows", Persona.EMPLOYER, EMPLOYERS_PAGE),
        Example("Notifications that failed, and why", Persona.STAFF, FAILED_NOTIFICATIONS),
    ]
    application_id = await _awaiting_approval(database_url, today)
    if application_id is not None:
        start = {"jobApplicationId": encode("JobApplication", application_id), "startAt": today.isoformat()}
        title = "Create a PASS IAE: France Travail hears of it within seconds"
        found.append(Example(title, Persona.EMPLOYER, CREATE_APPROVAL, {"input": start}))
    return found


async def time_employers_page(api_url: str, token: str) -> tuple[int, float]:
    """Fetch the page of an employer twice; return its applications, and the milliseconds of the second time."""
    example = Example("", Persona.EMPLOYER, EMPLOYERS_PAGE)
    headers = {"Authorization": f"Bearer {token}"}
    shown = 0
    elapsed_ms = 0.0
    for _ in range(2):
        started = time.perf_counter()
        answer = await call_json(f"{api_url}/graphql", method="POST", body=example.body, headers=headers)
        elapsed_ms = (time.perf_counter() - started) * 1000
        shown = len(answer["data"]["jobApplications"]["nodes"])
    return shown, elapsed_ms


async def _awaiting_approval(database_url: str, today: date) -> UUID | None:
    async with connected(database_url) as connection:
        return await connection.fetchval(
            _AWAITING_APPROVAL, demo_id("company", DEMO_COMPANY), JobApplicationState.ACCEPTED.value, today
        )
