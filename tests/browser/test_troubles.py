"""What breaks is on the overview within 15 seconds while it is open, with what to do about it; and leaves it again."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime

import pytest
import redis.asyncio
from playwright.async_api import Locator, expect

from models import WorkerHeartbeat
from tests.browser.conftest import Installation, Visitor
from tests.browser.test_dashboard import make_failed

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

_SEEN_MS = 15_000
# The machine of the tests is small and shared: what is promised for a deployment is watched for a little longer here.
_PATIENCE_MS = 2 * _SEEN_MS


async def overview(visitor: Visitor) -> Locator:
    """Open the overview of an installation whose worker lives; return what is to be done."""
    await visitor.open("/ops")
    workers = visitor.page.get_by_role("region", name="Workers")
    await expect(workers.locator(".badge-good")).to_have_text("En vie", timeout=_PATIENCE_MS)
    todo = visitor.page.get_by_role("region", name="À faire")
    await expect(todo).not_to_contain_text("Aucun worker", timeout=_PATIENCE_MS)
    return todo


async def test_a_worker_that_ends_is_told_with_what_to_do(visitor: Visitor, installation: Installation) -> None:
    todo = await overview(visitor)

    await installation.workers.end_all()

    await expect(todo).to_contain_text("Aucun worker n’est en vie", timeout=_PATIENCE_MS)
    await expect(todo).to_contain_text("traverse worker")


async def test_a_worker_that_hangs_is_told_and_forgotten_when_it_goes_on(
    visitor: Visitor, installation: Installation
) -> None:
    todo = await overview(visitor)
    pid = (await WorkerHeartbeat.get()).pid

    os.kill(pid, signal.SIGSTOP)
    try:
        await expect(todo).to_contain_text("ne donne plus signe de vie", timeout=_PATIENCE_MS)
        await expect(todo).to_contain_text("Regardez s’il a été tué")
    finally:
        os.kill(pid, signal.SIGCONT)

    await expect(todo).not_to_contain_text("ne donne plus signe de vie", timeout=_PATIENCE_MS)


async def test_a_worker_whose_job_does_not_end_is_told_with_the_name_of_the_job(visitor: Visitor) -> None:
    todo = await overview(visitor)
    now = datetime.now(UTC)

    await WorkerHeartbeat.create(
        host="autre",
        pid=7,
        version="0",
        queue="arq:queue",
        started_at=now,
        beat_at=now,
        current_jobs=[
            {"name": "notify_approval", "id": "notify_approval:x", "started_at": "2026-01-01T00:00:00+00:00"}
        ],
    )

    await expect(todo).to_contain_text("Le worker autre:7 est sur « notify_approval »", timeout=_PATIENCE_MS)
    await expect(todo).to_contain_text("Redémarrez ce worker")


async def test_an_emptied_valkey_is_told_and_that_nothing_is_lost(
    visitor: Visitor, valkey: redis.asyncio.Redis
) -> None:
    todo = await overview(visitor)
    await expect(todo).not_to_contain_text("Valkey a été vidé")

    await valkey.flushall()

    await expect(todo).to_contain_text("Valkey a été vidé", timeout=_PATIENCE_MS)
    await expect(todo).to_contain_text("Rien n’est perdu")


async def test_a_partner_that_is_down_is_told_with_what_to_do(visitor: Visitor, installation: Installation) -> None:
    await installation.sandbox.spoil(partner="france-travail", disconnect=True)
    for number in range(12):
        await make_failed(f"9999900080{number:02d}")
    await visitor.open("/ops/runs/new/notifications?code=S001")
    await visitor.page.get_by_label("Motif").fill("Essai de panne")
    await visitor.page.get_by_role("button", name="Renvoyer 12 éléments").click()

    todo = await overview(visitor)

    await expect(todo).to_contain_text("France Travail ne répond pas", timeout=2 * _PATIENCE_MS)
    await expect(todo).to_contain_text("Consultez la page d’état du partenaire")
    partners = visitor.page.get_by_role("region", name="Partenaires")
    await expect(partners.get_by_role("row", name="France Travail").locator(".badge-bad")).to_have_text(
        "Appels suspendus"
    )
