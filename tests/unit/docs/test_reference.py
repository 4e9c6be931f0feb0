"""The pages that are written by hand name what the code has, no more and no less."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from graphql import parse, validate

import docs
from resolvers.viewer import Permission
from schema import errors
from schema.access import FIELD_RULES
from schema.build import build_schema

DOCS = Path(docs.__file__).parent
REFERENCE = DOCS / "reference"
OPERATIONS = [
    (page, block)
    for page in sorted(DOCS.rglob("*.md"))
    for block in re.findall(
        r"^```graphql\n(?:#.*\n)*(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    if block.startswith(("query", "mutation", "subscription"))
]


def section(page: str, heading: str) -> str:
    text = (REFERENCE / page).read_text(encoding="utf-8")
    return text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


def first_cells(text: str) -> list[str]:
    return [
        name for cell in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", cell)
    ]


def test_the_page_on_errors_lists_every_outcome_that_the_schema_has():
    members = {
        name
        for name, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, errors.Error) and member is not errors.Error
    }

    assert set(first_cells(section("errors.md", "Data: what a caller can act on"))) == members


def test_the_page_on_errors_lists_codes_that_exist():
    codes = {code.value for code in errors.ErrorCode}

    listed = set(re.findall(r"\| `([A-Z_]+)` \|", section("errors.md", "Data: what a caller can act on")))

    assert listed <= codes


@pytest.mark.parametrize("field", FIELD_RULES)
def test_the_page_on_access_names_every_guarded_field(field: str):
    assert f"`{field}`" in section("access.md", "Which fields")


def test_the_page_on_access_names_no_field_that_is_not_guarded():
    assert set(first_cells(section("access.md", "Which fields"))) == set(FIELD_RULES)


def test_the_page_on_access_lists_every_permission():
    assert first_cells(section("access.md", "What may be done")) == [permission.value for permission in Permission]


@pytest.mark.parametrize(
    ("page", "operation"), OPERATIONS, ids=[f"{page.name}: {block.split()[1]}" for page, block in OPERATIONS]
)
def test_an_operation_that_a_page_shows_is_valid(page: Path, operation: str):
    assert validate(build_schema(), parse(operation)) == [], page


def test_the_pages_show_operations():
    assert len(OPERATIONS) >= 7
