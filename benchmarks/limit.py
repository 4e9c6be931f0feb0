"""The limit: what the machine could do for the pages of the benchmark without GraphQL, with the same duties.

Token verified, account and membership checked in the database, the viewer's rows only, the same JSON: hand-written
statements, asyncpg and orjson. Nothing of it is shared with the server, so that a mistake there cannot hide here.
"""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import jwt
import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.database import connection_parameters

_PARIS = ZoneInfo("Europe/Paris")
_MOST_ROWS = 100
_MOST_TOKENS = 1_000

_VIEWER = """
SELECT u.kind, m.company_id FROM "user" u
LEFT JOIN membership m ON m.user_id = u.id AND m.ended_at IS NULL AND m.company_id = $2
WHERE u.subject = $1 AND u.is_active
"""
_UPCOMING = """
LEFT JOIN LATERAL (
    SELECT min(t.start_at) AS next_start_at, count(*)::int AS upcoming
    FROM participation q JOIN appointment t ON t.id = q.appointment_id
    WHERE q.job_seeker_id = a.job_seeker_id AND t.company_id = a.company_id AND q.status = 'unknown'
        AND q.removed_at IS NULL AND t.destroyed_at IS NULL AND t.start_at > $2
) n ON TRUE
"""
# Whoever sees a job seeker sees the approvals; of applications and participations, those with the own company.
_PERSON = f"""
SELECT s.id, s.title, s.first_name, s.last_name, s.email, f.birthdate,
    ARRAY(SELECT (p.id, p.number, p.start_at, p.end_at, p.cancelled_at) FROM approval p
        WHERE p.job_seeker_id = s.id AND p.cancelled_at IS NULL AND p.start_at <= $4 AND p.end_at >= $4) AS current,
    ARRAY(SELECT (p.id, p.number, p.start_at, p.end_at, p.cancelled_at) FROM approval p
        WHERE p.job_seeker_id = s.id ORDER BY p.start_at DESC, p.id DESC LIMIT 10) AS approvals,
    ARRAY(SELECT (a.id, a.state, a.created_at, a.sender_kind, n.next_start_at, n.upcoming)
        FROM job_application a {_UPCOMING}
        WHERE a.job_seeker_id = s.id AND a.company_id = $1
        ORDER BY a.created_at DESC, a.id DESC LIMIT 10) AS applications,
    ARRAY(SELECT (q.id, q.status, q.updated_at, t.id, t.start_at, t.reason)
        FROM participation q JOIN appointment t ON t.id = q.appointment_id
        WHERE q.job_seeker_id = s.id AND t.company_id = $1 AND q.removed_at IS NULL AND t.destroyed_at IS NULL
        ORDER BY t.start_at DESC, q.id DESC LIMIT 10) AS participations
FROM "user" s LEFT JOIN job_seeker_profile f ON f.id = s.id
WHERE s.id = $3 AND s.erased_at IS NULL
    AND EXISTS (SELECT 1 FROM job_application v WHERE v.job_seeker_id = s.id AND v.company_id = $1)
"""


@cache
def _page_of(rows: int) -> str:
    # As text: with a parameter, PostgreSQL would plan the statement anew each time.
    return f"""
SELECT a.id, a.state, a.created_at, a.job_seeker_id, s.first_name, s.last_name,
    p.id AS approval_id, p.number, p.start_at, p.end_at, p.cancelled_at, n.next_start_at, n.upcoming
FROM job_application a
JOIN "user" s ON s.id = a.job_seeker_id
LEFT JOIN approval p ON p.id = a.approval_id
{_UPCOMING}
WHERE a.company_id = $1 ORDER BY a.created_at DESC, a.id DESC LIMIT {rows:d}
"""


