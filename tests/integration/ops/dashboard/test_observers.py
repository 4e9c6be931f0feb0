"""Staff who may look and not act: every page opens without its buttons, every action is refused, and does nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from models import OperationRun, User, WebhookEvent
from models.database import fetch_all
from models.enums import NotificationStatus, OperationKind, Partner, UserKind
from ops.dashboard.pages import ACTIONS, PAGES
from ops.dashboard.visits import Acting
from services.clock import utc_now
from services.pauses import pause_partner
from tests.factories import make_approval, make_user
from tests.integration.models.rows import MAKERS
from tests.integration.ops.dashboard.conftest import Browser

_FORM = re.compile(r'<form method="post" action="([^"]+)"')
_STATE = """
SELECT (SELECT json_agg(a ORDER BY a.id)::text FROM approval a),
    (SELECT json_agg(w ORDER BY w.id)::text FROM webhook_event w),
    (SELECT json_agg(r ORDER BY r.id)::text FROM operation_run r), (SELECT json_agg(p)::text FROM partner_pause p),
    (SELECT json_agg(m)::text FROM manual_pause m),
    (SELECT json_agg(s)::text FROM silenced_alarm s), (SELECT json_agg(e)::text FROM audit_entry e)
"""


@pytest.fixture
async def observer(database: object) -> User:
    return await make_user(UserKind.STAFF, first_name="Odile", last_name="Exemple", is_observer=True)


@pytest.fixture
async def places(database: object) -> dict[str, str]:
    """By the path of a page or action: one that exists, with something to do on it."""
    approval = await make_approval(pe_notification_status=NotificationStatus.ERROR, pe_notification_exit_code="S008")
    await MAKERS["webhook_event"]()
    event = await WebhookEvent.get()
    now = utc_now()
    run = await OperationRun.create(
        kind=OperationKind.RETRY_NOTIFICATIONS,
        criteria={"code": "S008"},
        author_id=approval.job_seeker_id,
        reason="Panne",
        total=1,
        created_at=now,
        next_attempt_at=now + timedelta(days=1),
    )
    await pause_partner(Partner.FRANCE_TRAVAIL, access="x", reason="401", now=now)
    alarm = "/webhooks/alarms/rdv_insertion/rdv"
    notification, pause = f"/notifications/approval/{approval.id}", "/queues/partner/france_travail"
    return {
        "/notifications/{subject}/{id}": notification,
        "/notifications/{subject}/{id}/retry": f"{notification}/retry",
        "/webhooks/{id}": f"/webhooks/{event.id}",
        "/webhooks/{id}/replay": f"/webhooks/{event.id}/replay",
        "/webhooks/{id}/reveal": f"/webhooks/{event.id}/reveal",
        "/webhooks/alarms/{source}/{model}": alarm,
        "/webhooks/alarms/{source}/{model}/silence": f"{alarm}/silence",
        "/webhooks/alarms/{source}/{model}/restore": f"{alarm}/restore",
        "/queues/{kind}/{name}": pause,
        "/queues/{kind}/{name}/pause": f"{pause}/pause",
        "/queues/{kind}/{name}/resume": f"{pause}/resume",
        "/queues/{kind}/{name}/retry": f"{pause}/retry",
        "/runs/new/{kind}": "/runs/new/notifications?code=S008",
        "/runs/{id}": f"/runs/{run.id}",
        "/runs/{id}/cancel": f"/runs/{run.id}/cancel",
    }


async def test_an_observer_reads_every_page_and_finds_no_button_but_the_one_to_leave(
    browser: Browser, observer: User, places: dict[str, str]
) -> None:
    answer = await browser.sign_in(observer)
    assert answer.status_code == 303

    for page in PAGES:
        path = f"/ops{places[page.path] if '{' in page.path else page.path}"
        answer = await browser.get(path)

        assert answer.status_code == 200, path
        assert _FORM.findall(browser.page) == ["/ops/sign-out"], path
        assert "Lecture seule" in browser.text, path
        assert "Suspendre France Travail" not in browser.text, path


async def test_an_operator_finds_on_the_same_pages_what_an_observer_misses(
    browser: Browser, operator: User, places: dict[str, str]
) -> None:
    await browser.sign_in(operator)
    found: set[str] = set()

    for page in PAGES:
        await browser.get(f"/ops{places[page.path] if '{' in page.path else page.path}")
        found |= {path.removeprefix("/ops") for path in _FORM.findall(browser.page)}

    # What is not paused offers no resumption.
    offered = {places[action.path] for action in ACTIONS if not action.path.endswith(("/resume", "/restore"))}
    assert found - {"/sign-out"} == offered
    assert "Lecture seule" not in browser.text


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.path)
async def test_every_action_of_an_observer_is_refused_with_the_permission_to_ask_for_and_changes_nothing(
    browser: Browser, observer: User, places: dict[str, str], action: Acting
) -> None:
    await browser.sign_in(observer)
    await browser.get("/ops")
    before = await fetch_all(_STATE)

    answer = await browser.post(f"/ops{places[action.path]}", reason="Essai sans permission")

    assert answer.status_code == 403
    assert "OPERATE" in browser.text
    assert "rien n’a été changé" in browser.text
    assert [tuple(row) for row in await fetch_all(_STATE)] == [tuple(row) for row in before]
    assert browser.rung == []


async def test_an_operator_who_becomes_an_observer_keeps_looking_and_acts_no_more(
    browser: Browser, operator: User, places: dict[str, str]
) -> None:
    await browser.sign_in(operator)
    await browser.get("/ops")
    await User.filter(id=operator.id).update(is_operator=False, is_observer=True)

    page = await browser.get("/ops/notifications")
    action = await browser.post(f"/ops{places['/notifications/{subject}/{id}/retry']}")

    assert (page.status_code, action.status_code) == (200, 403)


async def test_the_coming_and_going_of_an_observer_is_recorded(browser: Browser, observer: User) -> None:
    await browser.sign_in(observer)
    await browser.get("/ops")
    await browser.post("/ops/sign-out")

    rows = await fetch_all("SELECT actor_id, action FROM audit_entry ORDER BY at")
    assert [(row["actor_id"], row["action"]) for row in rows] == [
        (observer.id, "signed_in"),
        (observer.id, "signed_out"),
    ]
