"""Tortoise's client of PostgreSQL, with a short way for reads: most statements of this server are one read each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.backends.base.client import PoolConnectionWrapper

from models.half_statements import behind, note_failure


class _Acquired(PoolConnectionWrapper[asyncpg.Connection]):
    """A connection in somebody's hands, for one statement."""

    __slots__ = ()

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        if exc_val is not None and self.connection is not None:
            note_failure(behind(self.connection))
        await super().__aexit__(exc_type, exc_val, exc_tb)


class PostgresClient(AsyncpgDBClient):
    """What Tortoise opens for the engine `models.postgres_client`. In a transaction it is another class's turn."""

    def acquire_connection(self) -> PoolConnectionWrapper[asyncpg.Connection]:
        return _Acquired(self, self._pool_init_lock)

    async def read(self, sql: str, arguments: Sequence[Any]) -> Sequence[asyncpg.Record]:
        """Run one SELECT on a connection of the pool. Raises what `execute_query` would raise."""
        if self._pool is None:
            async with self.acquire_connection():
                pass  # it opens the pool
        return await self._translate_exceptions(PostgresClient._read, sql, arguments)  # pyright: ignore[reportReturnType]: of any function

    async def _read(self, sql: str, arguments: Sequence[Any]) -> Sequence[asyncpg.Record]:
        pool: Any = self._pool
        holder = _take(pool)
        if holder is None:
            waited_for: Any
            async with self.acquire_connection() as waited_for:
                return await waited_for.fetch(sql, *arguments)
        connection = holder._con
        try:
            rows: Sequence[asyncpg.Record] = await connection.fetch(sql, *arguments)
        except BaseException:
            note_failure(connection)
            await _release(holder, connection)
            raise
        if not _give_back(holder, connection, pool):
            await _release(holder, connection)
        return rows


def _take(pool: Any) -> Any:
    """Return a connection's holder out of the pool, if one is idle and ready; None if there is anything to wait for.

    These are the steps of `Pool.acquire` (asyncpg.pool), less the object that stands between a connection and those who
    might keep it: here nobody does.
    """
    if pool._closing or not pool._initialized or pool._queue.empty():
        return None
    holder = pool._queue.get_nowait()
    connection = holder._con
    if (
        connection is None
        or connection.is_closed()
        or holder._generation != pool._generation
        or holder._setup is not None
    ):
        pool._queue.put_nowait(holder)
        return None
    holder._maybe_cancel_inactive_callback()
    holder._in_use = pool._loop.create_future()
    return holder


async def _release(holder: Any, connection: Any) -> None:
    """The way of `Pool.release`: in a task, since whoever is cancelled meanwhile must not keep the connection.

    The end of a connection gives its holder back by itself. It may come until the task begins, and is no error: whoever
    asked has been answered, or told what became of the connection.
    """
    if holder._con is not connection or holder._in_use is None:
        return
    connection._on_release()
    with suppress(asyncpg.InternalClientError):
        await asyncio.shield(holder.release(None))


def _give_back(holder: Any, connection: Any, pool: Any) -> bool:
    """Return a connection to its pool at once, if there is nothing to wait for; False if there might be.

    `Pool.release` starts a task for it, which costs as much as the read of a row. These are its own steps, in its order
    (asyncpg.pool.PoolConnectionHolder.release), for a connection that was asked one question and has answered it.
    """
    protocol = connection._protocol
    if (
        protocol is None
        or connection.is_closed()
        or protocol.queries_count >= holder._max_queries
        or holder._generation != pool._generation
        or protocol._is_cancelling()
        or protocol.is_in_transaction()
        or connection._top_xact is not None
        or connection._listeners
        or connection._log_listeners
    ):
        return False
    connection._on_release()
    holder._timeout = None
    holder._release()
    holder._setup_inactive_callback()
    return True


client_class = PostgresClient
