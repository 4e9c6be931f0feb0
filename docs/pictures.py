"""Take the pictures of the operations dashboard anew: `python -m docs.pictures`. Needs Debian's chromium.

A demo of its own is started, the tour replayed so that every page has something to show, and the buttons are pressed
that lead to the others. Each page is then pictured as a wide screen shows it in daylight, and a telephone at night.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from docs.tour import TOUR, Demo, TourError, fresh_demo, replay

PICTURES = Path(__file__).parent / "how-to" / "operate"

_COLOURS = 48
_WIDE, _NARROW = (1280, 860), (390, 844)
_TALLEST = {_WIDE: 1500, _NARROW: 1500}
_SETTLED_MS = 15_000
_PLAIN = {
    "overview": "/ops",
    "notifications": "/ops/notifications",
    "webhooks": "/ops/webhooks",
    "queues": "/ops/queues",
    "mails": "/ops/mails",
    "surveys": "/ops/surveys",
    "certifications": "/ops/certifications",
    "runs": "/ops/runs",
    "audit": "/ops/audit",
    "pause": "/ops/queues/queue/mails",
    "silence": "/ops/webhooks/alarms/rdv_insertion/rdv",
    "not-found": "/ops/nothing-here",
}
"""The pages that are addresses; the others are found by a click, as people find them."""


def main(arguments: list[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m docs.pictures", description=__doc__).parse_args(arguments)
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.stderr.write("chromium is not there: install Debian's package of that name\n")
        return 1
    try:
        with fresh_demo() as demo:
            replay(TOUR.read_text(encoding="utf-8"), demo)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
                _take_all(browser, demo)
                browser.close()
    except TourError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _take_all(browser: Browser, demo: Demo) -> None:
    with _visitor(browser, demo, _WIDE) as page:
        page.goto(f"{demo.url}/ops/sign-in")
        _take(page, "sign-in", _WIDE)
        _sign_in(page, demo, "staff")
        found = {**_PLAIN, **_act(page, demo)}
        cookies = page.context.cookies()
    for size in (_WIDE, _NARROW):
        with _visitor(browser, demo, size) as page:
            page.context.add_cookies(cookies)  # pyright: ignore[reportArgumentType]: what cookies() gave
            for name, path in found.items():
                page.goto(f"{demo.url}{path}")
                _take(page, name, size)
    with _visitor(browser, demo, _NARROW) as page:
        page.goto(f"{demo.url}/ops/sign-in")
        _take(page, "sign-in", _NARROW)
    for size in (_WIDE, _NARROW):
        with _visitor(browser, demo, size) as page:
            page.goto(f"{demo.url}/ops/sign-in")
            _sign_in(page, demo, "observer")
            page.goto(f"{demo.url}{found['notification']}")
            _take(page, "observer", size)


def _act(page: Page, demo: Demo) -> dict[str, str]:
    """Press what leaves something to see; return the addresses that were come to, by the name of their picture."""
    found: dict[str, str] = {}
    page.goto(f"{demo.url}/ops/notifications?status=notification_error")
    page.locator("#live-list tbody th a").first.click()
    found["notification"] = _here(page, demo)
    page.goto(f"{demo.url}/ops/notifications?status=notification_error")
    page.get_by_role("link", name="Renvoyer tout ce qui correspond").click()
    found["run-preview"] = _here(page, demo)
    page.get_by_label("Motif").fill("Fiches corrigées par France Travail")
    page.locator("button.primary").click()
    page.locator("h2 .badge-good").wait_for(timeout=_SETTLED_MS)
    found["run"] = _here(page, demo)
    page.goto(f"{demo.url}/ops/queues/partner/tally")
    page.get_by_label("Motif").fill("Maintenance annoncée jusqu’à midi")
    page.locator("main form button").click()
    page.goto(f"{demo.url}/ops/webhooks/alarms/rdv_insertion/invitation")
    page.get_by_label("Motif").fill("Fermeture de la plateforme pour les congés")
    page.locator("main form button").click()
    page.goto(f"{demo.url}/ops/webhooks")
    page.locator("#live-list tbody th a").first.click()
    found["webhook"] = _here(page, demo)
    page.get_by_label("Motif de la consultation").fill("Question du support sur ce rendez-vous")
    page.get_by_role("button", name="Afficher les données personnelles").click()
    _take(page, "webhook-body", _WIDE)
    page.set_viewport_size({"width": _NARROW[0], "height": _NARROW[1]})
    page.emulate_media(color_scheme="dark")
    _take(page, "webhook-body", _NARROW)
    return found


@contextmanager
def _visitor(browser: Browser, demo: Demo, size: tuple[int, int]) -> Generator[Page]:
    scheme: Literal["light", "dark"] = "light" if size == _WIDE else "dark"
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, locale="fr-FR", base_url=demo.url
    )
    yield context.new_page()
    context.close()


def _sign_in(page: Page, demo: Demo, persona: str) -> None:
    page.get_by_label("Jeton d’accès").fill(demo.token(persona))
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("heading", name="Vue d’ensemble").wait_for()


def _here(page: Page, demo: Demo) -> str:
    return page.url.removeprefix(demo.url)


def _take(page: Page, name: str, size: tuple[int, int]) -> None:
    """Write the picture, with few colours: flat pages look the same, and the file is a third."""
    page.evaluate("document.fonts.ready")
    taken = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    shown = taken.crop((0, 0, taken.width, min(taken.height, _TALLEST[size])))
    suffix = "" if size == _WIDE else "-narrow"
    shown.convert("RGB").quantize(_COLOURS).save(PICTURES / f"{name}{suffix}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
