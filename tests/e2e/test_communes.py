"""`traverse communes sync` as a process, against the simulated API Géo: all of France, or nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from demo.database import connected
from tests.e2e.processes import sandbox_process
from tests.e2e.test_cli import traverse

pytestmark = pytest.mark.e2e

_ROWS = "SELECT count(*) FROM commune WHERE removed_at IS NULL"


async def test_the_command_loads_france_and_refuses_twelve_communes(migrated_database_url: str, tmp_path: Path):
    async with sandbox_process(tmp_path) as sandbox:
        settings = {"DATABASE_URL": migrated_database_url, "API_GEO_BASE_URL": f"{sandbox.url}/geo"}

        loaded = await asyncio.to_thread(traverse, "communes", "sync", **settings)
        await _set_size(sandbox.url, 12)
        refused = await asyncio.to_thread(traverse, "communes", "sync", **settings)
        examined = await asyncio.to_thread(traverse, "doctor", **settings)

    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert loaded.stdout.startswith("34,945 communes and arrondissements: 34,945 new")
    assert refused.returncode == 1
    assert refused.stdout.startswith("Nothing was changed: api_geo country: fewer communes than France has")
    assert "34,945 in the database, the last round failed" in " ".join(examined.stdout.split())
    async with connected(migrated_database_url) as connection:
        rows = await connection.fetchval(_ROWS)
        await connection.execute("TRUNCATE commune, cron_run")  # the database is also that of the tests after this one
    assert rows == 34_945


def test_the_command_says_that_api_geo_is_off(migrated_database_url: str):
    ended = traverse("communes", "sync", DATABASE_URL=migrated_database_url)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "API_GEO_BASE_URL is not set" in ended.stderr


async def _set_size(sandbox_url: str, size: int) -> None:
    async with httpx.AsyncClient(base_url=sandbox_url) as http:
        (await http.patch("/_settings", json={"partner": "geo", "country_size": size})).raise_for_status()
