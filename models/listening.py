"""A connection of its own that hears notifications: it is not of the pool, and goes around a pooler of transactions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg

from models.database import connection_parameters

_CONNECT_SECONDS = 5
# Whoever waits on this connection does nothing else: a statement that takes longer means that nobody is there.
_STATEMENT_SECONDS = 5
_CLOSE_SECONDS = 2


class Listener:
    """An open connection that listens."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """Run one SELECT on this connection and return its rows."""
        return cast("Sequence[asyncpg.Record]", await self._connection.fetch(sql, *arguments))


@asynccontextmanager
async def listening(
    url: str, channel: str, wake: Callable[[], None], *, application_name: str
) -> AsyncGenerator[Listener, None]:
    """Listen on a channel while the block runs. `wake` is called at each notification, and when the connection ends."""

    def hear(*_: object) -> None:
        wake()

    connection = await _connect(url, application_name)
    try:
        connection.add_termination_listener(hear)
        await connection.add_listener(channel, hear)
        yield Listener(connection)
    finally:
        await _close(connection)


async def _connect(url: str, application_name: str) -> Any:
    return await cast("Any", asyncpg).connect(
        **connection_parameters(url),
        timeout=_CONNECT_SECONDS,
        command_timeout=_STATEMENT_SECONDS,
        statement_cache_size=0,  # as safe behind any pooler; this connection repeats two statements
        server_settings={
            "application_name": application_name,
            "timezone": "UTC",
            "jit": "off",
            # So that the server, too, gives up a listener whose machine is gone.
            "tcp_keepalives_idle": "30",
            "tcp_keepalives_interval": "10",
            "tcp_keepalives_count": "3",
        },
    )


async def _close(connection: Any) -> None:
    try:
        await connection.close(timeout=_CLOSE_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()  # it was gone already
