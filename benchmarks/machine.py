"""What kind of machine measures, and with which versions."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import asyncpg
import psutil
import redis.asyncio

from benchmarks.results import Machine
from models.database import connection_parameters

_PACKAGES = (
    "strawberry-graphql",
    "graphql-core",
    "tortoise-orm",
    "asyncpg",
    "starlette",
    "uvicorn",
    "uvloop",
    "orjson",
)
_ROOT = Path(__file__).parent.parent


async def describe(database_url: str, redis_url: str) -> Machine:
    return Machine(
        processor=_processor(),
        cores=psutil.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        system=f"{platform.system()} {platform.machine()}",
        versions={
            "Python": platform.python_version(),
            "PostgreSQL": await _postgres(database_url),
            "Valkey": await _valkey(redis_url),
            **{name: version(name) for name in _PACKAGES},
        },
    )


def commit() -> str | None:
    """The commit that is measured, with a `+` where files differ from it. None: there is no history here."""
    described = _git("rev-parse", "--short=10", "HEAD")
    if described is None:
        return None
    return described + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*arguments: str) -> str | None:
    try:
        result = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603, S607 (our own words)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


async def _postgres(url: str) -> str:
    connection = cast("Any", await asyncpg.connect(**connection_parameters(url)))
    try:
        return str(await connection.fetchval("SHOW server_version")).partition(" ")[0]
    finally:
        await connection.close()


async def _valkey(url: str) -> str:
    client: Any = redis.asyncio.from_url(url)
    try:
        told = await client.info("server")
    finally:
        await client.aclose()
    return str(told.get("valkey_version") or told.get("redis_version"))
