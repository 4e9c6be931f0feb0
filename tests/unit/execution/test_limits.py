"""What a document may ask for: shape before validation, cost after it."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from graphql import GraphQLError, OperationDefinitionNode, get_introspection_query, parse

from execution.engine import RequestRefused
from execution.limits import LimitError, Limits, check_shape, operation_cost
from tests.unit.execution.shop import SHELVES, ask, shop, shop_schema

SCHEMA = shop_schema()


def shape_error(query: str, limits: Limits | None = None) -> str:
    with pytest.raises(LimitError) as refusal:
        check_shape(parse(query), limits or Limits())
    assert refusal.value.extensions == {"code": "LIMIT_EXCEEDED"}
    return refusal.value.message


def cost(query: str, limits: Limits | None = None, **variables: Any) -> int:
    document = parse(query)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return operation_cost(SCHEMA, document, operation, variables, limits or Limits())


def nested(levels: int) -> str:
    return "{ item " + "{ items { nodes " * ((levels - 2) // 2) + "{ name }" + "} }" * ((levels - 2) // 2) + " }"


# -- shape


def test_a_document_as_deep_as_allowed_passes_and_one_level_more_does_not():
    check_shape(parse(nested(6)), Limits(depth=6))

    assert shape_error(nested(8), Limits(depth=6)) == "operation: 8 levels deep, at most 6 are accepted"


def test_levels_inside_a_fragment_count_where_it_is_spread():
    query = "{ item { ...Deep } } fragment Deep on Item { parts { parts { name } } }"

    assert shape_error(query, Limits(depth=3)) == "operation: 4 levels deep, at most 3 are accepted"


def test_inline_fragments_are_not_levels():
    check_shape(parse("{ item { ... { ... { ... on Item { name } } } } }"), Limits(depth=2))


def test_introspection_has_its_own_depth_and_the_rest_of_the_document_does_not():
    introspection = get_introspection_query()

    check_shape(parse(introspection), Limits(depth=3))

    assert "levels of introspection" in shape_error(introspection, Limits(introspection_depth=5))
    assert "levels deep" in shape_error(nested(18), Limits(depth=15, introspection_depth=18))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ a: item { name } b: item { name } }", "operation: 2 aliases, at most 1 are accepted"),
        ("{ item { name name name } }", "operation: 4 fields, at most 3 are accepted"),
        ("{ item { name @skip(if: false) @include(if: true) } }", "operation: 2 directives, at most 1 are accepted"),
        ("query A { item { name } } query B { item { name } }", "2 operations in one document, at most 1 are accepted"),
    ],
)
def test_each_count_has_a_limit(query: str, message: str):
    limits = Limits(aliases=1, fields=3, directives=1, operations=1)

    assert shape_error(query, limits) == message


def test_directives_on_the_operation_and_on_fragments_count():
    query = "query @a { ... @b { item { ...F @c } } } fragment F on Item { name @d }"

    assert shape_error(query, Limits(directives=3)) == "operation: 4 directives, at most 3 are accepted"


def test_doubled_fragments_are_counted_in_milliseconds_however_often_they_double():
    doubled = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(200))
    query = f"{{ ...F0 }} {doubled} fragment F200 on Query {{ item {{ name }} }}"
    began = process_time()

    message = shape_error(query)

    assert message == "operation: over a million fields, at most 1000 are accepted"
    assert process_time() - began < 0.5


def test_cyclic_fragments_are_left_to_validation():
    query = "{ ...A } fragment A on Query { ...B item { name } } fragment B on Query { ...A }"

    check_shape(parse(query), Limits())

    with pytest.raises(RequestRefused) as refusal:
        shop().prepare(ask(query))
    assert "within itself" in refusal.value.errors[0].message


@pytest.mark.parametrize("number", ["9" * 41, "-" + "9" * 40, "1." + "0" * 5_000, "9" * 5_000])
def test_a_number_that_takes_long_to_read_is_refused_unread(number: str):
    assert "digits" in shape_error(f"{{ items(first: {number}) {{ nodes {{ name }} }} }}")


def test_long_digits_in_texts_and_comments_are_no_numbers():
    check_shape(parse(f'{{ nodes(ids: ["{"9" * 5_000}"]) {{ name }} }} # {"9" * 5_000}'), Limits())


# -- cost


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ item { name } }", 2),
        ("{ items(first: 7) { nodes { name } } }", 1 + 7 * (1 + 1)),
        ("{ items(last: 7) { nodes { name } } }", 1 + 7 * (1 + 1)),
        ("{ items { nodes { name } } }", 1 + 20 * (1 + 1)),
        ("{ items(first: null) { nodes { name } } }", 1 + 20 * (1 + 1)),
        ("{ items(first: 2, last: 9) { nodes { name } } }", 1 + 9 * (1 + 1)),
        ("{ items(first: 0) { nodes { name } } }", 1),
        ("{ items(first: -5) { nodes { name } } }", 1),
        ("{ items(first: 999999999) { nodes { name } } }", 1 + 1_000 * (1 + 1)),
        ("{ item { parts { name } } }", 1 + 1 + 10 * 1),
        ("{ shelves { name } }", 1 + SHELVES),
        ('{ nodes(ids: ["a", "b", "c"]) { name } }', 1 + 3),
        ("{ items(first: 5) { nodes { items(first: 4) { nodes { name } } } } }", 1 + 5 * (1 + 1 + 4 * (1 + 1))),
        ("{ ...F } fragment F on Query { items(first: 3) { nodes { name } } }", 1 + 3 * (1 + 1)),
        ("{ ... on Query { ... { items(first: 3) { nodes { name } } } } }", 1 + 3 * (1 + 1)),
        ("mutation { sell }", 1),
    ],
)
def test_a_cost_is_fields_times_the_rows_that_may_hold_them(query: str, expected: int):
    assert cost(query) == expected


@pytest.mark.parametrize(
    ("query", "variables", "rows"),
    [
        ("query($n: Int) { items(first: $n) { nodes { name } } }", {"n": 50}, 50),
        ("query($n: Int) { items(first: $n) { nodes { name } } }", {"n": 50.0}, 50),
        ("query($n: Int) { items(first: $n) { nodes { name } } }", {}, 20),
        ("query($n: Int) { items(first: $n) { nodes { name } } }", {"n": None}, 20),
        ("query($n: Int) { items(first: $n) { nodes { name } } }", {"n": float("inf")}, 20),
        ("query($n: Int) { items(first: $n) { nodes { name } } }", {"n": "many"}, 20),
        ("query($n: Int = 80) { items(first: $n) { nodes { name } } }", {}, 80),
        ("query($n: Int = 80) { items(first: $n) { nodes { name } } }", {"n": 3}, 3),
        ("query($n: Int = 80) { items(first: $n) { nodes { name } } }", {"n": None}, 20),
    ],
)
def test_the_size_of_a_page_may_come_from_a_variable_or_its_default(query: str, variables: dict[str, Any], rows: int):
    assert cost(query, **variables) == 1 + rows * (1 + 1)


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query($ids: [ID!]!) { nodes(ids: $ids) { name } }", {"ids": ["a"] * 60}),
        ("query($ids: [ID!] = [" + '"a" ' * 60 + "]) { nodes(ids: $ids) { name } }", {}),
    ],
)
def test_a_list_asked_for_by_ids_has_as_many_rows_as_ids(query: str, variables: dict[str, Any]):
    assert cost(query, **variables) == 1 + 60


def test_the_root_field_nodes_is_no_part_of_a_page():
    assert cost('{ nodes(ids: ["a", "b"]) { items(first: 100) { nodes { name } } } }') == 1 + 2 * (1 + 100 * 2)


def test_thirty_levels_over_small_lists_are_counted_and_not_resolved():
    query = "{ item " + "{ parts " * 30 + "{ name }" + " }" * 30 + " }"

    assert cost(query) > 10**30


def test_the_standard_introspection_query_is_affordable():
    assert cost(get_introspection_query()) < Limits().cost


# -- through the engine


def refusal_of(query: str, limits: Limits | None = None) -> GraphQLError:
    with pytest.raises(RequestRefused) as refused:
        shop(limits).prepare(ask(query))
    return refused.value.errors[0]


def test_an_operation_over_the_allowed_cost_is_refused_with_both_numbers():
    error = refusal_of("{ items(first: 100) { nodes { name } } }", Limits(cost=200))

    assert error.message == "operation: costs 201 fields, at most 200; ask for smaller pages"
    assert error.extensions == {"code": "LIMIT_EXCEEDED"}


def test_an_astronomic_cost_is_not_spelled_out():
    query = "{ item " + "{ parts " * 12 + "{ name }" + " }" * 12 + " }"

    assert "costs over a billion fields" in refusal_of(query).message


@pytest.mark.parametrize(
    "query",
    [
        "{" + " item" * 3_000 + "}",  # tokens
        "{ item " + "{ parts " * 400 + "{ name }" + " }" * 401,  # levels of text
        "{ nodes(ids: " + "[" * 400 + "]" * 400 + ") { name } }",
        "query($x: " + "[" * 400 + "ID" + "]" * 400 + ") { item { name } }",
        "{ item { name } } fragment F on Item " + "{ parts " * 400 + "{ name }" + " }" * 400,
        "{ item {" + " name" * 900 + "} }",  # repetitions, which validation compares two by two
        "{ item {" + " parts { name }" * 450 + "} }",
        "{ item { name } } fragment F on Item {" + " name" * 1_900 + "}",
        "{ item { name } }" + "," * 900_000,  # characters, of which none or one is a token
        "#" + "x" * 900_000 + "\n{ item { name } }",
        '{ nodes(ids: ["""' + "\n a" * 300_000 + '"""]) { name } }',
    ],
    ids=[
        *("tokens", "selections", "lists", "types", "unused-fragment", "repeats", "repeated-objects"),
        *("unused-repeats", "commas", "comment", "block"),
    ],
)
def test_what_is_too_long_to_be_looked_at_is_refused_soon_and_as_a_limit(query: str):
    engine = shop()
    began = process_time()

    with pytest.raises(RequestRefused) as refused:
        engine.prepare(ask(query))

    assert refused.value.errors[-1].extensions == {"code": "LIMIT_EXCEEDED"}
    assert process_time() - began < 1
