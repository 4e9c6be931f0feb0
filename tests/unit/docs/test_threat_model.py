"""The threat model names tests: each is there, and each way in has its table."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
PAGE = TESTS.parent / "docs" / "explanation" / "threat-model.md"
_ROW = re.compile(r"^\| (?P<letters>[STRIDE](?:, [STRIDE])*) \| (?P<cells>.+) \|$", re.MULTILINE)
# Advisories come from the network: nothing here can prove that they were asked.
WITHOUT_A_TEST = 1


def test_every_test_that_it_names_exists_and_has_tests():
    named = set(re.findall(r"`((?:unit|integration|security|e2e|browser)/[\w/]+\.py)`", PAGE.read_text()))

    assert len(named) > 40
    assert [name for name in sorted(named) if not (TESTS / name).is_file()] == []
    assert [name for name in sorted(named) if "def test_" not in (TESTS / name).read_text()] == []


def test_every_threat_has_a_defence_and_a_test():
    rows = [match["cells"].split(" | ") for match in _ROW.finditer(PAGE.read_text())]

    assert len(rows) > 40
    assert all(len(cells) == 3 for cells in rows)
    assert sum("`" not in cells[2] for cells in rows) == WITHOUT_A_TEST


def test_every_letter_is_considered():
    letters = {letter for match in _ROW.finditer(PAGE.read_text()) for letter in match["letters"].split(", ")}

    assert letters == set("STRIDE")
