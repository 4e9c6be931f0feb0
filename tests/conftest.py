"""Fixtures shared by every test: real engines, one database a test process, the clock of the tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import hypothesis
import pytest
import redis.asyncio
from tortoise.connection import get_connection

from demo.engines import EmbeddedEngines, Engines
from models.database import DatabaseConfig, close_database, connection_parameters, fetch_all, open_database
from models.encryption import KeyRing, use_key_ring
from models.migrate import migrate

# An ordinary Wednesday morning, Paris winter time. Tests that care about the calendar say so themselves.
NOW = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)
KEYS = KeyRing(keys=(b"tests-only-sealing-key-32-bytes!",), fingerprint_key=b"tests-only-finger-key-32-bytes!!")
# The machine that runs the tests may be busy: a slow example is no wrong one.
hypothesis.settings.register_profile("traverse", deadline=None)
# HYPOTHESIS_PROFILE=thorough: for a change to what properties are about.
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "traverse"))
DATA_DIR = Path(__file__).parent.parent / ".traverse"


@pytest.fixture(autouse=True, scope="session")
def _keys() -> None:
    use_key_ring(KEYS)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """PostgreSQL shared by the test processes, Valkey for each of them (tests flush it)."""
    with EmbeddedEngines(tmp_path_factory.mktemp("engines"), os.environ, postgres_dir=DATA_DIR / "test") as engines:
        yield engines


@pytest.fixture(scope="session")
async def database_url(engines: Engines) -> AsyncIterator[str]:
    """An empty database of this process's own: several test runs may share one server."""
    name = f"traverse_test_{os.getpid()}"
    admin = cast("Any", await asyncpg.connect(**connection_parameters(engines.database_url)))
    await _drop_abandoned(admin)
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    # Tests lose nothing in a power cut; they do not wait for the disk either.
    await admin.execute(f"ALTER DATABASE \"{name}\" SET synchronous_commit = 'off'")
    yield urlunsplit(urlsplit(engines.database_url)._replace(path=f"/{name}"))
    await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await admin.close()


async def _drop_abandoned(admin: Any) -> None:
    """Drop the databases of test processes that were killed. The number in the name is a process id."""
    for row in await admin.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'traverse_test_%'"):
        owner: str = row["datname"].split("_")[2]
        if not owner.isdigit() or not _is_alive(int(owner)):
            await admin.execute(f'DROP DATABASE IF EXISTS "{row["datname"]}" WITH (FORCE)')


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@pytest.fixture(scope="session")
async def migrated_database_url(database_url: str) -> str:
    await migrate(DatabaseConfig(url=database_url, keys=KEYS))
    return database_url


@pytest.fixture(scope="session")
async def _open_database(migrated_database_url: str) -> AsyncIterator[DatabaseConfig]:
    config = DatabaseConfig(url=migrated_database_url, keys=KEYS, pool_max=20)
    await open_database(config)
    yield config
    await close_database()


@pytest.fixture
async def database(_open_database: DatabaseConfig) -> AsyncIterator[DatabaseConfig]:
    """The open, migrated database; every row is gone after the test."""
    yield _open_database
    tables = await fetch_all(
        "SELECT quote_ident(tablename) AS name FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations'"
    )
    await get_connection("default").execute_script(f"TRUNCATE {', '.join(row['name'] for row in tables)}")


@pytest.fixture
async def valkey(engines: Engines) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of an empty Valkey."""
    client: redis.asyncio.Redis = redis.asyncio.from_url(engines.redis_url)
    await client.flushall()
    yield client
    await client.aclose()
