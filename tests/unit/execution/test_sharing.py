"""Two subscriptions share an answer only if no answer could differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from execution.sharing import root_field, shape_of


def shape(text: str, variables: Mapping[str, Any] | None = None, *, operation: int = 0) -> Any:
    document = parse(text)
    found = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)][operation]
    return shape_of(document, found, variables or {})


CURSOR = "subscription($after: String) { changed(after: $after) { name } }"


def test_who_resumes_elsewhere_shares_what_comes_after():
    assert shape(CURSOR, {"after": "a"}) == shape(CURSOR, {"after": "b"}) == shape(CURSOR)


@pytest.mark.parametrize(
    "text",
    [
        "subscription($x: Int) { changed { parts(first: $x) { name } } }",
        "subscription($x: Boolean!) { changed { name @include(if: $x) } }",
        "subscription($x: Boolean!) { changed { ... @skip(if: $x) { name } } }",
        "subscription($x: Boolean!) { changed { ...F @skip(if: $x) } } fragment F on Change { name }",
        "subscription($x: Int) { changed { ...F } } fragment F on Change { parts(first: $x) { name } }",
        "subscription($x: Int) { changed { ...F } } fragment F on Change { ...G } "
        "fragment G on Change { parts(in: [{ size: $x }]) { name } }",
        "subscription($x: Int) { ...R } fragment R on Subscription { changed { parts(first: $x) { name } } }",
        "subscription($x: Int) { ... { changed { parts(first: $x) { name } } } }",
    ],
)
def test_a_variable_below_the_root_separates(text: str):
    assert shape(text, {"x": 1}) == shape(text, {"x": 1})
    assert shape(text, {"x": 1}) != shape(text, {"x": 2})
    assert shape(text, {"x": 1}) != shape(text)


def test_a_variable_that_chooses_and_shapes_separates():
    text = "subscription($x: Int) { changed(from: $x) { parts(first: $x) { name } } }"

    assert shape(text, {"x": 1}) != shape(text, {"x": 2})


def test_arguments_of_the_root_inside_fragments_only_choose():
    text = "subscription($x: Int) { ...R } fragment R on Subscription { changed(from: $x) { name } }"

    assert shape(text, {"x": 1}) == shape(text, {"x": 2})


def test_values_that_python_holds_for_equal_are_told_apart():
    text = "subscription($x: Thing) { changed { parts(first: $x) { name } } }"

    assert len({shape(text, {"x": value}) for value in (1, True, 1.0, "1", None, [1], {"a": 1})}) == 7


def test_other_documents_and_operations_are_other_shapes():
    two = "subscription A { changed { name } } subscription B { changed { name } }"

    assert shape(CURSOR) != shape(CURSOR.replace("name", "id"))
    assert shape(two) != shape(two, operation=1)


@pytest.mark.parametrize(
    "text",
    [
        "subscription { as: changed { name } }",
        "subscription { ... { as: changed { name } } }",
        "subscription { ...F } fragment F on Subscription { as: changed { name } }",
    ],
)
def test_the_root_field_is_found_wherever_it_stands(text: str):
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)

    field = root_field(document, operation)

    assert field.alias is not None
    assert (field.name.value, field.alias.value) == ("changed", "as")
