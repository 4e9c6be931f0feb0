"""What operators come to do, in a real browser: each thing is pressed, and seen to happen while the page stays open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.async_api import expect

from models import Approval, User, WebhookEvent
from models.database import fetch_all
from models.enums import NotificationStatus as Status
from models.enums import WebhookEventStatus
from ops.dashboard.pages import PAGES
from tests.browser.conftest import Installation, Visitor, visitor_of
from tests.factories import make_approval, make_company, make_job_seeker
from tests.integration.webhooks.senders import rdv, signed_rdv
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

LISTS = tuple(page.path for page in PAGES if "{" not in page.path)
_LIVE_MS = 15_000


async def make_failed(number: str) -> Approval:
    """A notification that was refused, of a person whom the simulated France Travail takes by now."""
    person = await make_job_seeker(profile={"pe_last_certification_attempt_at": datetime.now(UTC)})
    return await make_approval(
        person,
        await make_company(),
        number=number,
        pe_notification_status=Status.ERROR,
        pe_notification_time=datetime.now(UTC),
        pe_notification_endpoint="rech_individu",
        pe_notification_exit_code="S001",
    )


async def test_a_failed_notification_is_found_by_number_and_turns_green_while_looked_at(visitor: Visitor) -> None:
    await make_failed("999990001234")
    page = visitor.page

    await page.get_by_role("link", name="Notifications", exact=True).click()
    await page.get_by_label("Numéro de PASS IAE").fill("999990001234")
    await page.get_by_role("button", name="Rechercher").click()
    await page.get_by_role("link", name="999990001234").click()
    state = page.get_by_role("region", name="État de la notification")
    await expect(state.locator(".badge-bad")).to_have_text("En erreur")
    await page.get_by_role("button", name="Renvoyer maintenant").click()

    await expect(state.locator(".badge-good")).to_have_text("Réussie", timeout=_LIVE_MS)
    await expect(page.get_by_role("region", name="Tentatives").locator(".badge-good").first).to_be_visible()


async def test_many_are_previewed_confirmed_and_sent_again_with_their_progress(visitor: Visitor) -> None:
    for number in range(3):
        await make_failed(f"99999000200{number}")
    page = visitor.page

    await visitor.open("/ops/notifications?code=S001")
    await page.get_by_role("link", name="Renvoyer tout ce qui correspond").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Renvoyer 3 éléments")
    await page.get_by_label("Motif").fill("Fiches corrigées chez le partenaire")
    await page.get_by_role("button", name="Renvoyer 3 éléments").click()

    run = page.get_by_role("region", name="Avancement")
    await expect(run.locator(".badge-good")).to_have_text("Terminé", timeout=_LIVE_MS)
    await expect(run).to_contain_text("3 sur 3")
    await until(_all_succeeded(3), within_seconds=20)


async def test_a_webhook_is_revealed_with_a_reason_and_processed_again(
    visitor: Visitor, installation: Installation
) -> None:
    event_id = await received_and_failed(installation)
    page = visitor.page

    await visitor.open("/ops/webhooks?status=failed")
    await page.get_by_role("link", name="Rdv updated").click()
    await expect(page.locator("main")).not_to_contain_text("Zélie")
    await page.get_by_label("Motif de la consultation").fill("Demande du support")
    await page.get_by_role("button", name="Afficher les données personnelles").click()
    await expect(page.locator("pre")).to_contain_text("Zélie")
    await visitor.open(f"/ops/webhooks/{event_id}")
    await page.get_by_role("button", name="Rejouer maintenant").click()

    state = page.get_by_role("region", name="État de l’événement")
    await expect(state).not_to_contain_text("En échec", timeout=_LIVE_MS)
    actions = await fetch_all("SELECT action FROM audit_entry WHERE subject_id = $1 ORDER BY at", str(event_id))
    assert [row["action"] for row in actions] == ["webhook_revealed", "webhook_replayed"]


async def test_a_partner_is_paused_and_nothing_is_sent_until_it_is_resumed(visitor: Visitor) -> None:
    page = visitor.page

    await visitor.open("/ops/queues")
    await page.get_by_role("link", name="Suspendre France Travail").click()
    await page.get_by_label("Motif").fill("Maintenance annoncée")
    await page.get_by_role("button", name="Suspendre", exact=True).click()
    row = page.get_by_role("row", name="France Travail partenaire")
    await expect(row.locator(".badge-warning")).to_have_text("Suspendu")
    await expect(row).to_contain_text("Nadia Exemple : Maintenance annoncée")
    approval = await make_failed("999990003001")
    await visitor.open(f"/ops/notifications/approval/{approval.id}")
    await page.get_by_role("button", name="Renvoyer maintenant").click()
    await expect(page.get_by_role("status").filter(has_text="de nouveau à envoyer")).to_be_visible()
    await visitor.open("/ops/queues/partner/france_travail")
    assert await fetch_all("SELECT 1 FROM notification_attempt WHERE http_status IS NOT NULL") == []
    await page.get_by_label("Motif").fill("Maintenance finie")
    await page.get_by_role("button", name="Reprendre", exact=True).click()

    await expect(row.locator(".badge-good")).to_have_text("Actif")
    await until(_all_succeeded(1), within_seconds=60)


async def test_a_worker_that_dies_is_seen_on_the_overview_with_what_to_do(
    visitor: Visitor, installation: Installation
) -> None:
    page = visitor.page
    await visitor.open("/ops")
    await expect(page.get_by_role("region", name="Workers").locator(".badge-good")).to_have_text(
        "En vie", timeout=_LIVE_MS
    )

    await installation.workers.end_all()

    todo = page.get_by_role("region", name="À faire")
    await expect(todo).to_contain_text("Aucun worker n’est en vie", timeout=_LIVE_MS + 5_000)
    await expect(todo).to_contain_text("traverse worker")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_has_a_barrier_nor_asks_for_anything_elsewhere(
    installation: Installation, operator: User, scheme: str
) -> None:
    approval = await make_failed("999990004001")
    event_id = await received_and_failed(installation)
    found: dict[str, list[str]] = {}

    async with visitor_of(installation, scheme=scheme) as visitor:
        await visitor.open("/ops/sign-in")
        found["/sign-in"] = await visitor.barriers()
        await visitor.sign_in(operator)
        for path in (
            *LISTS,
            f"/notifications/approval/{approval.id}",
            f"/webhooks/{event_id}",
            "/runs/new/notifications?code=S001",
            "/queues/queue/mails",
        ):
            await visitor.open(f"/ops{path}")
            found[path] = await visitor.barriers()

    assert {path: barriers for path, barriers in found.items() if barriers} == {}
    assert visitor.faults == []


async def test_a_narrow_screen_never_scrolls_sideways(installation: Installation, operator: User) -> None:
    approval = await make_failed("999990005001")

    async with visitor_of(installation, width=390) as visitor:
        await visitor.sign_in(operator)
        for path in (*LISTS, f"/notifications/approval/{approval.id}"):
            await visitor.open(f"/ops{path}")
            wider_by = await visitor.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wider_by <= 0, path


async def test_pages_are_read_and_buttons_work_without_scripts(installation: Installation, operator: User) -> None:
    approval = await make_failed("999990006001")

    async with visitor_of(installation, scripts=False) as visitor:
        await visitor.sign_in(operator)
        await visitor.open(f"/ops/notifications/approval/{approval.id}")
        await visitor.page.get_by_role("button", name="Renvoyer maintenant").click()
        await expect(visitor.page.get_by_role("status")).to_contain_text("de nouveau à envoyer")

    await until(_all_succeeded(1), within_seconds=20)


async def received_and_failed(installation: Installation) -> UUID:
    """A webhook that came through the door, and was given up."""
    body = rdv()
    answer = await installation.server.http.post("/webhooks/rdv-insertion", content=body, headers=signed_rdv(body))
    assert answer.status_code in (200, 202, 204), answer.status_code

    async def is_settled() -> bool:
        return await WebhookEvent.exclude(status=WebhookEventStatus.RECEIVED).exists()

    await until(is_settled, within_seconds=20)
    event = await WebhookEvent.all().first()
    assert event is not None
    await WebhookEvent.filter(id=event.id).update(status=WebhookEventStatus.FAILED, error="database_error")
    return event.id


def _all_succeeded(count: int) -> Callable[[], Awaitable[bool]]:
    async def have_succeeded() -> bool:
        return await Approval.filter(pe_notification_status=Status.SUCCESS).count() == count

    return have_succeeded
