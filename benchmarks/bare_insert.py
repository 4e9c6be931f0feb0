"""The least that a webhook can cost: whatever comes is inserted, committed and acknowledged.

No signature, no reading, no encryption, no bound, no duplicates: the row alone is that of the server. What is measured
beside it is what those duties cost.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.database import connection_parameters

# As many as the server keeps for webhooks.
CONNECTIONS = 4
_INSERT = """
INSERT INTO webhook_event (
    id, source, fingerprint, received_at, status, model, event, resource_id, resource_at, event_rank, precedence,
    partner_organisation_id, partner_user_ids, body, attempts, error, processed_at
)
VALUES ($1, 'rdv_insertion', $2, $3, 'received', 'rdv', 'created', '1', $3, 0, 0, 1, '{1}', $4, 0, NULL, NULL)
"""


def build() -> Starlette:
    state: dict[str, Any] = {}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        parameters = connection_parameters(os.environ["DATABASE_URL"])
        state["pool"] = await cast("Any", asyncpg.create_pool)(**parameters, min_size=1, max_size=CONNECTIONS)
        yield
        await state["pool"].close()

    async def insert(request: Request) -> Response:
        await state["pool"].execute(_INSERT, uuid4(), secrets.token_hex(32), datetime.now(UTC), await request.body())
        return Response(b'{"success": true}', media_type="application/json")

    return Starlette(routes=[Route("/webhooks/rdv-insertion", insert, methods=["POST"])], lifespan=lifespan)
