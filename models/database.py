"""One PostgreSQL pool a process, opened through Tortoise and used by models and by fixed SQL alike."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, cast
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.exceptions import DBConnectionError
from tortoise.transactions import in_transaction

from models.encryption import KeyRing, use_key_ring
from models.half_statements import end_half_statement
from models.postgres_client import PostgresClient

T = TypeVar("T")

DATABASE_AWAY: tuple[type[Exception], ...] = (
    OSError,  # also TimeoutError
    DBConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # Of a connection whose end has arrived and was not looked at yet: its state is none that asyncpg has a word for.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
"""What a statement raises while PostgreSQL is away, going or coming: the same may work in a moment."""

# What a whole transaction may be tried again for: serialization failure, deadlock, lock timeout.
_RETRIED_SQLSTATES = frozenset({"40001", "40P01", "55P03"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    """How to reach PostgreSQL. `url`: postgresql://user:password@host:port/name, `?host=/dir` for a Unix socket."""

    url: str = field(repr=False)  # it may hold a password
    keys: KeyRing
    application_name: str = "traverse"
    pool_min: int = 1
    pool_max: int = 10
    statement_timeout: timedelta = timedelta(seconds=15)
    idle_in_transaction_timeout: timedelta = timedelta(seconds=15)
    lock_timeout: timedelta = timedelta(seconds=5)
    # PgBouncer in transaction mode cannot keep prepared statements: 0 there.
    statement_cache_size: int = 512


def tortoise_config(config: DatabaseConfig) -> dict[str, Any]:
    return {
        "connections": {"default": {"engine": "models.postgres_client", "credentials": _credentials(config)}},
        "apps": {"models": {"models": ["models"], "migrations": "models.migrations", "default_connection": "default"}},
        "use_tz": True,
        "timezone": "UTC",
    }


async def open_database(config: DatabaseConfig) -> None:
    """Open the process's pool and install its encryption keys. Exactly once a process, from its entry point."""
    use_key_ring(config.keys)
    # The global fallback makes the connections visible to request tasks, which do not inherit the lifespan's context.
    await Tortoise.init(config=tortoise_config(config), _enable_global_fallback=True)


async def close_database() -> None:
    await Tortoise.close_connections()


