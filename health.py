"""Whether this process can serve, and what it lacks if not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from models.database import fetch_all
from models.pending_migrations import missing_migrations

_DEADLINE = 2.0

STARTING = {"process": "starting: connections are being opened, ask again in a second"}
STOPPING = {"process": "stopping: what is under way ends, send requests elsewhere"}
"""What a process says instead while it does not serve."""


async def _database() -> str | None:
    await fetch_all("SELECT 1")
    return None


async def _migrations() -> str | None:
    missing = await missing_migrations()
    return f"{len(missing)} missing ({', '.join(missing)}): run `traverse migrate`" if missing else None


async def readiness(redis: Redis) -> tuple[bool, dict[str, str]]:
    """Return whether requests can be served, and one word or sentence for each thing that was looked at.

    Without Valkey the API serves on: rows are stored, and sweeps find what no bell announced.
    """

    async def valkey() -> str | None:
        await redis.ping()
        return None

    checks: dict[str, Callable[[], Awaitable[str | None]]] = {
        "database": _database,
        "migrations": _migrations,
        "valkey": valkey,
    }
    found = dict(zip(checks, await asyncio.gather(*(_look(check) for check in checks.values())), strict=True))
    return all(found[name] is None for name in ("database", "migrations")), {
        name: problem or "ok" for name, problem in found.items()
    }


async def _look(check: Callable[[], Awaitable[str | None]]) -> str | None:
    try:
        async with asyncio.timeout(_DEADLINE):
            return await check()
    except Exception as error:  # noqa: BLE001 (whatever is wrong is what was asked)
        return f"unavailable ({type(error).__name__})"
