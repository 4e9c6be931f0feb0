"""The reference of the dashboard has every page, and a picture of each in both sizes."""

from __future__ import annotations

import re
from pathlib import Path

from ops.dashboard.pages import PAGES

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "reference" / "dashboard.md"
_LARGEST_BYTES = 100_000


def test_the_reference_names_every_page():
    addresses = set(re.findall(r"\| `(/ops[^`]*)` \|", PAGE.read_text()))

    assert addresses == {f"/ops{page.path}" for page in PAGES} | {"/ops/sign-in"}


def test_every_picture_is_there_is_small_and_is_shown():
    shown = {(PAGE.parent / path).resolve() for path in re.findall(r"\(([^)]+\.png)\)", PAGE.read_text())}
    taken = set((DOCS / "how-to" / "operate").glob("*.png"))

    assert shown == taken
    assert {path.name for path in taken if path.stat().st_size > _LARGEST_BYTES} == set()
    assert {path.stem for path in taken if path.stem.endswith("-narrow")} == {
        f"{path.stem}-narrow" for path in taken if not path.stem.endswith("-narrow")
    }
