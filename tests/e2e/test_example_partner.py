"""The example client as its users start it: restarts of the server and of itself, an outage longer than the log."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.processes import WEBHOOK_SECRET, Deployment, deployment, environ_of
from benchmarks.sending import Sent, deliver
from benchmarks.story import Cast, event_body, invite_cast, signed
from demo.engines import Engines
from models import Company, PartnerClient, WebhookEvent
from models.database import DatabaseConfig
from models.enums import PartnerScope, WebhookEventStatus
from services.event_log.retention import purge_logs
from services.partners import Credentials, register
from tests.conftest import KEYS
from tests.e2e.test_cli import ROOT
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("valkey")]

BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENCE = 60.0


class Client:
    """`python -m examples.partner` and what it wrote into its file."""

    def __init__(self, url: str, credentials: Credentials, folder: Path) -> None:
        self.path = folder / "appointments.db"
        self._url = url
        self._log = folder / "client.log"
        self._environ = {
            "PATH": "/usr/bin:/bin",
            "TRAVERSE_CLIENT_ID": credentials.client_id,
            "TRAVERSE_CLIENT_SECRET": credentials.secret,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "examples.partner", "--url", self._url, "--store", str(self.path)),
                cwd=ROOT,
                env=self._environ,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def exit_code(self) -> int:
        assert self._process is not None
        return await self._process.wait()

    def asked(self, sql: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql).fetchall()

    def statuses(self) -> list[str]:
        try:
            return sorted(row[0] for row in self.asked("SELECT status FROM participation"))
        except sqlite3.OperationalError:  # it is being made
            return []

    def told(self) -> list[str]:
        rows = self.asked("SELECT what FROM change WHERE feed = 'participationStatusChanged' ORDER BY number")
        return [row[0] for row in rows]

    def log(self) -> str:
        return self._log.read_text()


class Stage:
    """One company with an appointment, a door for its webhooks, and a server that the client follows."""

    def __init__(self, processes: Deployment, cast: Cast, port: int, door: int, client: Client) -> None:
        self.processes = processes
        self.port = port
        self.client = client
        self._cast = cast
        self._door = door
        self._told = 0

    async def hear(self, status: str, number: int = 1) -> None:
        """RDV-Insertion tells that the person's status is another one."""
        self._told += 1
        organisation = next(iter(self._cast.companies))
        body = event_body(
            number,
            "updated",
            organisation,
            BEGINNING + timedelta(days=30),
            {self._cast.users_of(organisation)[0]: status},
            at=BEGINNING + timedelta(seconds=self._told),
        )
        await deliver([signed(body, WEBHOOK_SECRET)], [self._door], connections=1, sent=Sent())


@pytest.fixture
async def stage(database: DatabaseConfig, engines: Engines, tmp_path: Path) -> AsyncIterator[Stage]:
    cast = await invite_cast(1)
    company = await Company.get()
    credentials = await register("Logiciel Inventé", scopes=list(PartnerScope), sirets=[company.siret], now=BEGINNING)
    environ = environ_of(database_url=database.url, redis_url=engines.redis_url, keys=KEYS)
    async with deployment(environ, tmp_path) as processes:
        port, door = await processes.start_api(), await processes.start_api()
        await processes.start_worker()
        client = Client(f"http://127.0.0.1:{port}", credentials, tmp_path)
        try:
            yield Stage(processes, cast, port, door, client)
        finally:
            await client.kill()


async def told_is(client: Client, *told: str) -> None:
    async def is_so() -> bool:
        return client.told() == list(told)

    await until(is_so, within_seconds=PATIENCE)


async def shown_is(client: Client, *statuses: str) -> None:
    async def is_so() -> bool:
        return client.statuses() == sorted(statuses)

    await until(is_so, within_seconds=PATIENCE)


async def follows(client: Client) -> None:
    async def does() -> bool:
        return "read the present state" in client.log()

    await until(does, within_seconds=PATIENCE)


async def test_neither_a_restart_of_the_server_nor_one_of_the_client_loses_or_repeats_a_change(stage: Stage):
    client = stage.client
    await client.start()
    await follows(client)

    await stage.hear("unknown")
    await told_is(client, "UNKNOWN")
    exit_code = await stage.processes.stop_api(stage.port)
    await stage.hear("seen")
    await stage.processes.start_api(stage.port)
    await told_is(client, "UNKNOWN", "SEEN")
    await client.kill()
    await stage.hear("noshow")
    await client.start()
    await told_is(client, "UNKNOWN", "SEEN", "ABSENT")

    # It ended by itself: uvicorn passes the signal on once it is done.
    assert exit_code == -signal.SIGTERM
    assert "closed with 1012" in client.log()
    assert [
        line.rpartition(" ")[2] for line in client.log().splitlines() if "participationStatusChanged: " in line
    ] == [*("UNKNOWN", "SEEN", "ABSENT")]
    await shown_is(client, "ABSENT")


async def test_after_an_outage_longer_than_the_log_the_client_reads_the_state(stage: Stage):
    client = stage.client
    await client.start()
    await follows(client)
    await stage.hear("unknown")
    await told_is(client, "UNKNOWN")

    await client.kill()
    await stage.hear("seen")
    await stage.hear("unknown", number=2)
    await everything_is_applied()
    # A process remembers for longer what it has read itself.
    await stage.processes.stop_api(stage.port)
    await purge_logs(before=datetime.now(UTC) + timedelta(minutes=1))
    await stage.processes.start_api(stage.port)
    await client.start()
    await shown_is(client, "SEEN", "UNKNOWN")
    await stage.hear("excused", number=2)

    await shown_is(client, "SEEN", "CANCELLED")
    assert "CURSOR_EXPIRED" in client.log()
    assert client.told() == ["UNKNOWN", "CANCELLED"]


async def test_a_client_that_was_revoked_ends_and_says_why(stage: Stage):
    await PartnerClient.all().update(revoked_at=BEGINNING)

    await stage.client.start()

    assert await stage.client.exit_code() == 1
    assert "invalid_client" in stage.client.log()


async def everything_is_applied() -> None:
    async def is_so() -> bool:
        return not await WebhookEvent.filter(status=WebhookEventStatus.RECEIVED).exists()

    await until(is_so, within_seconds=PATIENCE)
