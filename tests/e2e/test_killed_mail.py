"""A worker that is killed with an invitation's mail in its hands: another one takes over, and nobody gets it twice.

Before the content left, the mail surely did not arrive, and the next worker sends it. Afterwards nobody knows: it is
reported and not repeated. Diagoriente's invitations stand for all mails here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from demo.engines import Engines
from jobs.bell import JobQueue
from jobs.mails import SEND_MAIL
from jobs.valkey import connect
from models import JobApplication, Mail
from models.database import DatabaseConfig, write
from models.enums import MailState
from services.diagoriente import DiagorienteLinks, Invited, invite
from tests.conftest import KEYS
from tests.e2e.processes import Process, Sandbox, sandbox_process, worker_environ, workers
from tests.factories import make_job_application, make_job_seeker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("valkey")]

LINKS = DiagorienteLinks(
    service_url="https://diagoriente.beta.gouv.fr/services/plateforme", public_url="https://traverse.exemple.test"
)
# Long enough for a kill, which follows at once, to come before the relay's reply.
REPLY_DELAY_SECONDS = 4
SECONDS_TO_THE_END = 25.0


async def make_invitation() -> tuple[UUID, str]:
    """An invitation that is committed and that no bell announced: its mail, and who is to get it."""
    # Nobody is a case for the hourly run of certifications, which would hold up a worker's end.
    job_seeker = await make_job_seeker(profile={"pe_last_certification_attempt_at": datetime.now(UTC)})
    application = await make_job_application(job_seeker)
    invited = await invite(application.id, links=LINKS, sender_sees_job_seeker=True, now=datetime.now(UTC))
    assert isinstance(invited, Invited)
    sender = (await JobApplication.get(id=application.id).select_related("sender")).sender
    assert sender is not None
    return invited.mail_id, str(sender.email)


class Scene:
    """Workers in front of a sandbox, and what its relay has accepted."""

    def __init__(self, database: DatabaseConfig, engines: Engines, sandbox: Sandbox, log_dir: Path) -> None:
        self.relay_port = (urlsplit(sandbox.url).port or 0) + 1  # the sandbox takes mails on the port after its own
        self._database = database
        self._engines = engines
        self._sandbox = sandbox
        self._log_dir = log_dir

    async def accepted(self) -> list[dict[str, Any]]:
        return (await self._ask("GET", "/_mails")).json()

    async def delay_the_next_reply(self) -> None:
        """The relay keeps the next mail, and says so late."""
        fault = {"partner": "smtp", "delay_s": REPLY_DELAY_SECONDS, "times": 1, "when": "after"}
        await self._ask("POST", "/_faults", json=fault)

    async def content_has_arrived(self) -> bool:
        return (await self._ask("GET", "/_faults")).json()[0]["applied"] == 1

    async def is_accepted(self) -> bool:
        return bool(await self.accepted())

    async def ring(self, mail_id: UUID) -> None:
        async with connect(self._engines.redis_url) as client:
            await JobQueue(client).ring(SEND_MAIL, mail_id)

    @asynccontextmanager
    async def worker(self, name: str, *, relay_port: int) -> AsyncGenerator[Process, None]:
        """One worker, which looks for mails as it starts."""
        log_dir = self._log_dir / name
        log_dir.mkdir()
        environ = worker_environ(
            database_url=self._database.url,
            redis_url=self._engines.redis_url,
            keys=KEYS,
            sandbox_url=self._sandbox.url,
            SMTP_URL=f"smtp://127.0.0.1:{relay_port}",
            MAIL_FROM="Traverse <ne-pas-repondre@traverse.exemple.test>",
        )
        async with workers(environ, log_dir) as group:
            yield await group.start()

    def logs(self) -> str:
        return "\n".join(log.read_text(errors="replace") for log in self._log_dir.glob("*/*.log"))

    async def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self._sandbox.url, trust_env=False) as control:
            return (await control.request(method, path, **how)).raise_for_status()


@pytest.fixture
async def scene(database: DatabaseConfig, engines: Engines, tmp_path: Path) -> AsyncGenerator[Scene, None]:
    async with sandbox_process(tmp_path) as sandbox:
        yield Scene(database, engines, sandbox, tmp_path)


@asynccontextmanager
async def silent_relay() -> AsyncGenerator[tuple[int, asyncio.Event], None]:
    """A relay that takes a connection and says nothing: its port, and an event that is set when somebody called."""
    called = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], called


async def let_leases_run_out() -> None:
    """As if the minute and a half had passed for which the dead worker's mail, and its sweep, are its own."""
    past = "lease_until = clock_timestamp() - interval '1 second'"
    assert len(await write(f"UPDATE mail SET {past} WHERE lease_token IS NOT NULL RETURNING id")) == 1
    await write(f"UPDATE cron_run SET {past} WHERE lease_token IS NOT NULL RETURNING name")


def is_in(mail_id: UUID, state: MailState) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return (await Mail.get(id=mail_id)).state is state

    return look


async def test_a_mail_whose_worker_was_killed_before_its_content_left_is_sent_once_by_the_next(scene: Scene):
    mail_id, recipient = await make_invitation()
    async with silent_relay() as (port, called), scene.worker("first", relay_port=port) as victim:
        async with asyncio.timeout(SECONDS_TO_THE_END):
            await called.wait()
        await victim.kill()
    left_behind = await Mail.get(id=mail_id)

    await let_leases_run_out()
    async with scene.worker("second", relay_port=scene.relay_port) as successor:
        await scene.ring(mail_id)
        await until(is_in(mail_id, MailState.SENT), within_seconds=SECONDS_TO_THE_END)
        exit_code = await successor.end()

    assert (left_behind.state, left_behind.attempts, left_behind.handed_over_at) == (MailState.PENDING, 1, None)
    [accepted] = await scene.accepted()
    assert accepted["recipients"] == [recipient]
    assert accepted["headers"]["Message-ID"].startswith(f"<{mail_id}@")
    assert (await Mail.get(id=mail_id)).attempts == 2
    assert exit_code == 0
    assert recipient not in scene.logs()


async def test_a_mail_whose_worker_was_killed_before_the_relays_reply_is_reported_and_not_sent_again(scene: Scene):
    mail_id, recipient = await make_invitation()
    await scene.delay_the_next_reply()
    async with scene.worker("first", relay_port=scene.relay_port) as victim:
        await until(scene.content_has_arrived, within_seconds=SECONDS_TO_THE_END)
        await victim.kill()
    left_behind = await Mail.get(id=mail_id)

    await let_leases_run_out()
    async with scene.worker("second", relay_port=scene.relay_port) as successor:
        await scene.ring(mail_id)
        await until(is_in(mail_id, MailState.UNCONFIRMED), within_seconds=SECONDS_TO_THE_END)
        await until(scene.is_accepted, within_seconds=SECONDS_TO_THE_END)
        exit_code = await successor.end()

    assert left_behind.state is MailState.PENDING
    assert left_behind.handed_over_at is not None
    [accepted] = await scene.accepted()
    assert accepted["recipients"] == [recipient]
    settled = await Mail.get(id=mail_id)
    assert (settled.code, settled.attempts, settled.next_attempt_at) == ("worker_died", 1, None)
    assert exit_code == 0
    assert "mail_unconfirmed" in scene.logs()
    assert recipient not in scene.logs()
