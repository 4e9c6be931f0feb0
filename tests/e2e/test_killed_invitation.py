"""A server that is killed between the call that invites somebody and its answer: sent once, and nothing lost."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis.asyncio

from clients.rdv_insertion import RDVInsertionClient, RDVInsertionConfig, build_rdv_insertion_http
from clients.token_store import ValkeyTokenStore
from demo.engines import Engines
from models import Invitation, InvitationAttempt, InvitationRequest, JobApplication, WebhookEvent
from models.database import DatabaseConfig, write
from models.enums import InvitationAttemptState
from resolvers.global_ids import encode
from sandbox.rdv.settings import AGENT_EMAIL, AGENT_PASSWORD, WEBHOOK_SECRET
from services.appointments.reconciling import reconcile_due_attempts
from services.pacing import PostgresPacer
from services.tokens import issue_development_token
from tests.conftest import KEYS
from tests.e2e.processes import sandbox_process
from tests.e2e.servers import Server, serving
from tests.factories import make_company, make_employer, make_job_application
from tests.integration.services.inviters import make_candidate
from tests.waiting import until

pytestmark = pytest.mark.e2e

HS256_KEY = "a-key-of-tests-that-is-long-enough-for-hs256"
INVITE = "mutation($id: ID!) { inviteToAppointment(jobApplicationId: $id) { __typename } }"
ORGANISATION = 2001  # one that the sandbox knows


def environ_of(database: DatabaseConfig, engines: Engines, sandbox_url: str) -> dict[str, str]:
    return {
        "ENVIRONMENT": "test",
        "DATABASE_URL": database.url,
        "REDIS_URL": engines.redis_url,
        "AUTH_HS256_KEY": HS256_KEY,
        "ENCRYPTION_KEYS": ",".join(base64.b64encode(key).decode() for key in KEYS.keys),
        "FINGERPRINT_KEY": base64.b64encode(KEYS.fingerprint_key).decode(),
        "RDV_SOLIDARITES_API_BASE_URL": f"{sandbox_url}/rdv-solidarites/api/v1/",
        "RDV_SOLIDARITES_EMAIL": AGENT_EMAIL,
        "RDV_SOLIDARITES_PASSWORD": AGENT_PASSWORD,
        "RDV_INSERTION_API_BASE_URL": f"{sandbox_url}/rdv-insertion/api/v1/",
        "RDV_INSERTION_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }


async def make_click(application: JobApplication) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and body of an employer's click."""
    company = await application.company
    token = issue_development_token(
        subject=(await make_employer(company)).subject or "",
        organization_id=company.id,
        issuer="traverse-development",
        audience="traverse",
        key=HS256_KEY,
        lifetime=timedelta(minutes=10),
        now=datetime.now(UTC),
    )
    variables = {"id": encode("JobApplication", application.id)}
    return {"Authorization": f"Bearer {token}"}, {"query": INVITE, "variables": variables}


async def click(server: Server, how: tuple[dict[str, str], dict[str, Any]]) -> str:
    answer = await server.http.post("/graphql", headers=how[0], json=how[1])
    return answer.json()["data"]["inviteToAppointment"]["__typename"]


async def both_messages_are_known() -> bool:
    return await WebhookEvent.filter(model="invitation").count() >= 2


async def test_a_server_killed_before_the_answer_invites_nobody_twice_and_loses_nothing(
    database: DatabaseConfig, engines: Engines, valkey: redis.asyncio.Redis, tmp_path: Path
):
    company = await make_company(rdv_solidarites_id=ORGANISATION)
    how = await make_click(await make_job_application(await make_candidate(), company))
    async with (
        sandbox_process(tmp_path) as sandbox,
        httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as control,
    ):
        environ = environ_of(database, engines, sandbox.url)
        async with serving(environ) as server:
            door = f"{server.url}/webhooks/rdv-insertion"
            await control.patch("/_settings", json={"partner": "rdv-insertion", "webhook_url": door})
            # RDV-Insertion acts on the call, tells of it by webhook, and its answer is a minute away.
            fault = {"partner": "rdv-insertion", "delay_s": 60, "times": 1, "when": "after"}
            assert (await control.post("/_faults", json=fault)).status_code < 300
            first = asyncio.create_task(click(server, how))
            await until(both_messages_are_known, within_seconds=30)

            await server.kill()

            with contextlib.suppress(httpx.TransportError):
                await first
        left_behind = (await InvitationAttempt.get()).state
        # As if the minute and a half had passed that an answer may take.
        await write("UPDATE invitation_attempt SET answer_due_at = clock_timestamp() RETURNING id")
        async with serving(environ) as server:
            second = await click(server, how)
        found = await look(sandbox.url, valkey)

        assert left_behind is InvitationAttemptState.SENDING
        assert second == "PartnerUnavailable"
        assert found == 1
        request = await InvitationRequest.get()
        assert sorted([each.kind.value for each in await Invitation.filter(invitation_request=request)]) == [
            "email",
            "sms",
        ]
        calls = (await control.get("/_calls", params={"partner": "rdv-insertion"})).json()
        assert [call["method"] for call in calls].count("POST") == 1


async def look(sandbox_url: str, valkey: redis.asyncio.Redis) -> int:
    """What the worker does every minute; how many invitations it found."""
    config = RDVInsertionConfig(
        base_url=f"{sandbox_url}/rdv-insertion/api/v1",
        rdv_solidarites_base_url=f"{sandbox_url}/rdv-solidarites/api/v1",
        email=AGENT_EMAIL,
        password=AGENT_PASSWORD,
    )
    async with build_rdv_insertion_http(config) as http:
        client = RDVInsertionClient(config, http, ValkeyTokenStore(valkey), PostgresPacer(config.pace_rates()))
        return (await reconcile_due_attempts(client=client)).found
