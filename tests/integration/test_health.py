"""What `/readyz` says: whether requests can be served, and if not what is missing and what to do."""

from __future__ import annotations

import pytest
import redis.asyncio
from tortoise.transactions import in_transaction

from health import readiness
from models.database import DatabaseConfig, close_database, open_database, write


@pytest.mark.usefixtures("database")
async def test_a_process_that_has_all_it_needs_is_ready(valkey: redis.asyncio.Redis):
    assert await readiness(valkey) == (True, {"database": "ok", "migrations": "ok", "valkey": "ok"})


@pytest.mark.usefixtures("database")
async def test_without_valkey_requests_are_served_and_its_absence_is_told():
    nobody = redis.asyncio.from_url("redis://127.0.0.1:1/0")

    is_ready, found = await readiness(nobody)

    assert is_ready
    assert found == {"database": "ok", "migrations": "ok", "valkey": "unavailable (ConnectionError)"}
    await nobody.aclose()


async def test_without_a_database_nothing_is_served(valkey: redis.asyncio.Redis, database: DatabaseConfig):
    await close_database()
    try:
        await open_database(DatabaseConfig(url="postgresql://postgres@127.0.0.1:1/none", keys=database.keys))
        is_ready, found = await readiness(valkey)
    finally:
        await close_database()
        await open_database(database)

    assert not is_ready
    assert found["database"].startswith("unavailable (")
    assert found["migrations"].startswith("unavailable (")
    assert found["valkey"] == "ok"


@pytest.mark.usefixtures("database")
async def test_a_database_that_lacks_migrations_is_told_with_their_names_and_what_to_run(valkey: redis.asyncio.Redis):
    async with in_transaction() as transaction:
        await write("DELETE FROM tortoise_migrations WHERE name = '0023_due_since' RETURNING name")

        is_ready, found = await readiness(valkey)

        await transaction.rollback()
    assert not is_ready
    assert found["migrations"] == "1 missing (0023_due_since): run `traverse migrate`"
