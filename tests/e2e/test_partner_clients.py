"""A partner's machine client from `traverse partner create` to its last token: real commands, a real server."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from demo.engines import Engines
from models import Company
from models.database import DatabaseConfig
from tests.e2e.test_cli import ROOT, traverse
from tests.factories import make_appointment, make_company
from tests.waiting import until

pytestmark = pytest.mark.e2e

SECRET_KEY = "a-key-of-tests-that-is-long-enough-to-sign"
READ = "{ viewer { kind } appointments(first: 5) { nodes { company { siret } } } }"
BOTH = ("--scope", "appointments:read", "--scope", "participations:read")


@dataclass(frozen=True)
class Server:
    """A server that listens, and what its commands are run with."""

    http: httpx.AsyncClient
    environ: dict[str, str]

    async def token(self, client_id: str, secret: str) -> httpx.Response:
        return await self.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(client_id, secret))

    async def read(self, token: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        return (await self.http.post("/graphql", json={"query": READ}, headers=headers)).json()


@pytest.fixture
async def server(database: DatabaseConfig, engines: Engines) -> AsyncIterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        "ENVIRONMENT": "test",
        "DATABASE_URL": database.url,
        "REDIS_URL": engines.redis_url,
        "SECRET_KEY": SECRET_KEY,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "serve", "--port", str(port)),
        cwd=ROOT,
        env=environ | {"PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            await until(lambda: _is_up(http), within_seconds=60)
            yield Server(http, environ)
    finally:
        process.terminate()
        await process.wait()


async def _is_up(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False


def values_of(printed: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)


async def create(server: Server, company: Company) -> dict[str, str]:
    ended = await asyncio.to_thread(
        traverse, "partner", "create", "Logiciel Inventé", "--company", company.siret, *BOTH, **server.environ
    )
    assert ended.returncode == 0, ended.stderr
    assert values_of(ended.stdout)["client_secret"] not in ended.stderr
    return values_of(ended.stdout)


async def test_a_partner_s_machine_is_entered_reads_gets_another_secret_and_is_revoked(server: Server):
    company = await make_company()
    await make_appointment(company)
    await make_appointment(await make_company())
    made = await create(server, company)
    client_id = made["client_id"]

    answer = await server.token(client_id, made["client_secret"])
    token: str = answer.json()["access_token"]
    seen = await server.read(token)

    assert seen["data"] == {
        "viewer": {"kind": "PARTNER"},
        "appointments": {"nodes": [{"company": {"siret": company.siret}}]},
    }
    rotated = await asyncio.to_thread(traverse, "partner", "rotate", client_id, "--keep", "1s", **server.environ)
    listed = await asyncio.to_thread(traverse, "partner", "list", **server.environ)
    second = await server.token(client_id, values_of(rotated.stdout)["client_secret"])
    revoked = await asyncio.to_thread(traverse, "partner", "revoke", client_id, **server.environ)

    assert second.status_code == 200
    assert client_id in listed.stdout
    assert "active" in listed.stdout
    assert revoked.stdout.startswith(f"Revoked {client_id}")
    assert (await server.read(token))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await server.token(client_id, made["client_secret"])).status_code == 401


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("create", "X", "--company", "123", *BOTH), "SIRET 123: no company of the platform has this number"),
        (("create", " ", "--company", "123", *BOTH), "name: empty"),
        (("revoke", "nobody"), 'client "nobody": there is none that is not revoked already'),
        (("rotate", "nobody"), 'client "nobody": there is none'),
        (("rotate", "nobody", "--keep", "soon"), '--keep "soon": a whole number'),
    ],
)
async def test_what_cannot_be_done_is_one_sentence_and_an_exit_of_one(
    database: DatabaseConfig, arguments: tuple[str, ...], sentence: str
):
    ended = await asyncio.to_thread(
        traverse, "partner", *arguments, DATABASE_URL=database.url, ENVIRONMENT="test", SECRET_KEY=SECRET_KEY
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(sentence)
