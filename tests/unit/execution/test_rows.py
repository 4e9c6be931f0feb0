"""Rows: shown without being made where attributes are all that is asked for, and as objects everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, GraphQLSchema, parse
from graphql.execution import execute  # pyright: ignore[reportUnknownVariableType]: open context
from strawberry.permission import BasePermission

from execution.executor import SchemaExecutor
from execution.plans import PlanCache
from execution.rows import Rows, Shape


class Never(BasePermission):
    message = "never"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:  # noqa: ARG002 - whoever asks
        return False


@strawberry.enum
class Kind(Enum):
    NOVEL = 1


@strawberry.type
class Author:
    name: str


@strawberry.type
class Book:
    name: str
    printed_on: date | None = None
    kind: Kind = Kind.NOVEL
    author: Author | None = None
    tags: list[str] = strawberry.field(default_factory=lambda: ["a"])

    @strawberry.field
    def title(self, prefix: str = "") -> str:
        return prefix + self.name

    @strawberry.field(permission_classes=[Never])
    def secret(self) -> str | None:
        return self.name


@strawberry.type
class Library:
    books: list[Book]
    shelves: list[list[Book]]


class Shown(Rows):
    """Rows that say what they were asked for. `answered`: what they answer, or None."""

    def __init__(self, books: list[Book], answered: Callable[[Shape], list[Any] | None]) -> None:
        self._books = books
        self._answered = answered
        self.shapes: list[Shape] = []
        self.made = 0

    def objects(self) -> list[Book]:
        self.made += 1
        return self._books

    def answers(self, shape: Shape) -> list[Any] | None:
        self.shapes.append(shape)
        return self._answered(shape)


@strawberry.type
class Query:
    @strawberry.field
    def library(self, info: strawberry.Info) -> Library:
        return Library(books=info.context, shelves=[info.context])

    @strawberry.field
    def books(self, info: strawberry.Info) -> list[Book]:
        return info.context


SCHEMA: GraphQLSchema = strawberry.Schema(Query)._schema  # pyright: ignore[reportPrivateUsage]: executed itself


def run(query: str, rows: Rows, *, with_plans: bool = True) -> dict[str, Any]:
    plans = PlanCache(SCHEMA, compile_after=1) if with_plans else None
    result = execute(SCHEMA, parse(query), context_value=rows, executor_class=SchemaExecutor, plans=plans)
    assert isinstance(result, ExecutionResult)
    assert plans is None or not plans.faults
    formatted: dict[str, Any] = dict(result.formatted)
    return formatted


def two_books() -> list[Book]:
    return [Book(name="b1", author=Author(name="a"), printed_on=date(2026, 2, 18)), Book(name="b2")]


def test_a_plan_that_reads_attributes_alone_shows_finished_answers():
    rows = Shown(two_books(), lambda _: [{"finished": 1}])

    shown = run("{ library { books { n: name printedOn kind __typename author { __typename name } } } }", rows)

    assert shown == {"data": {"library": {"books": [{"finished": 1}]}}}
    assert not rows.made


def test_a_shape_tells_what_is_shown_and_how():
    rows = Shown(two_books(), lambda _: [])

    run("{ library { books { n: name printedOn kind __typename author { name } } } }", rows)

    [shape] = rows.shapes
    assert shape.value_class is Book
    assert shape.names == ("n", "printedOn", "kind", "__typename", "author")
    assert shape.texts == {"__typename": "Book"}
    by_name = {field.name: field for field in shape.fields}
    assert {name: (field.attribute, field.is_nullable) for name, field in by_name.items()} == {
        "n": ("name", False),
        "printedOn": ("printed_on", True),
        "kind": ("kind", False),
        "author": ("author", True),
    }
    kind, author = by_name["kind"], by_name["author"]
    assert kind.leaf is not None
    assert kind.leaf.uses["names"] == {Kind.NOVEL: "NOVEL"}
    assert author.below is not None
    assert author.below.value_class is Author
    assert author.leaf is None


def test_each_operation_remembers_its_shape():
    rows, document = Shown(two_books(), lambda _: []), parse("{ library { books { name } } }")
    plans = PlanCache(SCHEMA, compile_after=1)

    for _ in range(3):
        execute(SCHEMA, document, context_value=rows, executor_class=SchemaExecutor, plans=plans)

    assert len(rows.shapes) == 3
    assert len({id(shape) for shape in rows.shapes}) == 1


@pytest.mark.parametrize(
    "selection", ["name title", 'name title(prefix: "x")', "name secret", "name tags", "name author { name } secret"]
)
def test_what_must_be_asked_or_guarded_is_asked_of_the_objects(selection: str):
    rows = Shown(two_books(), lambda _: [{"name": "never shown"}])
    query = f"{{ library {{ books {{ {selection} }} }} }}"

    shown = run(query, rows)

    assert not rows.shapes
    assert rows.made == 1
    assert shown == run(query, rows, with_plans=False)


@pytest.mark.parametrize("query", ["{ library { books { name kind } } }", "{ library { shelves { name } } }"])
def test_rows_that_have_no_answer_make_objects(query: str):
    rows = Shown(two_books(), lambda _: None)

    shown = run(query, rows)

    assert rows.made == 1
    assert shown == run(query, rows, with_plans=False)
    assert "b2" in str(shown)


def test_a_field_of_the_root_may_return_rows():
    rows = Shown(two_books(), lambda _: None)

    assert run("{ books { name } }", rows) == {"data": {"books": [{"name": "b1"}, {"name": "b2"}]}}


def test_whoever_iterates_gets_objects():
    rows = Shown(two_books(), lambda _: None)

    assert [book.name for book in rows] == ["b1", "b2"]
    assert not rows.shapes
