"""The dashboard as a browser meets it, over ASGI: with its cookies, its forms, and a real database and Valkey."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from uuid import UUID

import httpx
import pytest
import redis.asyncio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from jobs.queue_reading import ValkeyQueueReader
from jobs.witness import KEY, Witness
from middleware import RequestIdMiddleware, SecurityHeadersMiddleware
from models import User
from models.database import DatabaseConfig
from models.enums import UserKind
from ops.dashboard import Dashboard, Parts
from services.clock import utc_now
from services.rate_limits import Limiter
from services.tokens import TokenVerifier
from services.webhooks.silence import expectations
from tests.factories import make_user
from tests.integration.schema.client import AUDIENCE, HS256_KEY, ISSUER, token_for

ORIGIN = "http://ops.test"
EXPECTED_WEBHOOKS = expectations(rdv_insertion=timedelta(days=7), tally=timedelta(days=30))
_FORM_KEY = re.compile(r'name="form_key" value="([^"]+)"')


@dataclass
class Browser:
    """Keeps cookies, as a browser does, and sends the forms of the last page. `rung`: what workers were woken for."""

    http: httpx.AsyncClient
    dashboard: Dashboard
    rung: list[tuple[str, UUID]] = field(default_factory=list[tuple[str, UUID]])
    page: str = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return self._seen(await self.http.get(path, headers=headers))

    async def post(self, path: str, *, form_key: str | None = None, **fields: str) -> httpx.Response:
        """Send a form with the key of the last page, as the browser of somebody who sees that page."""
        key = self.form_key if form_key is None else form_key
        return await self.post_from("same-origin", path, form_key=key, **fields)

    async def post_from(self, site: str, path: str, **fields: str) -> httpx.Response:
        return self._seen(await self.http.post(path, data=fields, headers={"Sec-Fetch-Site": site}))

    async def sign_in(self, user: User) -> httpx.Response:
        return await self.post_from("same-origin", "/ops/sign-in", token=token_for(user), next="/ops")

    @property
    def form_key(self) -> str:
        found = _FORM_KEY.search(self.page)
        return found.group(1) if found else ""

    @property
    def text(self) -> str:
        """What the last page says, without its marks."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.page)).split())

    def _seen(self, response: httpx.Response) -> httpx.Response:
        if response.headers.get("content-type", "").startswith("text/html"):
            self.page = response.text
        return response


def dashboard_of(
    valkey: redis.asyncio.Redis,
    rung: list[tuple[str, UUID]],
    *,
    is_production: bool = False,
    sign_ins: Limiter | None = None,
) -> Dashboard:
    async def ring(job: str, record_id: UUID) -> None:
        rung.append((job, record_id))

    return Dashboard(
        Parts(
            verifier=TokenVerifier(issuer=ISSUER, audience=AUDIENCE, hs256_key=HS256_KEY),
            session_key=b"tests-only-session-key-32-bytes!",
            is_production=is_production,
            environment="production" if is_production else "test",
            ring=ring,
            queue=ValkeyQueueReader(valkey),
            queue_kept_since=Witness(valkey).kept_since,
            started_at=utc_now() - timedelta(hours=1),
            expected_webhooks=EXPECTED_WEBHOOKS,
            look_interval=timedelta(milliseconds=50),
            sign_ins=sign_ins,
        )
    )


def served(dashboard: Dashboard) -> Starlette:
    """The dashboard behind the middleware of the API."""
    return Starlette(
        routes=[Route("/ops", dashboard), Route("/ops/{rest:path}", dashboard)],
        middleware=[
            Middleware(RequestIdMiddleware),
            Middleware(SecurityHeadersMiddleware, strict_transport=False),
        ],
    )


@pytest.fixture
async def browser(database: DatabaseConfig, valkey: redis.asyncio.Redis) -> AsyncIterator[Browser]:
    rung: list[tuple[str, UUID]] = []
    await valkey.set(KEY, (utc_now() - timedelta(days=1)).isoformat())
    dashboard = dashboard_of(valkey, rung)
    transport = httpx.ASGITransport(served(dashboard), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Browser(http, dashboard, rung)


@pytest.fixture
async def operator(database: DatabaseConfig) -> User:
    return await make_user(UserKind.STAFF, first_name="Nadia", last_name="Exemple", is_operator=True)
