"""What is away, in one sentence: the failures that an operator must expect of the machines around the server."""

from __future__ import annotations

from subprocess import CalledProcessError

from asyncpg import InterfaceError, PostgresError
from redis.exceptions import RedisError
from tortoise.exceptions import DBConnectionError

from models.encryption import EncryptionError

INFRASTRUCTURE_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    InterfaceError,
    PostgresError,
    RedisError,
    DBConnectionError,
    CalledProcessError,
    EncryptionError,
)

# SQLSTATE classes about connecting and running: 08 connection, 28 password, 3D no such database, 53 and 57 the server.
# The messages of all others may quote a row.
_ABOUT_CONNECTING = ("08", "28", "3D", "53", "57")


def sentence_of(error: Exception) -> str:
    """Return what is away and what to do about it; nothing of what was being stored."""
    kind = type(error).__name__
    if isinstance(error, EncryptionError):
        return f"ENCRYPTION_KEYS: {error}"
    if isinstance(error, RedisError):
        return f"Valkey: {kind}; check REDIS_URL, or run `traverse doctor`"
    if isinstance(error, PostgresError):
        is_about_connecting = f"{getattr(error, 'sqlstate', '')}".startswith(_ABOUT_CONNECTING)
        return f"PostgreSQL: {error if is_about_connecting else kind}; check DATABASE_URL, or run `traverse doctor`"
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error.strerror or kind} ({kind}); run `traverse doctor` to see what is away"
    return f"{kind}; run `traverse doctor` to see what is away"
