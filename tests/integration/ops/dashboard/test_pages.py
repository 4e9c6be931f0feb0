"""What pages show, and what pressing their buttons comes to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import orjson
import pytest
import redis.asyncio

from models import User
from models.database import DatabaseConfig, close_database, fetch_all, open_database
from models.enums import NotificationStatus
from ops.dashboard.pages import PAGES
from tests.factories import make_approval, make_job_seeker
from tests.integration.models.rows import MAKERS
from tests.integration.ops.dashboard.conftest import Browser, dashboard_of, served

LISTS = tuple(page.path for page in PAGES if "{" not in page.path)
NAME, EMAIL, PHONE = "Zéphyrine-Unique", "zephyrine.unique@exemple.test", "0612345678"


@pytest.fixture
async def signed_in(browser: Browser, operator: User) -> Browser:
    await browser.sign_in(operator)
    await browser.get("/ops")
    return browser


@pytest.mark.parametrize("path", LISTS)
async def test_every_list_says_what_to_do_when_it_is_empty(signed_in: Browser, path: str) -> None:
    answer = await signed_in.get(f"/ops{path}")

    assert answer.status_code == 200
    assert answer.text.count("<h1>") == 1


@pytest.mark.parametrize("path", LISTS)
async def test_parameters_that_nobody_gave_out_do_no_harm(signed_in: Browser, path: str) -> None:
    query = (
        "?status=<script>&code=%00%27&from=2026-99-99&to=0001-01-01&job_seeker=x&subject=x&application=x"
        "&actor=x&run=x&window=x&queued=99999999999&number=%F0%9F%92%A5&label=%25"
    )

    answer = await signed_in.get(f"/ops{path}{query}")

    assert answer.status_code == 200
    assert "<script>" not in answer.text.replace("<script src", "")


@pytest.mark.parametrize("path", [path for path in LISTS if path not in ("", "/queues")])
async def test_a_cursor_that_nobody_gave_out_is_refused(signed_in: Browser, path: str) -> None:
    assert (await signed_in.get(f"/ops{path}?after=bm8")).status_code == 400


async def test_a_failed_notification_is_found_by_its_number_and_sent_again(signed_in: Browser, operator: User) -> None:
    approval = await make_approval(
        number="999990001234",
        pe_notification_status=NotificationStatus.ERROR,
        pe_notification_endpoint="maj_pass",
        pe_notification_exit_code="S008",
    )
    await make_approval(number="999990009999")

    await signed_in.get("/ops/notifications?number=99999+0001+234")
    path = f"/ops/notifications/approval/{approval.id}"
    assert f'href="{path}"' in signed_in.page
    assert "999990009999" not in signed_in.page
    await signed_in.get(path)
    assert "En erreur" in signed_in.text
    answer = await signed_in.post(f"{path}/retry")

    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert signed_in.rung == [("notify_approval", approval.id)]
    await signed_in.get(path)
    assert "de nouveau à envoyer" in signed_in.text
    await signed_in.get(path)
    assert "de nouveau à envoyer" not in signed_in.text
    rows = await fetch_all("SELECT actor_id, subject_id FROM audit_entry WHERE action = 'notification_retried'")
    assert [(row["actor_id"], row["subject_id"]) for row in rows] == [(operator.id, str(approval.id))]


async def test_a_run_shows_its_number_before_it_is_confirmed_with_a_reason(signed_in: Browser) -> None:
    for _ in range(3):
        await make_approval(pe_notification_status=NotificationStatus.ERROR, pe_notification_exit_code="S008")
    await make_approval(pe_notification_status=NotificationStatus.ERROR, pe_notification_exit_code="S022")
    await signed_in.get("/ops/notifications?code=S008")
    path = "/ops/runs/new/notifications?code=S008"
    assert f'href="{path}"' in signed_in.page

    await signed_in.get(path)
    assert "Renvoyer 3 éléments" in signed_in.text
    without_reason = await signed_in.post(path, reason=" ")
    assert without_reason.status_code == 422
    answer = await signed_in.post(path, reason="Fiches corrigées")

    assert answer.status_code == 303
    assert [job for job, _ in signed_in.rung] == ["run_operations"]
    await signed_in.get(answer.headers["location"])
    assert "0 sur 3" in signed_in.text
    assert "Fiches corrigées" in signed_in.text


async def test_a_run_of_everything_is_not_offered(signed_in: Browser) -> None:
    await make_approval(pe_notification_status=NotificationStatus.ERROR)
    await signed_in.get("/ops/notifications")
    assert "/ops/runs/new" not in signed_in.page

    await signed_in.get("/ops/runs/new/notifications")
    answer = await signed_in.post("/ops/runs/new/notifications", reason="Tout")

    assert answer.status_code == 422
    assert await fetch_all("SELECT 1 FROM operation_run") == []


async def test_a_criterion_that_is_not_understood_is_told_and_begins_no_run_of_more_than_was_meant(
    signed_in: Browser,
) -> None:
    await make_approval(pe_notification_status=NotificationStatus.ERROR, pe_notification_exit_code="S008")
    path = "/ops/runs/new/notifications?code=S008&status=erreur"

    await signed_in.get(path)
    assert "Statut : une des valeurs de la liste est attendue." in signed_in.text
    answer = await signed_in.post(path, reason="Fiches corrigées")

    assert answer.status_code == 422
    assert await fetch_all("SELECT 1 FROM operation_run") == []


async def test_an_action_leads_to_what_it_was_about(signed_in: Browser) -> None:
    await make_approval(pe_notification_status=NotificationStatus.ERROR, pe_notification_exit_code="S008")
    await signed_in.get("/ops/runs/new/notifications?code=S008")
    answer = await signed_in.post("/ops/runs/new/notifications?code=S008", reason="Fiches corrigées")
    run_path = answer.headers["location"]

    await signed_in.get("/ops/audit")

    assert f'href="{run_path}"' in signed_in.page
    assert f"Traitement groupé {run_path.removeprefix('/ops/runs/')[:8]}…" in signed_in.text


async def test_a_pause_is_shown_with_its_author_and_reason_until_it_is_ended(signed_in: Browser) -> None:
    path = "/ops/queues/partner/france_travail"
    await signed_in.get(path)

    refused = await signed_in.post(f"{path}/pause", reason="appeler le 06 12 34 56 78")
    assert refused.status_code == 422
    await signed_in.post(f"{path}/pause", reason="Maintenance annoncée")
    await signed_in.get("/ops/queues")
    assert "Nadia Exemple : Maintenance annoncée" in signed_in.text

    await signed_in.get(path)
    await signed_in.post(f"{path}/resume", reason="Maintenance finie")
    await signed_in.get("/ops/queues")
    assert "Suspendu" not in signed_in.text.replace("Suspendu.", "")
    await signed_in.get("/ops/audit")
    assert "Maintenance finie" in signed_in.text


async def test_a_partner_that_falls_silent_is_told_until_somebody_silences_the_alarm(signed_in: Browser) -> None:
    await MAKERS["webhook_event"]()
    path = "/ops/webhooks/alarms/rdv_insertion/rdv"
    await signed_in.get("/ops")
    assert f'href="{path}"' in signed_in.page
    assert "RDV-Insertion n’a rien envoyé (rdv) depuis" in signed_in.text

    await signed_in.get(path)
    for wrong in ({"lasting": "1d", "reason": ""}, {"lasting": "9999d", "reason": "Congés"}):
        assert (await signed_in.post(f"{path}/silence", **wrong)).status_code == 422
    await signed_in.post(f"{path}/silence", lasting="7d", reason="Congés annoncés")

    await signed_in.get("/ops/webhooks")
    assert "Alerte en sommeil jusqu’au" in signed_in.text
    assert "Nadia Exemple : Congés annoncés" in signed_in.text
    await signed_in.get("/ops")
    assert "n’a rien envoyé" not in signed_in.text
    await signed_in.get(path)
    await signed_in.post(f"{path}/restore", reason="Ils ont repris")
    await signed_in.get("/ops")
    assert "n’a rien envoyé" in signed_in.text
    await signed_in.get("/ops/audit")
    assert "Alerte mise en sommeil" in signed_in.text
    assert "Alerte réveillée" in signed_in.text


async def test_a_kind_of_webhook_that_nobody_expects_has_no_alarm(signed_in: Browser) -> None:
    assert (await signed_in.get("/ops/webhooks/alarms/rdv_insertion/unknown")).status_code == 404


async def test_no_page_shows_who_a_job_seeker_is(signed_in: Browser) -> None:
    person = await make_job_seeker(first_name=NAME, last_name=NAME, email=EMAIL, phone=PHONE)
    approval = await make_approval(job_seeker=person, pe_notification_status=NotificationStatus.ERROR)

    for path in (*LISTS, f"/notifications/approval/{approval.id}", f"/notifications?job_seeker={person.id}"):
        await signed_in.get(f"/ops{path}")
        for secret in (NAME, EMAIL, PHONE):
            assert secret not in signed_in.page, path


async def test_an_absent_valkey_is_said_on_the_overview_and_takes_nothing_else_away(
    database: DatabaseConfig, operator: User
) -> None:
    nobody = redis.asyncio.from_url("redis://127.0.0.1:1/0")
    async with browser_of(nobody) as browser:
        await browser.sign_in(operator)
        answer = await browser.get("/ops")

    assert answer.status_code == 200
    assert "Valkey ne répond pas" in browser.text
    assert "REDIS_URL" in browser.text
    await nobody.aclose()


async def test_an_emptied_valkey_is_told_with_what_it_means(signed_in: Browser, valkey: redis.asyncio.Redis) -> None:
    await signed_in.get("/ops")
    assert "Valkey a été vidé" not in signed_in.text

    await valkey.flushall()

    await signed_in.get("/ops")
    assert "Valkey a été vidé, ou a redémarré sans ses données" in signed_in.text
    assert "Rien n’est perdu" in signed_in.text


async def test_an_absent_database_is_a_page_that_says_what_to_do(signed_in: Browser, database: DatabaseConfig) -> None:
    await close_database()
    try:
        await open_database(DatabaseConfig(url="postgresql://postgres@127.0.0.1:1/none", keys=database.keys))
        answer = await signed_in.get("/ops/notifications")
    finally:
        await close_database()
        await open_database(database)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "10"
    assert "La base de données ne répond pas" in signed_in.text


async def test_a_live_page_sends_what_changed_and_ends_with_the_right_to_see_it(
    signed_in: Browser, operator: User
) -> None:
    approval = await make_approval(pe_notification_status=NotificationStatus.ERROR)
    path = f"/ops/notifications/approval/{approval.id}"

    async with stream(signed_in, path) as events:
        first = await events.__anext__()
        assert set(first) == {"state", "attempts"}
        assert "En erreur" in first["state"]
        await type(approval).filter(id=approval.id).update(pe_notification_status=NotificationStatus.SUCCESS)
        changed = await events.__anext__()
        assert set(changed) == {"state"}
        assert "Réussie" in changed["state"]
        await User.filter(id=operator.id).update(is_operator=False)
        assert await events.__anext__() == {"reason": "session"}


async def test_a_stopping_process_ends_its_live_pages_and_opens_no_more(signed_in: Browser) -> None:
    async with stream(signed_in, "/ops/runs") as events:
        await events.__anext__()

        signed_in.dashboard.end_streams()

        assert [event async for event in events] == []
    assert (await signed_in.get("/ops/runs", Accept="text/event-stream")).status_code == 429


async def test_one_session_keeps_a_bounded_number_of_live_pages(signed_in: Browser) -> None:
    async with asyncio.TaskGroup() as group:
        opened = [asyncio.Event() for _ in range(12)]
        tasks = [group.create_task(_hold(signed_in, event)) for event in opened]
        for event in opened:
            await asyncio.wait_for(event.wait(), 10)

        refused = await signed_in.get("/ops/runs", Accept="text/event-stream")

        signed_in.dashboard.end_streams()
        for task in tasks:
            await task
    assert refused.status_code == 429


async def test_what_does_not_exist_ends_its_live_page(signed_in: Browser) -> None:
    async with stream(signed_in, f"/ops/runs/{uuid4()}") as events:
        assert await events.__anext__() == {"reason": "gone"}


async def _hold(browser: Browser, opened: asyncio.Event) -> None:
    async with stream(browser, "/ops/runs") as events:
        await events.__anext__()
        opened.set()
        async for _ in events:
            pass


@asynccontextmanager
async def browser_of(valkey: redis.asyncio.Redis) -> AsyncGenerator[Browser, None]:
    import httpx

    dashboard = dashboard_of(valkey, [])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served(dashboard)), base_url="http://ops.test") as http:
        yield Browser(http, dashboard)


@asynccontextmanager
async def stream(browser: Browser, path: str) -> AsyncGenerator[AsyncGenerator[dict[str, Any], None], None]:
    """Follow a live page; yields the data of its events. httpx's ASGI transport waits for ends: this one does not."""
    sent: asyncio.Queue[bytes | None] = asyncio.Queue()
    gone = asyncio.Event()
    cookies = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "server": ("ops.test", 80),
        "headers": [(b"accept", b"text/event-stream"), (b"cookie", cookies.encode())],
    }

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await sent.put(message["body"])

    async def run() -> None:
        try:
            await browser.dashboard(scope, receive, send)
        finally:
            await sent.put(None)

    async def events() -> AsyncGenerator[dict[str, Any], None]:
        while (chunk := await asyncio.wait_for(sent.get(), 10)) is not None:
            for line in chunk.decode().splitlines():
                if line.startswith("data: "):
                    yield orjson.loads(line.removeprefix("data: "))

    task = asyncio.create_task(run())
    following = events()
    try:
        yield following
    finally:
        await following.aclose()
        gone.set()
        await task
