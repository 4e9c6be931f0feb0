"""Bring the database to the schema that this version of the code expects."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import asyncpg
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.writer import MigrationWriter

from models.database import DatabaseConfig, connection_parameters, tortoise_config

MIGRATION_LOCK = 0x7472617665727365  # "traverse": one migrating process at a time on a database
_LONGEST_STATEMENT = timedelta(hours=1)
_TAKE_LOCK = "SELECT pg_try_advisory_lock($1)"
_LOOK_AGAIN_SECONDS = 0.2
_APPS = {"models": {"models": ["models"], "migrations": "models.migrations", "default_connection": "default"}}


async def migrate(config: DatabaseConfig, *, target: str = "__latest__") -> list[str]:
    """Run what is missing (or, for an earlier `target`, undo what is too much) and return the names of what ran.

    Safe to start from several processes at once: one works, the others wait and find nothing to do.
    `target` is a migration's name, or "__first__" to undo everything.
    """
    lock = cast("asyncpg.Connection", await asyncpg.connect(**connection_parameters(config.url)))
    try:
        # Asked again and again: a statement that waits for the lock has a snapshot, and CREATE INDEX CONCURRENTLY would
        # wait for that in turn.
        while not await lock.fetchval(_TAKE_LOCK, MIGRATION_LOCK):  # noqa: ASYNC110 (PostgreSQL tells nobody)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return await _migrate(config, target)
    finally:
        await lock.close()


async def _migrate(config: DatabaseConfig, target: str) -> list[str]:
    ran: list[str] = []

    def note(event: str, _app: str, name: str) -> None:
        if event in ("apply_done", "rollback_done"):
            ran.append(name)

    # An index over a large table takes longer than any statement of a request may.
    patient = replace(config, statement_timeout=_LONGEST_STATEMENT)
    async with TortoiseContext() as context:
        await context.init(config=tortoise_config(patient), init_connections=False)
        executor = MigrationExecutor(get_connection("default"), _APPS)
        await executor.migrate([MigrationTarget(app_label="models", name=target)], progress=note)
    return ran


async def unwritten_changes(config: DatabaseConfig) -> list[MigrationWriter]:
    """Return what the models say and no migration does; empty when they agree. Needs no running database."""
    async with TortoiseContext() as context:
        await context.init(config=tortoise_config(config), init_connections=False)
        if context.apps is None:
            raise RuntimeError("Tortoise did not load the models")
        return await MigrationAutodetector(context.apps, _APPS).changes()


async def write_migration(config: DatabaseConfig, name: str) -> list[Path]:
    """Write the next migration file from the models. Constraints, indexes and renames are then added by hand."""
    written: list[Path] = []
    for writer in await unwritten_changes(config):
        number, _, _ = writer.name.partition("_")
        writer.name = f"{number}_{name}"
        written.append(Path(writer.write()))
    return written