def connection_parameters(url: str) -> dict[str, Any]:
    """Return asyncpg's connection parameters for a database URL. Raises ValueError for anything but PostgreSQL."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError(f'database URL: scheme "{parts.scheme}", postgresql:// expected')
    query = parse_qs(parts.query)
    parameters: dict[str, Any] = {
        "host": query["host"][0] if "host" in query else parts.hostname or "localhost",
        "port": parts.port or int(query.get("port", ["5432"])[0]),
        "user": unquote(parts.username) if parts.username else "postgres",
        "password": unquote(parts.password) if parts.password else None,
        "database": parts.path.lstrip("/") or "postgres",
    }
    if "sslmode" in query:
        parameters["ssl"] = query["sslmode"][0]
    return parameters


def _credentials(config: DatabaseConfig) -> dict[str, Any]:
    def milliseconds(duration: timedelta) -> str:
        return str(int(duration.total_seconds() * 1000))

    return {
        **connection_parameters(config.url),
        "minsize": config.pool_min,
        "maxsize": config.pool_max,
        "application_name": config.application_name,
        "statement_cache_size": config.statement_cache_size,
        "max_inactive_connection_lifetime": 300,
        # Above the server's own limit, so that PostgreSQL ends a statement and says so; this is the last resort.
        "command_timeout": config.statement_timeout.total_seconds() + 5,
        "init": _count_statements,
        # And nothing else: without this, one statement after each of ours. asyncpg itself rolls back what was left
        # open, and nothing here changes a session beyond its transaction: what listens, or locks for longer, has a
        # connection of its own.
        "reset": end_half_statement,
        "server_settings": {
            "statement_timeout": milliseconds(config.statement_timeout),
            "idle_in_transaction_session_timeout": milliseconds(config.idle_in_transaction_timeout),
            "lock_timeout": milliseconds(config.lock_timeout),
            "timezone": "UTC",
            "jit": "off",  # statements of a few milliseconds: compiling them costs more than it saves
            # The default is for spinning disks: rows of one page would be sought by reading whole tables.
            "random_page_cost": "1.1",
        },
    }


class StatementCounter:
    """How many SQL statements an operation sent, and how long it waited for them."""

    __slots__ = ("seconds", "statements")

    def __init__(self) -> None:
        self.statements = 0
        self.seconds = 0.0

    def note(self, statement: Any) -> None:
        """Take note of one statement, as asyncpg tells its query loggers."""
        self.statements += 1
        self.seconds += statement.elapsed


_counter: ContextVar[StatementCounter | None] = ContextVar("statement_counter", default=None)


@asynccontextmanager
async def counting_statements() -> AsyncGenerator[StatementCounter, None]:
    """Count the statements that the body sends, whoever sends them. The count is complete after the block."""
    counter = StatementCounter()
    token = _counter.set(counter)
    try:
        yield counter
        # asyncpg tells its loggers in the next turn of the loop.
        await asyncio.sleep(0)
    finally:
        _counter.reset(token)


# What the driver or Tortoise says on its own behalf is not work of the operation.
_HOUSEKEEPING = (
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
    "RESET",
    "SELECT pg_advisory_unlock_all",
    "SET ",
    # asyncpg asks about types that it has no codec for (rows in arrays), once a connection.
    "SELECT\n                        current_setting('jit')",
    "WITH RECURSIVE typeinfo_tree(",
)


async def _count_statements(connection: asyncpg.Connection) -> None:
    def count(statement: Any) -> None:
        counter = _counter.get()
        if counter is not None and not statement.query.lstrip().startswith(_HOUSEKEEPING):
            counter.note(statement)

    connection.add_query_logger(count)


async def fetch_all(sql: str, *arguments: Any) -> Sequence[asyncpg.Record]:
    """Run one SELECT with fixed text and return its rows. For statements that write, use `write`."""
    connection = get_connection("default")
    if isinstance(connection, PostgresClient):
        return await connection.read(sql, arguments)
    # In a transaction. Tortoise says dictionaries and hands on asyncpg's own records.
    return cast("Sequence[asyncpg.Record]", (await connection.execute_query(sql, list(arguments)))[1])


async def write(sql: str, *arguments: Any) -> list[dict[str, Any]]:
    """Run one INSERT, UPDATE or DELETE and return what its RETURNING gives."""
    # execute_query() drops the rows of statements that begin with INSERT, UPDATE or DELETE.
    return cast("list[dict[str, Any]]", await get_connection("default").execute_query_dict(sql, list(arguments)))


@asynccontextmanager
async def transaction(*, isolation: str | None = None) -> AsyncGenerator[None, None]:
    """One transaction for everything in the block. No HTTP, no task, no other connection inside."""
    async with in_transaction() as connection:
        if isolation is not None:
            await connection.execute_script(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        yield


async def run_in_transaction(body: Callable[[], Awaitable[T]], *, tries: int = 3) -> T:
    """Run `body` in a transaction, again from its beginning when PostgreSQL asks for it (deadlock, lock timeout)."""
    for attempt in range(1, tries + 1):
        try:
            async with transaction():
                return await body()
        except asyncpg.PostgresError as error:
            if getattr(error, "sqlstate", None) not in _RETRIED_SQLSTATES or attempt == tries:
                raise
            await asyncio.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 (jitter, not a secret)
    raise AssertionError("unreachable")


async def lock_for_transaction(key: str) -> None:
    """Wait for the advisory lock `key`, held until the transaction ends. Works behind PgBouncer."""
    await fetch_all("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
