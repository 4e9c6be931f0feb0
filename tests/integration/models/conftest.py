"""PostgreSQL without Tortoise in between: its own errors, and writers that never heard of the models."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import pytest

from models.database import DatabaseConfig, connection_parameters


class RawSQL:
    """One connection beside the pool, each statement a transaction of its own."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self._connection.fetch(sql, *arguments)]

    async def execute(self, sql: str, *arguments: Any) -> str:
        """Return PostgreSQL's own summary ("UPDATE 2")."""
        return await self._connection.execute(sql, *arguments)

    async def refusal_of(self, sql: str, *arguments: Any) -> str | None:
        """Return the name of the rule that refuses the statement; None when PostgreSQL accepts it."""
        try:
            await self._connection.execute(sql, *arguments)
        except asyncpg.IntegrityConstraintViolationError as error:
            return cast("str", error.as_dict()["constraint_name"])
        return None


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[RawSQL, None]:
    connection = cast("Any", await asyncpg.connect(**connection_parameters(url)))
    try:
        yield RawSQL(connection)
    finally:
        await connection.close()


@pytest.fixture
async def raw(database: DatabaseConfig) -> AsyncIterator[RawSQL]:
    async with connected(database.url) as raw:
        yield raw
