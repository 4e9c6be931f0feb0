"""A few connections of their own for what must be written while everything else waits for PostgreSQL.

The process's pool has no room when slow queries hold all of it, and hands out connections in the order of asking. What
a partner will not send again must not stand in that queue. For single statements only: no models, no transactions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import asyncpg

from models.database import DatabaseConfig, connection_parameters
from models.half_statements import behind, end_half_statement, note_failure


class ReservedPool:
    """Connects when it is first used, so that a process starts while PostgreSQL is away."""

    def __init__(
        self, config: DatabaseConfig, *, size: int, statement_timeout: timedelta = timedelta(seconds=3)
    ) -> None:
        self._config = config
        self._size = size
        self._timeout = statement_timeout
        self._pool: Any = None

    async def open(self) -> None:
        milliseconds = str(int(self._timeout.total_seconds() * 1000))
        self._pool = await cast("Any", asyncpg.create_pool)(
            **connection_parameters(self._config.url),
            min_size=0,
            max_size=self._size,
            max_inactive_connection_lifetime=300,
            statement_cache_size=self._config.statement_cache_size,
            timeout=self._timeout.total_seconds(),
            command_timeout=self._timeout.total_seconds(),
            # Single statements set nothing that would have to be taken back; asking costs a round trip each.
            reset=end_half_statement,
            server_settings={
                "application_name": f"{self._config.application_name}-reserved",
                "statement_timeout": milliseconds,
                "lock_timeout": milliseconds,
                # Whatever the database's own default is: an answer that promises must not outrun the disk.
                "synchronous_commit": "on",
                "timezone": "UTC",
                "jit": "off",
            },
        )

    async def close(self) -> None:
        """Close at once: whoever still waits gets an error, and the sender comes back."""
        if self._pool is not None:
            self._pool.terminate()

    async def write(self, sql: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """Run one statement, committed when this returns. Raises asyncpg's errors, OSError, TimeoutError."""
        async with self._pool.acquire(timeout=self._timeout.total_seconds()) as connection:
            try:
                return cast("Sequence[asyncpg.Record]", await connection.fetch(sql, *arguments))
            except BaseException:
                note_failure(behind(connection))
                raise
