"""What operators come to do, in a real browser: each thing is pressed, and seen to happen while the page stays open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.async_api import expect

from models import Approval, WebhookEvent
from models.database import fetch_all
from models.enums import NotificationStatus as Status
from models.enums import WebhookEventStatus
from tests.browser.conftest import Installation, Visitor
from tests.factories import make_approval, make_company, make_job_seeker
from tests.integration.webhooks.senders import rdv, signed_rdv
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

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


async def test_webhooks_are_replayed_together_after_a_preview(visitor: Visitor, installation: Installation) -> None:
    event_ids = [await received_and_failed(installation, number=number) for number in (5001, 5002)]
    page = visitor.page

    await visitor.open("/ops/webhooks?status=failed")
    await page.get_by_role("link", name="Rejouer tout ce qui correspond").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rejouer 2 éléments")
    await page.get_by_label("Motif").fill("Base de données rétablie")
    await page.get_by_role("button", name="Rejouer 2 éléments").click()

    run = page.get_by_role("region", name="Avancement")
    await expect(run.locator(".badge-good")).to_have_text("Terminé", timeout=_LIVE_MS)
    await expect(run).to_contain_text("2 sur 2")

    async def are_settled() -> bool:
        return not await WebhookEvent.filter(
            id__in=event_ids, status__in=[WebhookEventStatus.FAILED, WebhookEventStatus.RECEIVED]
        ).exists()

    await until(are_settled, within_seconds=20)


async def test_a_run_is_followed_while_it_goes_on_and_what_is_left_is_cancelled(
    visitor: Visitor, installation: Installation
) -> None:
    for number in range(2):
        await make_failed(f"99999000710{number}")
    await installation.workers.end_all()
    page = visitor.page

    await visitor.open("/ops/runs/new/notifications?code=S001")
    await page.get_by_label("Motif").fill("Essai sans worker")
    await page.get_by_role("button", name="Renvoyer 2 éléments").click()
    run = page.get_by_role("region", name="Avancement")
    await expect(run).to_contain_text("0 sur 2")
    await expect(run).to_contain_text("Un worker s’en charge dans la minute")
    await page.get_by_label("Motif").fill("Trop tôt")
    await page.get_by_role("button", name="Annuler ce qui reste").click()

    await expect(run.locator(".badge").first).to_have_text("Annulé")
    assert await Approval.filter(pe_notification_status=Status.ERROR).count() == 2


async def test_an_alarm_is_silenced_and_woken_from_the_screen(visitor: Visitor, installation: Installation) -> None:
    event_id = await received_and_failed(installation)
    await WebhookEvent.filter(id=event_id).update(received_at=datetime.now(UTC) - timedelta(days=20))
    page = visitor.page
    todo = page.get_by_role("region", name="À faire")
    await visitor.open("/ops")
    await expect(todo).to_contain_text("RDV-Insertion n’a rien envoyé (rdv)")

    await visitor.open("/ops/webhooks")
    await page.get_by_role("link", name="Mettre l’alerte en sommeil de RDV-Insertion, rdv").click()
    await page.get_by_label("Durée").select_option(label="7 jours")
    await page.get_by_label("Motif").fill("Congés annoncés")
    await page.get_by_role("button", name="Mettre en sommeil").click()

    sources = page.get_by_role("region", name="Dernières nouvelles")
    await expect(sources).to_contain_text("Nadia Exemple : Congés annoncés")
    await visitor.open("/ops")
    await expect(todo).not_to_contain_text("n’a rien envoyé")
    await visitor.open("/ops/webhooks")
    await page.get_by_role("link", name="Réveiller l’alerte de RDV-Insertion, rdv").click()
    await page.get_by_label("Motif").fill("Les envois ont repris")
    await page.get_by_role("button", name="Réveiller l’alerte").click()
    await expect(sources).to_contain_text("Silence anormal")


async def received_and_failed(installation: Installation, *, number: int = 1261) -> UUID:
    """A webhook that came through the door, and was given up."""
    known = await WebhookEvent.all().values_list("id", flat=True)
    body = rdv(number)
    answer = await installation.server.http.post("/webhooks/rdv-insertion", content=body, headers=signed_rdv(body))
    assert answer.status_code in (200, 202, 204), answer.status_code

    arrived = WebhookEvent.exclude(id__in=known) if known else WebhookEvent.all()

    async def is_settled() -> bool:
        return await arrived.exclude(status=WebhookEventStatus.RECEIVED).exists()

    await until(is_settled, within_seconds=20)
    event = await arrived.first()
    assert event is not None
    await WebhookEvent.filter(id=event.id).update(status=WebhookEventStatus.FAILED, error="database_error")
    return event.id


def _all_succeeded(count: int) -> Callable[[], Awaitable[bool]]:
    async def have_succeeded() -> bool:
        return await Approval.filter(pe_notification_status=Status.SUCCESS).count() == count

    return have_succeeded
