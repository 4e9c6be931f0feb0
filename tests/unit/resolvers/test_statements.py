"""SQL text with named parameters: numbered once each, casts left alone, and no text that PostgreSQL cannot hold."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.errors import BadUserInput
from resolvers.statements import Statement


@pytest.mark.parametrize(
    ("template", "text", "names"),
    [
        ("SELECT 1", "SELECT 1", ()),
        ("a = :x", "a = $1", ("x",)),
        ("a = :x AND b = :y AND c = :x", "a = $1 AND b = $2 AND c = $1", ("x", "y")),
        ("a = ANY(:x::uuid[])", "a = ANY($1::uuid[])", ("x",)),
        (":a_1 < :a_2::timestamptz", "$1 < $2::timestamptz", ("a_1", "a_2")),
        ("created_at::date = '1'::date", "created_at::date = '1'::date", ()),
    ],
)
def test_names_become_numbers(template: str, text: str, names: tuple[str, ...]):
    statement = Statement(template)

    assert (statement.text, statement.names) == (text, names)


@pytest.mark.parametrize("value", ["\x00", "a\x00b", ["a", "b\x00"], [["\x00"]]])
async def test_a_nul_is_refused_before_postgresql_is_asked(value: Any):
    statement = Statement("SELECT :x")

    with pytest.raises(BadUserInput, match="NUL"):
        await statement.rows({"x": value})


async def test_a_value_that_is_missing_is_an_error_of_ours():
    with pytest.raises(KeyError):
        await Statement("SELECT :x").rows({"y": 1})
