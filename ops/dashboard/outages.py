"""Which errors mean that something we rest on is away, and what it is."""

from __future__ import annotations

from redis.exceptions import RedisError

from models.database import DATABASE_AWAY

POSTGRESQL = "PostgreSQL"
VALKEY = "Valkey"


def service_of(error: Exception) -> str | None:
    """Return the name of the service that is away; None: the error is one of ours."""
    # An OSError is PostgreSQL's: what reads Valkey (jobs/queue_reading.py) lets none out.
    if isinstance(error, RedisError):
        return VALKEY
    return POSTGRESQL if isinstance(error, DATABASE_AWAY) else None
