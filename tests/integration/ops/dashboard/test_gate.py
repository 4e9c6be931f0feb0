"""Who comes in, what the cookie is worth, and that nobody else's page can press a button."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
import redis.asyncio
from structlog.testing import capture_logs

from models import User
from models.database import DatabaseConfig, fetch_all
from models.enums import UserKind
from ops.dashboard.pages import ACTIONS, PAGES
from services.rate_limits import Limiter, Policy
from tests.factories import make_approval, make_company, make_employer, make_user
from tests.integration.ops.dashboard.conftest import ORIGIN, Browser, dashboard_of, served
from tests.integration.schema.client import token_for


async def test_an_operator_exchanges_a_token_for_a_cookie_that_scripts_cannot_read(
    browser: Browser, operator: User
) -> None:
    answer = await browser.sign_in(operator)

    assert (answer.status_code, answer.headers["location"]) == (303, "/ops")
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/ops"} <= {part.strip() for part in cookie.split(";")}
    assert token_for(operator) not in answer.headers["set-cookie"]
    assert (await browser.get("/ops")).status_code == 200
    assert "Nadia Exemple" in browser.text


async def test_the_cookie_of_production_travels_by_tls_alone(
    database: DatabaseConfig, valkey: redis.asyncio.Redis, operator: User
) -> None:
    transport = httpx.ASGITransport(served(dashboard_of(valkey, [], is_production=True)))

    async with httpx.AsyncClient(transport=transport, base_url="https://ops.test") as http:
        answer = await http.post("/ops/sign-in", data={"token": token_for(operator)})
        page = await http.get("/ops/sign-in")

    assert "secure" in answer.headers["set-cookie"].lower()
    assert "traverse token" not in page.text


async def test_a_session_ends_with_the_hour_even_if_its_token_lasts(browser: Browser, operator: User) -> None:
    answer = await browser.post_from(
        "same-origin", "/ops/sign-in", token=token_for(operator, lifetime=timedelta(hours=9))
    )

    age = re.search(r"Max-Age=(\d+)", answer.headers["set-cookie"])
    assert age is not None
    assert 3_500 < int(age.group(1)) <= 3_600


@pytest.mark.parametrize("is_operator", [False, True])
async def test_staff_without_the_permission_and_operators_of_a_company_stay_outside(
    browser: Browser, is_operator: bool
) -> None:
    user = await (make_employer(await make_company()) if is_operator else make_user(UserKind.STAFF))

    answer = await browser.sign_in(user)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers or "traverse_ops=" not in answer.headers["set-cookie"]
    assert "OBSERVE" in browser.text
    assert "OPERATE" in browser.text


async def test_a_token_that_is_not_believed_is_refused_and_not_repeated(browser: Browser, operator: User) -> None:
    token = token_for(operator, now=datetime.now(UTC) - timedelta(days=2))

    answer = await browser.post_from("same-origin", "/ops/sign-in", token=token)

    assert answer.status_code == 401
    assert token not in answer.text


async def test_a_right_that_is_taken_away_ends_the_session_at_once(browser: Browser, operator: User) -> None:
    await browser.sign_in(operator)
    assert (await browser.get("/ops/notifications")).status_code == 200

    await User.filter(id=operator.id).update(is_operator=False)

    answer = await browser.get("/ops/notifications")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ops/sign-in?next=%2Fops%2Fnotifications")
    assert (await browser.get("/ops", Accept="text/event-stream")).status_code == 401


async def test_every_page_and_every_action_is_closed_to_whoever_has_not_signed_in(browser: Browser) -> None:
    for page in PAGES:
        answer = await browser.get(f"/ops{filled(page.path)}")
        assert answer.status_code == 303, page.path
        assert answer.headers["location"].startswith("/ops/sign-in?next="), page.path
    for action in ACTIONS:
        answer = await browser.post(f"/ops{filled(action.path)}", form_key="guessed")
        assert answer.headers.get("location") == "/ops/sign-in?next=%2Fops", action.path


@pytest.mark.parametrize(
    ("site", "form_key"), [("same-origin", "guessed"), ("same-origin", ""), ("cross-site", None), ("same-site", None)]
)
async def test_a_form_of_another_page_does_nothing(
    browser: Browser, operator: User, site: str, form_key: str | None
) -> None:
    approval = await make_approval(pe_notification_status="notification_error")
    await browser.sign_in(operator)
    await browser.get("/ops")
    key = browser.form_key if form_key is None else form_key

    answer = await browser.post_from(site, f"/ops/notifications/approval/{approval.id}/retry", form_key=key)

    assert (answer.status_code, answer.headers["location"]) == (303, "/ops")
    await approval.refresh_from_db()
    assert approval.pe_notification_status == "notification_error"
    assert browser.rung == []


async def test_somebody_cannot_be_signed_in_by_another_site(browser: Browser, operator: User) -> None:
    answer = await browser.post_from("cross-site", "/ops/sign-in", token=token_for(operator))

    assert answer.status_code == 403
    assert "traverse_ops=" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/ops", "//evil.example/ops", "/graphql", "/ops\\@evil.example", "/opsx", ""]
)
async def test_signing_in_leads_to_the_dashboard_and_nowhere_else(
    browser: Browser, operator: User, elsewhere: str
) -> None:
    answer = await browser.post_from("same-origin", "/ops/sign-in", token=token_for(operator), next=elsewhere)

    assert answer.headers["location"] == "/ops"


async def test_a_cookie_that_somebody_made_is_worth_nothing(browser: Browser, operator: User) -> None:
    await browser.sign_in(operator)
    name, value = next(iter(browser.http.cookies.items()))
    head, _, signature = value.rpartition(".")
    browser.http.cookies.set(name, f"{head}.{signature[::-1]}", domain="ops.test", path="/ops")

    assert (await browser.get("/ops")).status_code == 303


async def test_signing_out_needs_the_form_and_forgets_the_cookie(browser: Browser, operator: User) -> None:
    await browser.sign_in(operator)
    await browser.get("/ops")
    await browser.post("/ops/sign-out", form_key="guessed")
    assert (await browser.get("/ops")).status_code == 200

    await browser.post("/ops/sign-out")

    assert (await browser.get("/ops")).status_code == 303
    rows = await fetch_all("SELECT actor_id, action FROM audit_entry ORDER BY at")
    assert [(row["actor_id"], row["action"]) for row in rows] == [
        (operator.id, "signed_in"),
        (operator.id, "signed_out"),
    ]


async def test_every_page_is_sent_under_a_policy_that_lets_nothing_in_from_elsewhere(
    browser: Browser, operator: User
) -> None:
    await browser.sign_in(operator)
    nonces: set[str] = set()

    for page in (page for page in PAGES if "{" not in page.path):
        answer = await browser.get(f"/ops{page.path}")
        policy = answer.headers["content-security-policy"]
        assert answer.status_code == 200, page.path
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'; script-src 'nonce-")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        nonce = policy.split("'nonce-")[1].split("'")[0]
        nonces.add(nonce)
        assert re.findall(r"<script(?![^>]*nonce=)", answer.text) == []
        assert re.findall(r'\sstyle="|\son[a-z]+="', answer.text) == []
        assert re.findall(r'(?:src|href|action)="(?:https?:)?//', answer.text) == []

    assert len(nonces) == len([page for page in PAGES if "{" not in page.path])


async def test_a_form_that_is_too_long_or_no_form_is_refused(browser: Browser, operator: User) -> None:
    await browser.sign_in(operator)
    too_long = await browser.post("/ops/sign-out", form_key="x" * 70_000)
    no_form = await browser.http.post("/ops/sign-out", json={"form_key": "x"})

    assert (too_long.status_code, no_form.status_code) == (413, 415)


async def test_reports_of_the_policy_are_taken_whatever_they_hold(browser: Browser) -> None:
    for body in (b'{"csp-report": {"effective-directive": "script-src"}}', b"[]", b"{", b"\xff", b'{"csp-report": 1}'):
        assert (await browser.http.post("/ops/csp-reports", content=body)).status_code == 204
    assert (await browser.http.post("/ops/csp-reports", content=b"x" * 20_000)).status_code == 413


async def test_of_a_report_only_what_we_know_is_written_down(browser: Browser) -> None:
    told = (
        ("https://ops.test/ops/notifications/approval/1?label=Dupont", "script-src-elem", "https://evil.example/x?y=z"),
        ("https://ops.test/Dupont", "Dupont", "inline"),
    )
    with capture_logs() as logs:
        for page, directive, blocked in told:
            report = {"document-uri": page, "effective-directive": directive, "blocked-uri": blocked}
            await browser.http.post("/ops/csp-reports", json={"csp-report": report})

    assert [(entry["page"], entry["directive"], entry["blocked"]) for entry in logs] == [
        ("/ops/notifications/{subject}/{id}", "script-src-elem", "https://evil.example"),
        ("unknown", "unknown", "inline"),
    ]


async def test_an_unknown_page_says_so(browser: Browser, operator: User) -> None:
    await browser.sign_in(operator)

    for path in ("/ops/nothing", "/ops/notifications/approval/x", f"/ops/webhooks/{UUID(int=7)}", "/ops/runs/new/x"):
        assert (await browser.get(path)).status_code == 404, path
    assert ORIGIN not in browser.page


def filled(path: str) -> str:
    return re.sub(r"{[a-z]+}", "x", path)


async def test_an_address_may_try_to_sign_in_only_so_often(
    database: DatabaseConfig, valkey: redis.asyncio.Redis, operator: User
):
    limits = Limiter(Policy(name="ops-sign-ins", quota=2), clock=lambda: 1_000.0)
    dashboard = dashboard_of(valkey, [], sign_ins=limits)
    transport = httpx.ASGITransport(served(dashboard), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        browser = Browser(http, dashboard)
        tried = [(await browser.post_from("same-origin", "/ops/sign-in", token="none")).status_code for _ in range(2)]

        refused = await browser.sign_in(operator)

    assert tried == [401, 401]
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "30"
    assert "Trop d’essais de connexion depuis votre réseau. Recommencez dans 30 s." in browser.text
    assert "set-cookie" not in refused.headers or "traverse_ops=" not in refused.headers["set-cookie"]
