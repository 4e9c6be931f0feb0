"""Strawberry's ASGI view over a small schema: `uvicorn benchmarks.peers.stock.app:build --factory`."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import jwt
import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from benchmarks.peers.stock.loaders import Context, Loaders, Viewer
from benchmarks.peers.stock.schema import Query
from models import Membership, User
from models.database import DatabaseConfig, close_database, open_database
from models.encryption import KeyRing
from models.enums import UserKind


class StockGraphQL(GraphQL[Context, None]):
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        viewer = await _viewer(request.headers.get("authorization", ""))
        return {"viewer": viewer, "loaders": Loaders(viewer), "request": request, "response": response}


def build() -> Starlette:
    # What the pages show is not sealed, so any key will do.
    keys = KeyRing(keys=(os.urandom(32),), fingerprint_key=os.urandom(32))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        await open_database(DatabaseConfig(url=os.environ["DATABASE_URL"], keys=keys))
        yield
        await close_database()

    view = StockGraphQL(strawberry.Schema(Query), graphql_ide=None)
    return Starlette(routes=[Route("/graphql", view)], lifespan=lifespan)


async def _viewer(authorization: str) -> Viewer:
    try:
        claims: dict[str, Any] = jwt.decode(
            authorization.removeprefix("Bearer "),
            os.environ["AUTH_HS256_KEY"],
            algorithms=["HS256"],
            audience=os.environ["AUTH_AUDIENCE"],
            issuer=os.environ["AUTH_ISSUER"],
            options={"require": ["iss", "aud", "exp", "sub"]},
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    user = await User.get_or_none(subject=claims["sub"], is_active=True)
    if user is None:
        raise HTTPException(401)
    if user.kind is UserKind.STAFF:
        return Viewer(company_id=None)
    company_id = UUID(claims["org"]) if "org" in claims else None
    if company_id is None or not await Membership.exists(user_id=user.id, company_id=company_id, ended_at=None):
        raise HTTPException(401)
    return Viewer(company_id=company_id)
