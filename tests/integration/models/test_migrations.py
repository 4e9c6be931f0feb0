"""The schema runs from nothing, one step at a time backwards, and matches the models."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from models.database import DatabaseConfig, connection_parameters
from models.migrate import migrate, missing_migrations, unwritten_changes
from tests.conftest import KEYS

STEPS = ["0001_tables", "0002_constraints", "0003_indexes", "0004_triggers", "0005_runs_and_sent_dates"]


@pytest.fixture
async def empty_database(database_url: str):
    parameters = connection_parameters(database_url)
    name = f"{parameters['database']}_steps"
    admin = await asyncpg.connect(**parameters)
    await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield DatabaseConfig(url=database_url.replace(parameters["database"], name), keys=KEYS)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


async def tables(config: DatabaseConfig) -> set[str]:
    connection = await asyncpg.connect(**connection_parameters(config.url))
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    return {row["tablename"] for row in rows} - {"tortoise_migrations"}


async def test_the_schema_is_built_from_nothing_and_undone_step_by_step(empty_database: DatabaseConfig):
    assert await migrate(empty_database) == STEPS
    assert "approval" in await tables(empty_database)
    assert await migrate(empty_database) == []

    for step, before in zip(reversed(STEPS[1:]), reversed(STEPS[:-1]), strict=True):
        assert await migrate(empty_database, target=before) == [step]
    assert await migrate(empty_database, target="__first__") == STEPS[:1]

    assert await tables(empty_database) == set()
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
