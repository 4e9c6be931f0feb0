"""Chromium in front of real processes: API, worker and sandbox. axe-core (MPL 2.0, vendor/) judges accessibility."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import redis.asyncio
from playwright.async_api import Browser, Page, async_playwright

from demo.engines import Engines
from models import User
from models.database import DatabaseConfig
from models.enums import UserKind
from tests.conftest import KEYS
from tests.e2e.processes import Sandbox, Workers, sandbox_process, worker_environ, workers
from tests.e2e.servers import Server, serving
from tests.factories import make_user
from tests.integration.schema.client import AUDIENCE, HS256_KEY, ISSUER, token_for
from tests.integration.webhooks.senders import RDV_INSERTION_SECRETS

CHROMIUM = Path("/usr/bin/chromium")
_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# No sandbox: it needs privileges that containers do not give. Nothing may look for updates, or at anything outside.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Visitor:
    """A page of the browser, and what went wrong on it: scripts, requests elsewhere, reports of the policy."""

    page: Page
    server: Server
    faults: list[str] = field(default_factory=list[str])

    async def open(self, path: str) -> None:
        response = await self.page.goto(f"{self.server.url}{path}")
        assert response is not None
        assert response.status == 200, path

    async def sign_in(self, operator: User) -> None:
        await self.open("/ops")
        await self.page.get_by_label("Jeton d’accès").fill(token_for(operator))
        await self.page.get_by_role("button", name="Se connecter").click()
        await self.page.get_by_role("heading", name="Vue d’ensemble").wait_for()

    async def barriers(self) -> list[str]:
        """What axe-core finds on the page as it is."""
        await self.page.evaluate(_AXE.read_text())
        found = await self.page.evaluate("axe.run(document)")
        violations = cast("list[dict[str, Any]]", found["violations"])
        return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in violations]


@dataclass(frozen=True)
class Installation:
    server: Server
    workers: Workers
    sandbox: Sandbox
    browser: Browser


@pytest.fixture
def chromium() -> Path:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there: install Debian's chromium")
    return CHROMIUM


@pytest.fixture
async def installation(
    chromium: Path, database: DatabaseConfig, engines: Engines, valkey: redis.asyncio.Redis, tmp_path: Path
) -> AsyncIterator[Installation]:
    async with sandbox_process(tmp_path) as sandbox:
        environ = worker_environ(
            database_url=database.url,
            redis_url=engines.redis_url,
            keys=KEYS,
            sandbox_url=sandbox.url,
            FT_MAX_RPS="20",
            NOTIFICATION_INTERVAL="1",
            AUTH_HS256_KEY=HS256_KEY,
            RATE_LIMIT_OPS_SIGN_INS="1000",  # every test signs in, and all from this machine
            AUTH_ISSUER=ISSUER,
            AUTH_AUDIENCE=AUDIENCE,
            RDV_INSERTION_WEBHOOK_SECRET=",".join(RDV_INSERTION_SECRETS),
        )
        async with (
            workers(environ, tmp_path) as group,
            serving(environ) as server,
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
            await group.start()
            yield Installation(server, group, sandbox, browser)
            await browser.close()


@asynccontextmanager
async def visitor_of(
    installation: Installation, *, scheme: str = "light", width: int = 1280, scripts: bool = True
) -> AsyncGenerator[Visitor, None]:
    context = await installation.browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
        locale="fr-FR",
        java_script_enabled=scripts,
    )
    page = await context.new_page()
    visitor = Visitor(page, installation.server)
    host = urlsplit(installation.server.url).netloc

    def note_request(url: str) -> None:
        parts = urlsplit(url)
        if parts.netloc != host or parts.path == "/ops/csp-reports":
            visitor.faults.append(f"request: {url}")

    page.on("request", lambda request: note_request(request.url))
    page.on("pageerror", lambda error: visitor.faults.append(f"script: {error}"))
    page.on("console", lambda said: visitor.faults.append(f"console: {said.text}") if said.type == "error" else None)
    yield visitor
    await context.close()


@pytest.fixture
async def operator(database: DatabaseConfig) -> User:
    return await make_user(UserKind.STAFF, first_name="Nadia", last_name="Exemple", is_operator=True)


@pytest.fixture
async def visitor(installation: Installation, operator: User) -> AsyncIterator[Visitor]:
    """An operator who signed in. At the end nothing must have gone wrong."""
    async with visitor_of(installation) as visitor:
        await visitor.sign_in(operator)
        yield visitor
    assert visitor.faults == []
