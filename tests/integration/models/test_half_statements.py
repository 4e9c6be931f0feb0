"""A statement that is given up between its two halves leaves no connection in the middle of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import asyncpg
import pytest

from models.database import DATABASE_AWAY, DatabaseConfig, connection_parameters, fetch_all, write
from models.reserved_pool import ReservedPool

TRIES = 12
# Known to no connection yet, and found again by its text.
STATEMENT = (
    "UPDATE job_application SET state = state WHERE id IS NULL AND {number} = $1::int RETURNING 'given up' AS mark"
)
LEFT_OPEN = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE state <> 'idle' AND query LIKE '%given up%' AND pid <> pg_backend_pid()"
)
Send = Callable[[str, int], Awaitable[Any]]


@pytest.fixture
async def reserved(database: DatabaseConfig) -> AsyncIterator[ReservedPool]:
    pool = ReservedPool(database, size=1)
    await pool.open()
    await pool.write("SELECT 1")
    yield pool
    await pool.close()


@pytest.fixture
async def onlooker(database: DatabaseConfig) -> AsyncIterator[Any]:
    connection: Any = await cast("Any", asyncpg).connect(**connection_parameters(database.url))
    yield connection
    await connection.close()


async def give_up(sending: asyncio.Task[Any], *, turns: int) -> None:
    """Cancel in the turn of the loop in which PostgreSQL's answer to the first half is read."""
    for _ in range(turns):
        await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.005, sending.cancel)
    asyncio.get_running_loop().call_soon(time.sleep, 0.02)
    await asyncio.wait({sending})


async def left_open_by(send: Send, onlooker: Any) -> int:
    """Return how many of some cancelled statements PostgreSQL was still in, once their connection was given back."""
    left_open = 0
    for number in range(TRIES):
        sending = asyncio.ensure_future(send(STATEMENT.format(number=number), number))
        await give_up(sending, turns=1 + number % 6)
        assert sending.cancelled() or sending.result() == []
        left_open += await onlooker.fetchval(LEFT_OPEN)
    return left_open


@pytest.mark.parametrize("send", [fetch_all, write], ids=["read", "write"])
async def test_what_is_cancelled_between_its_halves_is_ended(onlooker: Any, send: Send):
    kept = await fetch_all("SELECT pg_backend_pid() AS pid")

    assert await left_open_by(send, onlooker) == 0
    assert (await fetch_all("SELECT pg_backend_pid() AS pid")) == kept


async def test_a_reserved_connection_is_not_left_in_the_middle_either(onlooker: Any, reserved: ReservedPool):
    assert await left_open_by(reserved.write, onlooker) == 0


async def test_values_that_no_column_takes_leave_nothing_open(onlooker: Any):
    with pytest.raises(Exception, match="invalid input"):
        await write(STATEMENT.format(number=700), "seven")

    assert await onlooker.fetchval(LEFT_OPEN) == 0


@pytest.mark.parametrize("way", ["read", "read at once", "write", "reserved"])
async def test_a_connection_that_is_lost_under_a_statement_is_an_outage(
    way: str, reserved: ReservedPool, onlooker: Any, database: DatabaseConfig
):
    """And nothing else: who asks later, or comes back, is told so."""
    statement = "SELECT pg_sleep(30), 'lost' AS mark"
    await fetch_all("SELECT 1")
    if way == "read":
        # All connections are in use: it waits for one.
        held = [asyncio.ensure_future(fetch_all("SELECT pg_sleep(0.3)")) for _ in range(database.pool_max)]
        await asyncio.sleep(0.1)
        sending: asyncio.Future[Any] = asyncio.ensure_future(fetch_all(statement))
        await asyncio.gather(*held)
    else:
        send = {"read at once": fetch_all, "write": write, "reserved": reserved.write}[way]
        sending = asyncio.ensure_future(send(statement))
    ended = 0
    async with asyncio.timeout(10):
        while not ended:
            ended = await onlooker.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE state = 'active' AND query LIKE '%lost%' AND pid <> pg_backend_pid()"
            )

    with pytest.raises(DATABASE_AWAY):
        await sending

    assert (await fetch_all("SELECT 1 AS one"))[0]["one"] == 1
    assert (await reserved.write("SELECT 1 AS one"))[0]["one"] == 1
