"""The schema runs from nothing, one step at a time backwards, and matches the models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from tortoise.transactions import in_transaction

from models import migrations
from models.database import DatabaseConfig
from models.migrate import MIGRATION_LOCK, migrate, unwritten_changes
from models.pending_migrations import missing_migrations
from tests.conftest import KEYS
from tests.integration.models.conftest import connected

STEPS = sorted(path.stem for path in Path(migrations.__file__).parent.glob("[0-9]*.py"))
REFUSED_THE_LOCK = """
SELECT FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE '%pg_try_advisory_lock%' AND state = 'idle'
"""
TABLES = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
LEFT_BEHIND = """
SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
UNION ALL SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'
UNION ALL SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND sequencename NOT LIKE 'tortoise%'
"""


@pytest.fixture
async def empty_database(database_url: str) -> AsyncIterator[DatabaseConfig]:
    name = f"{urlsplit(database_url).path[1:]}_steps"
    async with connected(database_url) as admin:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield DatabaseConfig(url=urlunsplit(urlsplit(database_url)._replace(path=f"/{name}")), keys=KEYS)
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


async def names(config: DatabaseConfig, sql: str) -> set[str]:
    async with connected(config.url) as raw:
        return {row["name"] for row in await raw.fetch(sql)}


async def tables(config: DatabaseConfig) -> set[str]:
    return await names(config, TABLES) - {"tortoise_migrations"}


async def test_the_schema_is_built_from_nothing_and_undone_step_by_step(empty_database: DatabaseConfig):
    assert await migrate(empty_database) == STEPS
    assert "approval" in await tables(empty_database)
    assert await migrate(empty_database) == []

    for step, before in zip(reversed(STEPS[1:]), reversed(STEPS[:-1]), strict=True):
        assert await migrate(empty_database, target=before) == [step]
    assert await migrate(empty_database, target="__first__") == STEPS[:1]

    assert await tables(empty_database) == set()
    assert await names(empty_database, LEFT_BEHIND) == set()
    assert await migrate(empty_database) == STEPS


async def test_two_processes_that_migrate_at_once_do_the_work_once(empty_database: DatabaseConfig):
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(migrate(empty_database)) for _ in range(2)]

    assert sorted(len(run.result()) for run in runs) == [0, len(STEPS)]


async def test_the_migrations_say_what_the_models_say(empty_database: DatabaseConfig):
    assert await unwritten_changes(empty_database) == []


@pytest.mark.usefixtures("database")
async def test_an_up_to_date_database_misses_nothing():
    assert await missing_migrations() == []


@pytest.mark.parametrize(
    ("earlier", "missing"),
    [
        ("DELETE FROM tortoise_migrations WHERE name >= '0020'", [step for step in STEPS if step >= "0020"]),
        ("UPDATE tortoise_migrations SET app = 'another'", STEPS),
        ("DROP TABLE tortoise_migrations", STEPS),
        (
            "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('models', '9999_later', now())",
            [],
        ),
    ],
    ids=["behind", "of another application", "never migrated", "ahead"],
)
@pytest.mark.usefixtures("database")
async def test_what_a_database_misses_is_told_by_the_files_and_its_own_table(earlier: str, missing: list[str]):
    async with in_transaction() as transaction:
        await transaction.execute_script(earlier)

        assert await missing_migrations() == missing

        await transaction.rollback()


async def test_a_step_taken_back_and_forward_again_leaves_the_rows_where_they_were(empty_database: DatabaseConfig):
    await migrate(empty_database)
    async with connected(empty_database.url) as raw:
        await raw.execute("INSERT INTO cron_run (name, started_at, summary) VALUES ('notification', now(), '{}')")

    await migrate(empty_database, target=STEPS[0])
    await migrate(empty_database)

    assert await names(empty_database, "SELECT name FROM cron_run") == {"notification"}


async def test_a_migration_waits_for_the_one_under_way(empty_database: DatabaseConfig):
    async with connected(empty_database.url) as holder:
        await holder.execute(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
        waiting = asyncio.create_task(migrate(empty_database))
        while not await holder.fetch(REFUSED_THE_LOCK):  # noqa: ASYNC110 (PostgreSQL tells nobody that somebody waits)
            await asyncio.sleep(0)
        before = await tables(empty_database)
        await holder.execute(f"SELECT pg_advisory_unlock({MIGRATION_LOCK})")

        assert await waiting == STEPS
        assert before == set()


async def test_a_migration_may_take_longer_than_the_statement_of_a_request(empty_database: DatabaseConfig):
    hasty = replace(empty_database, statement_timeout=timedelta(milliseconds=1))

    assert await migrate(hasty) == STEPS


async def test_migrating_fails_at_once_where_no_database_answers():
    nowhere = DatabaseConfig(url="postgresql://postgres@127.0.0.1:1/traverse", keys=KEYS)

    with pytest.raises(ConnectionRefusedError):
        await migrate(nowhere)
