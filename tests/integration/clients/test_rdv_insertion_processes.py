"""Two real processes share the credentials of RDV-Solidarités through a real Valkey."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis.asyncio

from demo.engines import Engines
from sandbox.app import create_app
from sandbox.rdv import SimulatedRDVSolidarites
from sandbox.server import server_for
from tests.integration.clients.rdv_caller import CALLS

ROOT = Path(__file__).parents[3]
USERS = "/rdv-insertion/api/v1/organisations/651/users"


@dataclass(frozen=True)
class Running:
    """A sandbox that listens, and processes that call it."""

    control: httpx.AsyncClient
    solidarites: SimulatedRDVSolidarites
    redis_url: str

    async def run_processes(self, number: int) -> list[int | None]:
        """Their exit codes."""
        processes = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.integration.clients.rdv_caller"),
                *(str(self.control.base_url).rstrip("/"), self.redis_url),
                cwd=ROOT,
            )
            for _ in range(number)
        ]
        return [await process.wait() for process in processes]

    async def statuses(self, path: str) -> dict[str, int]:
        summary = (await self.control.get("/_calls", params={"summary": "1", "path": path})).json()
        return summary["paths"][path]["statuses"]


@pytest.fixture
async def running(engines: Engines, valkey: redis.asyncio.Redis) -> AsyncIterator[Running]:
    sandbox = create_app()
    solidarites = sandbox.partners["rdv-solidarites"]
    assert isinstance(solidarites, SimulatedRDVSolidarites)
    server = server_for("127.0.0.1", 0, app=sandbox)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.005)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    async with httpx.AsyncClient(base_url=base, trust_env=False) as control:
        yield Running(control, solidarites, engines.redis_url)
    server.should_exit = True
    await serving


async def test_two_processes_sign_in_once_and_once_more_when_their_session_was_ended(running: Running):
    first = await running.run_processes(2)
    signed_in_first = await running.statuses("/rdv-solidarites/api/v1/auth/sign_in")
    running.solidarites.sessions.revoke()

    second = await running.run_processes(2)

    assert first == second == [0, 0]
    assert signed_in_first == {"200": 1}
    assert await running.statuses("/rdv-solidarites/api/v1/auth/sign_in") == {"200": 2}
    assert (await running.statuses(USERS))["200"] == 4 * CALLS


async def test_a_valkey_wiped_between_two_runs_costs_one_more_sign_in(running: Running, valkey: redis.asyncio.Redis):
    await running.run_processes(1)
    await valkey.flushall()

    ended = await running.run_processes(2)

    assert ended == [0, 0]
    assert await running.statuses("/rdv-solidarites/api/v1/auth/sign_in") == {"200": 2}
