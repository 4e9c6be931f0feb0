"""The limit: what the machine could do for the employer's page without GraphQL, with the same duties.

Token verified, membership checked in the database, the company's rows only, the same JSON: one hand-written statement,
asyncpg and orjson. Nothing of it is shared with the server, so that a mistake there cannot hide here.
"""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import jwt
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.database import connection_parameters

_MEMBER = """
SELECT m.company_id FROM "user" u JOIN membership m ON m.user_id = u.id AND m.ended_at IS NULL
WHERE u.subject = $1 AND u.is_active AND m.company_id = $2
"""
_PAGE = """
SELECT a.id, a.state, a.created_at, a.job_seeker_id, s.first_name, s.last_name, p.number, p.start_at, p.end_at,
    n.next_start_at, n.upcoming,
    p.id IS NOT NULL AS has_approval
FROM job_application a
JOIN "user" s ON s.id = a.job_seeker_id
LEFT JOIN approval p ON p.id = a.approval_id
LEFT JOIN LATERAL (
    SELECT min(t.start_at) AS next_start_at, count(*)::int AS upcoming
    FROM participation q JOIN appointment t ON t.id = q.appointment_id
    WHERE q.job_seeker_id = a.job_seeker_id AND t.company_id = a.company_id AND q.status = 'unknown'
        AND q.removed_at IS NULL AND t.destroyed_at IS NULL AND t.start_at > $2
) n ON TRUE
WHERE a.company_id = $1 ORDER BY a.created_at DESC, a.id DESC LIMIT $3
"""


def build() -> Starlette:
    state: dict[str, Any] = {}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        parameters = connection_parameters(os.environ["DATABASE_URL"])
        state["pool"] = await asyncpg.create_pool(**parameters, min_size=1, max_size=10)
        yield
        await state["pool"].close()

    async def page(request: Request) -> Response:
        return await _page(request, state["pool"])

    return Starlette(routes=[Route("/page", page, methods=["POST"])], lifespan=lifespan)


async def _page(request: Request, pool: Any) -> Response:
    claims = jwt.decode(
        request.headers["authorization"].removeprefix("Bearer "),
        os.environ["AUTH_HS256_KEY"],
        algorithms=["HS256"],
        audience="traverse",
        issuer="traverse-development",
    )
    first: int = orjson.loads(await request.body())["variables"]["first"]
    member = await pool.fetchrow(_MEMBER, claims["sub"], UUID(claims["org"]))
    if member is None:
        return Response(status_code=401)
    now = datetime.now(UTC)
    rows = await pool.fetch(_PAGE, member["company_id"], now, first)
    today = now.astimezone(ZoneInfo("Europe/Paris")).date()
    nodes = [_node(row, today) for row in rows]
    content = orjson.dumps({"data": {"jobApplications": {"edges": [{"node": node} for node in nodes]}}})
    return Response(content, media_type="application/json")


def _global_id(type_name: str, key: UUID) -> str:
    return base64.b64encode(f"{type_name}:{key}".encode()).decode()


def _node(row: Any, today: Any) -> dict[str, Any]:
    approval = None
    if row["has_approval"]:
        state = "FUTURE" if row["start_at"] > today else "VALID" if row["end_at"] >= today else "EXPIRED"
        approval = {"number": row["number"], "startAt": row["start_at"], "endAt": row["end_at"], "state": state}
    return {
        "id": _global_id("JobApplication", row["id"]),
        "state": row["state"].upper(),
        "createdAt": row["created_at"],
        "jobSeeker": {
            "id": _global_id("JobSeeker", row["job_seeker_id"]),
            "firstName": row["first_name"],
            "lastName": row["last_name"],
        },
        "approval": approval,
        "nextAppointmentStartAt": row["next_start_at"],
        "upcomingParticipationsCount": row["upcoming"],
    }
