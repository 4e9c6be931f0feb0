"""Tortoise's client of PostgreSQL, with a short way for reads: most statements of this server are one read each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient


class PostgresClient(AsyncpgDBClient):
    """What Tortoise opens for the engine `models.postgres_client`. In a transaction it is another class's turn."""

    async def read(self, sql: str, arguments: Sequence[Any]) -> Sequence[asyncpg.Record]:
        """Run one SELECT on a connection of the pool. Raises what `execute_query` would raise."""
        if self._pool is None:
            async with self.acquire_connection():
                pass  # it opens the pool
        return await self._translate_exceptions(PostgresClient._read, sql, arguments)  # pyright: ignore[reportReturnType]: of any function

    async def _read(self, sql: str, arguments: Sequence[Any]) -> Sequence[asyncpg.Record]:
        pool: Any = self._pool
        connection: Any = await pool.acquire()
        try:
            rows: Sequence[asyncpg.Record] = await connection.fetch(sql, *arguments)
        except BaseException:
            await pool.release(connection)
            raise
        if not _give_back(connection, pool):
            await pool.release(connection)
        return rows


def _give_back(connection: Any, pool: Any) -> bool:
    """Return a connection to its pool at once, if there is nothing to wait for; False if there might be.

    `Pool.release` starts a task for it, which costs as much as the read of a row. These are its own steps, in its order
    (asyncpg.pool.PoolConnectionHolder.release), for a connection that was asked one question and has answered it.
    """
    inner, holder = connection._con, connection._holder
    protocol = inner._protocol
    if (
        inner.is_closed()
        or protocol.queries_count >= holder._max_queries
        or holder._generation != pool._generation
        or protocol._is_cancelling()
        or protocol.is_in_transaction()
        or inner._top_xact is not None
        or inner._listeners
        or inner._log_listeners
    ):
        return False
    inner._on_release()
    holder._timeout = None
    holder._release()
    holder._setup_inactive_callback()
    return True


client_class = PostgresClient
