"""Reads go a short way to a connection and back: no connection is lost on it, whatever becomes of the read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tortoise.connection import get_connection
from tortoise.exceptions import OperationalError

from models.database import fetch_all, transaction


@pytest.mark.usefixtures("database")
async def test_more_reads_than_connections_all_end() -> None:
    rows = await asyncio.gather(*(fetch_all("SELECT $1::int AS number", number) for number in range(100)))

    assert [row[0]["number"] for row in rows] == list(range(100))
    assert _taken() == 0


@pytest.mark.usefixtures("database")
async def test_a_read_that_fails_gives_its_connection_back() -> None:
    with pytest.raises(OperationalError, match="division by zero"):
        await fetch_all("SELECT 1 / 0")

    assert _taken() == 0
    assert (await fetch_all("SELECT 1 AS one"))[0]["one"] == 1


@pytest.mark.usefixtures("database")
async def test_a_read_that_nobody_waits_for_any_more_gives_its_connection_back() -> None:
    reading = asyncio.create_task(fetch_all("SELECT pg_sleep(30)"))
    while not _taken():  # noqa: ASYNC110 (the pool has no event for it)
        await asyncio.sleep(0)

    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert _taken() == 0
    assert (await fetch_all("SELECT 1 AS one"))[0]["one"] == 1


@pytest.mark.usefixtures("database")
async def test_a_connection_that_the_server_cut_is_replaced() -> None:
    other: Any = await _pool().acquire()
    pid: int = (await fetch_all("SELECT pg_backend_pid() AS pid"))[0]["pid"]
    await other.execute("SELECT pg_terminate_backend($1)", pid)
    await _pool().release(other)

    answers = [
        answer
        for _ in range(5)
        for answer in await asyncio.gather(*(fetch_all("SELECT 1 AS one") for _ in range(20)), return_exceptions=True)
    ]

    # Whoever asks while the end of the line is on its way is told so; nobody after that.
    assert sum(isinstance(answer, BaseException) for answer in answers) <= 1
    assert not any(isinstance(answer, BaseException) for answer in answers[-20:])
    assert _taken() == 0


@pytest.mark.usefixtures("database")
async def test_a_read_within_a_transaction_sees_what_it_wrote() -> None:
    async with transaction():
        await get_connection("default").execute_script("CREATE TEMPORARY TABLE seen ON COMMIT DROP AS SELECT 7 AS one")

        rows = await fetch_all("SELECT one FROM seen")

    assert rows[0]["one"] == 7


def _pool() -> Any:
    return get_connection("default")._pool  # pyright: ignore[reportAttributeAccessIssue, reportPrivateUsage, reportUnknownMemberType, reportUnknownVariableType]


def _taken() -> int:
    """Connections that are in somebody's hands."""
    return _pool().get_size() - _pool().get_idle_size()
