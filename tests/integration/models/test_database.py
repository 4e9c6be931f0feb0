"""The pool and what stands on it: statements, transactions, retries, locks, and the count of statements."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tortoise.exceptions import IntegrityError

from models import CronRun, PacingGate
from models.database import (
    DATABASE_AWAY,
    DatabaseConfig,
    connection_parameters,
    counting_statements,
    fetch_all,
    lock_for_transaction,
    run_in_transaction,
    transaction,
    write,
)
from tests.conftest import KEYS
from tests.factories import NOW
from tests.integration.models.conftest import RawSQL

pytestmark = pytest.mark.usefixtures("database")

GIVE = "INSERT INTO pacing_gate (key, next_free_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING key"


async def gates() -> set[str]:
    return {row["key"] for row in await fetch_all("SELECT key FROM pacing_gate")}


async def test_a_write_gives_back_what_it_returns_and_nothing_for_a_conflict():
    first = await write(GIVE, "a", NOW)
    again = await write(GIVE, "a", NOW)

    assert (first, again) == ([{"key": "a"}], [])


async def test_a_transaction_that_fails_leaves_nothing():
    async def write_and_fail() -> None:
        async with transaction():
            await write(GIVE, "a", NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()

    assert await gates() == set()


async def test_models_and_raw_statements_share_a_transaction():
    async with transaction():
        await write(GIVE, "a", NOW)
        assert await PacingGate.all().count() == 1
        await PacingGate.create(key="b", next_free_at=NOW)

        assert await gates() == {"a", "b"}


async def test_an_isolation_level_holds_for_its_transaction_only():
    level = "SELECT current_setting('transaction_isolation') AS level"

    async with transaction(isolation="SERIALIZABLE"):
        inside = await fetch_all(level)

    assert inside[0]["level"] == "serializable"
    assert (await fetch_all(level))[0]["level"] == "read committed"


async def test_two_that_wait_for_each_other_both_succeed_in_the_end():
    await write(GIVE, "a", NOW)
    await write(GIVE, "b", NOW)
    both_hold_one = asyncio.Barrier(2)
    tries = 0

    async def take(first: str, second: str) -> None:
        async def body() -> None:
            nonlocal tries
            tries += 1
            await write("UPDATE pacing_gate SET next_free_at = now() WHERE key = $1 RETURNING key", first)
            if tries <= 2:
                await both_hold_one.wait()
            await write("UPDATE pacing_gate SET next_free_at = now() WHERE key = $1 RETURNING key", second)

        await run_in_transaction(body)

    async with asyncio.TaskGroup() as group:
        group.create_task(take("a", "b"))
        group.create_task(take("b", "a"))

    # PostgreSQL ended one of the two; it began again from its beginning.
    assert tries == 3


async def test_what_cannot_succeed_is_not_tried_again():
    tries = 0

    async def body() -> None:
        nonlocal tries
        tries += 1
        await CronRun.create(name="run", started_at=NOW)
        await CronRun.create(name="run", started_at=NOW)

    with pytest.raises(IntegrityError):
        await run_in_transaction(body)

    assert tries == 1
    assert await CronRun.all().count() == 0


async def test_a_lock_is_held_until_its_transaction_ends(raw: RawSQL):
    is_free = "SELECT pg_try_advisory_xact_lock(hashtextextended('numbers', 0)) AS is_free"

    async with transaction():
        await lock_for_transaction("numbers")
        [during] = await raw.fetch(is_free)
    [after] = await raw.fetch(is_free)

    assert (during["is_free"], after["is_free"]) == (False, True)


async def test_every_statement_of_a_block_is_counted_whoever_sends_it():
    async with counting_statements() as counter:
        await fetch_all("SELECT 1")
        async with transaction():
            await PacingGate.create(key="a", next_free_at=NOW)
        await asyncio.gather(fetch_all("SELECT 1"), PacingGate.all().count())

    # Neither BEGIN nor COMMIT nor the pool's own housekeeping is work of the block.
    assert counter.statements == 4
    assert counter.seconds > 0


async def test_blocks_that_run_at_the_same_time_are_counted_apart():
    async def count(statements: int) -> int:
        async with counting_statements() as counter:
            for _ in range(statements):
                await fetch_all("SELECT 1")
        return counter.statements

    assert await asyncio.gather(count(1), count(3), count(5)) == [1, 3, 5]


async def test_the_pool_recovers_after_every_connection_was_cut(raw: RawSQL, database: DatabaseConfig):
    await asyncio.gather(*(fetch_all("SELECT pg_sleep(0.01)") for _ in range(5)))
    await raw.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    # A connection may be handed out before its end was noticed: each fails once at most, and is replaced.
    failures = 0
    answers = 0
    while answers < 5 and failures <= database.pool_max:
        try:
            await fetch_all("SELECT 1")
            answers += 1
        except DATABASE_AWAY:
            failures += 1

    assert answers == 5


async def test_a_statement_that_takes_too_long_is_ended_by_postgresql(database: DatabaseConfig):
    settings = await fetch_all(
        "SELECT name, setting FROM pg_settings WHERE name IN"
        " ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'TimeZone')"
    )

    assert {row["name"]: row["setting"] for row in settings} == {
        "statement_timeout": str(database.statement_timeout // timedelta(milliseconds=1)),
        "lock_timeout": str(database.lock_timeout // timedelta(milliseconds=1)),
        "idle_in_transaction_session_timeout": str(database.idle_in_transaction_timeout // timedelta(milliseconds=1)),
        "TimeZone": "UTC",
    }


@pytest.mark.parametrize(
    ("url", "parameters"),
    [
        (
            "postgresql://traverse:p%40ss@db.exemple.test:6432/platform?sslmode=verify-full",
            {
                "host": "db.exemple.test",
                "port": 6432,
                "user": "traverse",
                "password": "p@ss",
                "database": "platform",
                "ssl": "verify-full",
            },
        ),
        (
            "postgres://localhost/platform",
            {"host": "localhost", "port": 5432, "user": "postgres", "password": None, "database": "platform"},
        ),
        (
            "postgresql://postgres@/platform?host=/run/postgresql",
            {"host": "/run/postgresql", "port": 5432, "user": "postgres", "password": None, "database": "platform"},
        ),
        (
            "postgresql://db.exemple.test",
            {
                "host": "db.exemple.test",
                "port": 5432,
                "user": "postgres",
                "password": None,
                "database": "postgres",
            },
        ),
    ],
)
def test_a_url_says_how_to_connect(url: str, parameters: dict[str, object]):
    assert connection_parameters(url) == parameters


def test_a_url_of_another_database_is_refused():
    with pytest.raises(ValueError, match="postgresql:// expected"):
        connection_parameters("mysql://localhost/platform")


def test_a_configuration_does_not_print_its_password():
    shown = repr(DatabaseConfig(url="postgresql://traverse:hunter2@db/platform", keys=KEYS))

    assert "hunter2" not in shown
