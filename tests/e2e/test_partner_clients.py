"""A partner's machine client from `traverse partner create` to its last token: real commands, a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from demo.engines import Engines
from models import Company
from models.database import DatabaseConfig
from tests.e2e.servers import serving
from tests.e2e.test_cli import traverse
from tests.factories import make_appointment, make_company

pytestmark = pytest.mark.e2e

SECRET_KEY = "a-key-of-tests-that-is-long-enough-to-sign"
READ = "{ viewer { kind } appointments(first: 5) { nodes { company { siret } } } }"
BOTH = ("--scope", "appointments:read", "--scope", "participations:read")


@dataclass(frozen=True)
class Partner:
    """What a partner's machine and an operator do, against one server."""

    http: httpx.AsyncClient
    environ: dict[str, str]

    async def token(self, client_id: str, secret: str) -> httpx.Response:
        return await self.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(client_id, secret))

    async def read(self, token: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        return (await self.http.post("/graphql", json={"query": READ}, headers=headers)).json()


@pytest.fixture
async def partner(database: DatabaseConfig, engines: Engines) -> AsyncIterator[Partner]:
    environ = {
        "ENVIRONMENT": "test",
        "DATABASE_URL": database.url,
        "REDIS_URL": engines.redis_url,
        "SECRET_KEY": SECRET_KEY,
    }
    async with serving(environ) as server:
        yield Partner(server.http, environ)


def values_of(printed: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)


async def create(partner: Partner, company: Company) -> dict[str, str]:
    ended = await asyncio.to_thread(
        traverse, "partner", "create", "Logiciel Inventé", "--company", company.siret, *BOTH, **partner.environ
    )
    assert ended.returncode == 0, ended.stderr
    assert values_of(ended.stdout)["client_secret"] not in ended.stderr
    return values_of(ended.stdout)


async def test_a_partner_s_machine_is_entered_reads_gets_another_secret_and_is_revoked(partner: Partner):
    company = await make_company()
    await make_appointment(company)
    await make_appointment(await make_company())
    made = await create(partner, company)
    client_id = made["client_id"]

    answer = await partner.token(client_id, made["client_secret"])
    token: str = answer.json()["access_token"]
    seen = await partner.read(token)

    assert seen["data"] == {
        "viewer": {"kind": "PARTNER"},
        "appointments": {"nodes": [{"company": {"siret": company.siret}}]},
    }
    rotated = await asyncio.to_thread(traverse, "partner", "rotate", client_id, "--keep", "1s", **partner.environ)
    listed = await asyncio.to_thread(traverse, "partner", "list", **partner.environ)
    second = await partner.token(client_id, values_of(rotated.stdout)["client_secret"])
    revoked = await asyncio.to_thread(traverse, "partner", "revoke", client_id, **partner.environ)

    assert second.status_code == 200
    assert client_id in listed.stdout
    assert "active" in listed.stdout
    assert revoked.stdout.startswith(f"Revoked {client_id}")
    assert (await partner.read(token))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await partner.token(client_id, made["client_secret"])).status_code == 401


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