@cache
def _approvals_of(rows: int) -> str:
    return f"""
SELECT p.id, p.number, p.start_at, p.end_at, p.cancelled_at, p.job_seeker_id, s.first_name, s.last_name
FROM approval p JOIN "user" s ON s.id = p.job_seeker_id
ORDER BY p.start_at DESC, p.id DESC LIMIT {rows:d}
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """By whom, what for, and when. `company_id` of an employer; None: staff, who see everything."""

    company_id: UUID | None
    variables: Mapping[str, Any]
    now: datetime
    pool: Any

    @property
    def today(self) -> date:
        return self.now.astimezone(_PARIS).date()

    @property
    def rows(self) -> int:
        return min(self.variables["first"], _MOST_ROWS)


def build() -> Starlette:
    state: dict[str, Any] = {}
    tokens: dict[str, dict[str, Any]] = {}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        async with _open_pool() as pool:
            state["pool"] = pool
            yield

    def endpoint(page: Callable[[_Asked], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            asked = await _asked(request, state["pool"], tokens)
            if asked is None:
                return Response(status_code=401)
            return Response(orjson.dumps({"data": await page(asked)}), media_type="application/json")

        return respond

    pages = {"/page": _page, "/person": _person, "/approvals": _approvals}
    return Starlette(
        routes=[Route(path, endpoint(page), methods=["POST"]) for path, page in pages.items()], lifespan=lifespan
    )


@asynccontextmanager
async def _open_pool() -> AsyncGenerator[Any, None]:
    parameters = connection_parameters(os.environ["DATABASE_URL"])
    # As Traverse's: nothing changes a session, so nothing is put back, and PostgreSQL plans for pages that are cached.
    settings = {"jit": "off", "random_page_cost": "1.1", "timezone": "UTC"}
    async with asyncpg.create_pool(
        **parameters, min_size=1, max_size=10, reset=_keep_session, server_settings=settings
    ) as pool:
        yield pool


async def _keep_session(_: Any) -> None:
    """Send nothing when a connection goes back to the pool."""


async def _asked(request: Request, pool: Any, tokens: dict[str, dict[str, Any]]) -> _Asked | None:
    now = datetime.now(UTC)
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    # A token that was believed is believed again until it ends.
    claims = tokens.get(token)
    if claims is None or claims["exp"] < now.timestamp():
        try:
            claims = _verify(token)
        except jwt.InvalidTokenError:
            return None
        if len(tokens) >= _MOST_TOKENS:
            tokens.clear()
        tokens[token] = claims
    variables = orjson.loads(await request.body())["variables"]
    company = UUID(claims["org"]) if "org" in claims else None
    viewer = await pool.fetchrow(_VIEWER, claims["sub"], company)
    if viewer is None or (viewer["company_id"] is None and viewer["kind"] != "staff"):
        return None
    return _Asked(viewer["company_id"], variables, now, pool)


def _verify(token: str) -> dict[str, Any]:
    return jwt.decode(
        token,
        os.environ["AUTH_HS256_KEY"],
        algorithms=["HS256"],
        audience="traverse",
        issuer="traverse-development",
        options={"require": ["iss", "aud", "exp", "sub"]},
    )


async def _page(asked: _Asked) -> dict[str, Any]:
    rows = await asked.pool.fetch(_page_of(asked.rows), asked.company_id, asked.now)
    today = asked.today
    nodes = [
        {
            "id": _global_id("JobApplication", row["id"]),
            "state": row["state"].upper(),
            "createdAt": row["created_at"],
            "jobSeeker": _name(row),
            "approval": None
            if row["approval_id"] is None
            else {
                "number": row["number"],
                "startAt": row["start_at"],
                "endAt": row["end_at"],
                "state": _approval_state(row["start_at"], row["end_at"], row["cancelled_at"], today),
            },
            "nextAppointmentStartAt": row["next_start_at"],
            "upcomingParticipationsCount": row["upcoming"],
        }
        for row in rows
    ]
    return {"jobApplications": _connection(nodes)}


async def _person(asked: _Asked) -> dict[str, Any]:
    today = asked.today
    row = await asked.pool.fetchrow(_PERSON, asked.company_id, asked.now, UUID(asked.variables["id"]), today)
    if row is None:
        return {"jobSeeker": None}
    person = {
        "id": _global_id("JobSeeker", row["id"]),
        "title": row["title"],
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "email": row["email"],
        "birthdate": row["birthdate"],
        "currentApproval": _dates(row["current"][0], today) if row["current"] else None,
        "approvals": _connection(
            [{"id": _global_id("Approval", part[0]), **_dates(part, today)} for part in row["approvals"]]
        ),
        "jobApplications": _connection(
            [
                {
                    "id": _global_id("JobApplication", key),
                    "state": state.upper(),
                    "createdAt": created_at,
                    "senderKind": sender_kind.upper(),
                    "nextAppointmentStartAt": next_start_at,
                    "upcomingParticipationsCount": upcoming,
                }
                for key, state, created_at, sender_kind, next_start_at, upcoming in row["applications"]
            ]
        ),
        "participations": _connection(
            [
                {
                    "id": _global_id("Participation", key),
                    "status": status.upper(),
                    "updatedAt": updated_at,
                    "appointment": {
                        "id": _global_id("Appointment", appointment_key),
                        "startAt": start_at,
                        "reason": reason,
                    },
                }
                for key, status, updated_at, appointment_key, start_at, reason in row["participations"]
            ]
        ),
    }
    return {"jobSeeker": person}


async def _approvals(asked: _Asked) -> dict[str, Any]:
    if asked.company_id is not None:
        raise HTTPException(403, "approvals: staff alone ask for this page, and see all of them")
    rows = await asked.pool.fetch(_approvals_of(asked.rows))
    today = asked.today
    nodes = [
        {
            "id": _global_id("Approval", row["id"]),
            "number": row["number"],
            "startAt": row["start_at"],
            "endAt": row["end_at"],
            "state": _approval_state(row["start_at"], row["end_at"], row["cancelled_at"], today),
            "jobSeeker": _name(row),
        }
        for row in rows
    ]
    return {"approvals": _connection(nodes)}


def _connection(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"edges": [{"node": node} for node in nodes]}


def _name(row: Any) -> dict[str, Any]:
    return {
        "id": _global_id("JobSeeker", row["job_seeker_id"]),
        "firstName": row["first_name"],
        "lastName": row["last_name"],
    }


def _dates(approval: Any, today: date) -> dict[str, Any]:
    _, number, start_at, end_at, cancelled_at = approval
    return {
        "number": number,
        "startAt": start_at,
        "endAt": end_at,
        "state": _approval_state(start_at, end_at, cancelled_at, today),
    }


def _approval_state(start_at: date, end_at: date, cancelled_at: datetime | None, today: date) -> str:
    if cancelled_at is not None:
        return "CANCELLED"
    if start_at > today:
        return "FUTURE"
    return "VALID" if end_at >= today else "EXPIRED"


def _global_id(type_name: str, key: UUID) -> str:
    return base64.b64encode(f"{type_name}:{key}".encode()).decode()
