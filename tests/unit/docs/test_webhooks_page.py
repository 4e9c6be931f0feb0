"""The page about webhooks names every answer that the door gives."""

from __future__ import annotations

import re
from pathlib import Path

from webhooks import door

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "webhooks.md"
_ROW = re.compile(r"^\| (\d{3}(?:, \d{3})*) \|", re.MULTILINE)


def statuses(text: str) -> set[str]:
    return {status for row in _ROW.findall(text) for status in row.split(", ")}


def test_the_page_lists_the_answers_of_the_door():
    assert statuses(PAGE.read_text(encoding="utf-8")) == statuses(door.__doc__ or "")
