"""Plain connections for loading and watching: the demo's own process opens no pool and no Tortoise."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg

from models.database import connection_parameters


@asynccontextmanager
async def connected(database_url: str) -> AsyncGenerator[Any, None]:
    """One asyncpg connection for the block. Untyped: asyncpg ships no types."""
    connection = cast("Any", await asyncpg.connect(**connection_parameters(database_url), timeout=10))
    try:
        yield connection
    finally:
        await connection.close()
