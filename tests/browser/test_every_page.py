"""Every page: open to everybody's eyes and tools, sufficient to itself, readable without scripts and on a telephone."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from models import Approval, User
from models.enums import NotificationStatus, UserKind
from tests.browser.conftest import Installation, Visitor, visitor_of
from tests.browser.places import every_page, fill
from tests.browser.test_dashboard import make_failed, received_and_failed
from tests.factories import make_user
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

# What a chart names beside its lines, where its picture ends.
_CUT_TICKS = """
() => [...document.querySelectorAll(".chart > svg .tick")].filter((tick) => {
  const svg = tick.closest("svg"), seen = getComputedStyle(svg).overflow === "visible" ? svg.parentElement : svg;
  const { left, top } = tick.getBoundingClientRect(), edge = seen.getBoundingClientRect();
  return left < edge.left || top < edge.top;
}).map((tick) => tick.textContent)
"""
_BUTTONS_OUT_OF_SIGHT = """
() => [...document.querySelectorAll("main .button, main button")]
  .filter((button) => button.getBoundingClientRect().right > innerWidth).map((button) => button.textContent)
"""


@pytest.fixture
async def places(installation: Installation, operator: User) -> tuple[str, ...]:
    """Every page, with something on it."""
    approval = await make_failed("999990004001")
    event_id = await received_and_failed(installation)
    run_id = await fill(operator)
    return every_page(approval_id=approval.id, event_id=event_id, run_id=run_id)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_has_a_barrier_nor_asks_for_anything_elsewhere(
    installation: Installation, operator: User, places: tuple[str, ...], scheme: str
) -> None:
    found: dict[str, list[str]] = {}

    async with visitor_of(installation, scheme=scheme) as visitor:
        await visitor.open("/ops/sign-in")
        found["/sign-in"] = await visitor.barriers()
        await visitor.sign_in(operator)
        for path in places:
            await visitor.open(f"/ops{path}")
            found[path] = await visitor.barriers()
        found["revealed"] = await _reveal(visitor, places)

    assert {path: barriers for path, barriers in found.items() if barriers} == {}
    # Requests elsewhere, reports of the content policy, and whatever a script complains of.
    assert visitor.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_an_observer_sees_has_no_barrier_either(
    installation: Installation, places: tuple[str, ...], scheme: str
) -> None:
    observer = await make_user(UserKind.STAFF, first_name="Odile", is_observer=True)
    found: dict[str, list[str]] = {}

    async with visitor_of(installation, scheme=scheme) as visitor:
        await visitor.sign_in(observer)
        for path in places:
            await visitor.open(f"/ops{path}")
            found[path] = await visitor.barriers()
            await expect(visitor.page.get_by_text("Lecture seule")).to_be_visible()

    assert {path: barriers for path, barriers in found.items() if barriers} == {}
    assert visitor.faults == []


async def test_what_does_not_exist_says_so_without_barriers(installation: Installation, operator: User) -> None:
    async with visitor_of(installation) as visitor:
        await visitor.sign_in(operator)
        response = await visitor.page.goto(f"{installation.server.url}/ops/nothing")

        assert response is not None
        assert response.status == 404
        assert await visitor.barriers() == []


async def test_a_narrow_screen_never_scrolls_sideways(
    installation: Installation, operator: User, places: tuple[str, ...]
) -> None:
    async with visitor_of(installation, width=390) as visitor:
        await visitor.sign_in(operator)
        for path in places:
            await visitor.open(f"/ops{path}")
            wider_by = await visitor.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wider_by <= 0, path


async def test_a_telephone_shows_whole_charts_and_each_button_without_scrolling_sideways(
    installation: Installation, operator: User, places: tuple[str, ...]
) -> None:
    async with visitor_of(installation, width=390) as visitor:
        await visitor.sign_in(operator)
        await visitor.open("/ops")
        assert await visitor.page.evaluate(_CUT_TICKS) == []
        for path in places:
            await visitor.open(f"/ops{path}")
            assert await visitor.page.evaluate(_BUTTONS_OUT_OF_SIGHT) == [], path


async def test_every_page_says_the_same_without_scripts(
    installation: Installation, operator: User, places: tuple[str, ...]
) -> None:
    said: list[dict[str, list[str]]] = []

    for scripts in (True, False):
        async with visitor_of(installation, scripts=scripts) as visitor:
            await visitor.sign_in(operator)
            said.append({path: await _headings(visitor, path) for path in places})

    # How many jobs lie in the queue changes while it is read: the worker goes on.
    for seen in said:
        seen["/queues"] = [re.sub(r"\d+$", "…", heading) for heading in seen["/queues"]]
    assert said[0] == said[1]
    assert all(headings for headings in said[0].values())


async def test_buttons_work_without_scripts(installation: Installation, operator: User) -> None:
    approval = await make_failed("999990006001")

    async with visitor_of(installation, scripts=False) as visitor:
        await visitor.sign_in(operator)
        await visitor.open(f"/ops/notifications/approval/{approval.id}")
        await visitor.page.get_by_role("button", name="Renvoyer maintenant").click()
        await expect(visitor.page.get_by_role("status")).to_contain_text("de nouveau à envoyer")

    async def has_succeeded() -> bool:
        return await Approval.filter(id=approval.id, pe_notification_status=NotificationStatus.SUCCESS).exists()

    await until(has_succeeded, within_seconds=20)


async def _headings(visitor: Visitor, path: str) -> list[str]:
    await visitor.open(f"/ops{path}")
    return await visitor.page.get_by_role("heading").all_inner_texts()


async def _reveal(visitor: Visitor, places: tuple[str, ...]) -> list[str]:
    """What is wrong with the page of a body that was asked for."""
    path = next(path for path in places if path.startswith("/webhooks/") and "alarms" not in path)
    await visitor.open(f"/ops{path}")
    await visitor.page.get_by_label("Motif de la consultation").fill("Demande du support")
    await visitor.page.get_by_role("button", name="Afficher les données personnelles").click()
    await visitor.page.get_by_role("heading", name="Contenu du webhook").wait_for()
    return await visitor.barriers()
