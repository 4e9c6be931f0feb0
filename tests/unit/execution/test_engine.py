"""The engine: what it remembers, what it refuses, and that it ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from graphql import ExecutionResult
from hypothesis import given
from hypothesis import strategies as st

from execution.engine import MAX_CACHED_TEXT, MAX_ECHO, GraphQLEngine, MutationByGet, RequestRefused
from tests.unit.execution.shop import ask, shop

CHAIR = "{ item { name } }"


async def run(engine: GraphQLEngine, query: str, **variables: Any) -> ExecutionResult:
    return await engine.execute(ask(query, **variables), None, deadline_seconds=5)


def refused(engine: GraphQLEngine, query: str, operation_name: str | None = None) -> tuple[str, str]:
    with pytest.raises(RequestRefused) as refusal:
        engine.prepare(ask(query, operation_name))
    error = refusal.value.errors[0]
    assert error.extensions is not None
    return error.extensions["code"], error.message


# -- what it remembers


async def test_a_document_is_parsed_and_validated_once():
    engine = shop()

    results = [await run(engine, CHAIR) for _ in range(5)]

    assert [result.data for result in results] == [{"item": {"name": "chair"}}] * 5
    assert (engine.cache_misses, engine.cache_hits) == (1, 4)
    assert engine.prepare(ask(CHAIR))[0] is engine.prepare(ask(CHAIR))[0]


async def test_other_variables_find_the_same_document():
    engine = shop()
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { name } }"

    one = await run(engine, query, ids=["a"])
    two = await run(engine, query, ids=["b", "c"])

    assert one.data == {"nodes": [{"name": "a"}]}
    assert two.data == {"nodes": [{"name": "b"}, {"name": "c"}]}
    assert (engine.cache_misses, engine.cache_hits) == (1, 1)


def test_a_remembered_document_costs_each_time_what_its_variables_ask_for():
    query = """
    query Sized($first: Int = 3) { items(first: $first) { nodes { name } } item { name } }
    query Listed($ids: [ID!]!) { nodes(ids: $ids) { name } }
    """
    asked: list[tuple[str, dict[str, Any]]] = [
        ("Sized", {}),
        ("Sized", {"first": None}),
        ("Sized", {"first": 0}),
        ("Sized", {"first": 2}),
        ("Sized", {"first": 2, "declared": "nowhere"}),
        ("Sized", {"first": 80}),
        ("Listed", {"ids": ["a"]}),
        ("Listed", {"ids": ["a", "b"]}),
        *(("Sized", {"first": size}) for size in range(100)),
    ]
    engine = shop()
    costs: list[int] = []

    def cost_of(asking: GraphQLEngine, name: str, variables: dict[str, Any]) -> int:
        asking.prepare(ask(query, name, **variables), lambda cost, _: costs.append(cost))
        return costs.pop()

    for name, variables in [*asked, *reversed(asked)]:
        assert cost_of(engine, name, variables) == cost_of(shop(), name, variables)


def test_a_document_with_errors_is_remembered_with_them():
    engine = shop()

    first = refused(engine, "{ chair }")
    second = refused(engine, "{ chair }")

    assert first == second
    assert (engine.cache_misses, engine.cache_hits) == (1, 1)


def test_the_memory_is_bounded_and_forgets_what_was_not_used_for_longest():
    engine = shop(cache_size=3)
    texts = [f"{{ item {{ name }} }} # {number}" for number in range(4)]
    for text in texts[:3]:
        engine.prepare(ask(text))
    engine.prepare(ask(texts[0]))

    engine.prepare(ask(texts[3]))

    assert engine.cache_misses == 4
    engine.prepare(ask(texts[0]))
    assert engine.cache_misses == 4, "used a moment ago, yet forgotten"
    engine.prepare(ask(texts[1]))
    assert engine.cache_misses == 5, "the fourth document should have pushed this one out"


def test_long_texts_are_not_kept():
    engine = shop()
    long = CHAIR + " " * MAX_CACHED_TEXT

    engine.prepare(ask(long))
    engine.prepare(ask(long))

    assert (engine.cache_misses, engine.cache_hits) == (2, 0)


# -- which operation


def test_several_operations_need_a_name():
    query = "query A { item { name } } query B { item { parts { name } } }"
    engine = shop()

    _, operation = engine.prepare(ask(query, "B"))

    assert operation.name is not None
    assert operation.name.value == "B"
    assert refused(engine, query) == (
        "BAD_USER_INPUT",
        "operationName: missing, although the document has several operations",
    )
    assert refused(engine, query, "C") == ("BAD_USER_INPUT", 'operationName: no operation "C" in the document')


def test_a_long_name_is_not_echoed_in_full():
    _, message = refused(shop(), "query A { item { name } }", "x" * 100_000)

    assert len(message) < MAX_ECHO + 100


@pytest.mark.parametrize(
    "query", ["", "   ", "{", "{ item { name } } }", "type A { b: Int }", "\ufeff", "fragment F on Item { name }"]
)
def test_what_is_no_executable_document_is_refused(query: str):
    code, _ = refused(shop(), query)

    assert code == "BAD_USER_INPUT"


async def test_a_query_by_get_runs_and_a_mutation_does_not():
    engine = shop()

    result = await engine.execute(ask(CHAIR), None, deadline_seconds=5, only_queries=True)

    assert result.data == {"item": {"name": "chair"}}
    with pytest.raises(MutationByGet):
        await engine.execute(ask("mutation { sell }"), None, deadline_seconds=5, only_queries=True)


async def test_a_subscription_is_refused_with_a_reason():
    with pytest.raises(RequestRefused) as refusal:
        await shop().execute(ask("subscription { sold }"), None, deadline_seconds=5)

    assert "subscriptions need" in refusal.value.errors[0].message


# -- what it says of errors


async def test_variables_that_do_not_fit_are_a_refusal_and_nothing_runs():
    with pytest.raises(RequestRefused) as refusal:
        await run(shop(), "query($n: Int) { items(first: $n) { nodes { name } } }", n="many")

    assert refusal.value.errors[0].path is None


async def test_of_variables_that_are_wrong_all_over_only_a_few_errors_are_told():
    with pytest.raises(RequestRefused) as refusal:
        await run(shop(), "query($ids: [ID!]!) { nodes(ids: $ids) { name } }", ids=[{"at": "all"}] * 5_000)

    assert len(refusal.value.errors) < 10


@pytest.mark.parametrize("query", ["{ itm { name } }", "{ item { nam } }", "{ items(frst: 1) { nodes { name } } }"])
def test_names_are_proposed_unless_suggestions_are_hidden(query: str):
    _, with_suggestions = refused(shop(), query)
    _, without = refused(shop(hide_suggestions=True), query)

    assert "Did you mean" in with_suggestions
    assert "Did you mean" not in without


# -- that it ends


async def test_an_operation_ends_at_its_deadline():
    with pytest.raises(TimeoutError):
        await shop().execute(ask("{ never }"), None, deadline_seconds=0.01)


async def test_a_cancelled_request_cancels_its_operation():
    task = asyncio.create_task(shop().execute(ask("{ never }"), None, deadline_seconds=60))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@given(st.text(max_size=200))
def test_no_text_makes_it_fail(query: str):
    with pytest.raises(RequestRefused):
        shop_of_all_texts.prepare(ask(query))


@given(st.text(alphabet='{}()[]:!$@.#"\\ \n,abitemsnodesfirst019', max_size=80))
def test_no_text_that_looks_like_graphql_makes_it_fail(query: str):
    with suppress(RequestRefused):
        shop_of_all_texts.prepare(ask(query))


shop_of_all_texts = shop()
