"""Which errors mean that something we rest on is away, and what it is."""

from __future__ import annotations

import asyncpg
from redis.exceptions import RedisError
from tortoise.exceptions import DBConnectionError

POSTGRESQL = "PostgreSQL"
VALKEY = "Valkey"

_OF_POSTGRESQL = (
    OSError,  # also TimeoutError: what reads Valkey (jobs/queue_reading.py) lets none out
    DBConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)


def service_of(error: Exception) -> str | None:
    """Return the name of the service that is away; None: the error is one of ours."""
    if isinstance(error, RedisError):
        return VALKEY
    return POSTGRESQL if isinstance(error, _OF_POSTGRESQL) else None
