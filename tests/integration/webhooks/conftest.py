"""The doors, with real connections of their own, and events as the partners would send them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette

from models.database import DatabaseConfig
from models.reserved_pool import ReservedPool
from tests.integration.webhooks.senders import RDV_INSERTION_SECRETS, TALLY_SECRETS
from webhooks.bell import Bell
from webhooks.routes import webhook_routes


@dataclass
class Doors:
    """A client of the doors. `rung`: how often the bell was rung so far."""

    http: httpx.AsyncClient
    pool: ReservedPool
    rung: list[None] = field(default_factory=list[None])


@asynccontextmanager
async def open_doors(
    database: DatabaseConfig,
    *,
    rdv_insertion_secrets: tuple[str, ...] = RDV_INSERTION_SECRETS,
    tally_secrets: tuple[str, ...] = TALLY_SECRETS,
    accept_jwt: bool = False,
) -> AsyncGenerator[Doors]:
    pool = ReservedPool(database, size=4)
    rung: list[None] = []

    async def ring() -> None:
        rung.append(None)

    await pool.open()
    bell = Bell(ring)
    routes = webhook_routes(
        pool,
        bell,
        rdv_insertion_secrets=rdv_insertion_secrets,
        rdv_insertion_jwt=accept_jwt,
        tally_secrets=tally_secrets,
    )
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with bell.hung(), httpx.AsyncClient(transport=transport, base_url="https://traverse.exemple.test") as http:
        yield Doors(http, pool, rung)
    await pool.close()


@pytest.fixture
async def doors(database: DatabaseConfig) -> AsyncIterator[Doors]:
    async with open_doors(database) as doors:
        yield doors
