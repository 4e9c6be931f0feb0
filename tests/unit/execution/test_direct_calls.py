"""Direct calls: each resolver is told exactly what Strawberry would tell it."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

import pytest
import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, parse
from graphql.execution import execute  # pyright: ignore[reportUnknownVariableType]
from strawberry.extensions import FieldExtension

from execution.direct_calls import call_directly
from execution.executor import SchemaExecutor


@strawberry.enum
class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.input
class Size:
    wide_enough: int
    colour: Colour | None = None


class Loud(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        return next_(source, info, **kwargs).upper()


@strawberry.type
class Shelf:
    label: str

    @strawberry.field
    def described(self, in_words: str, times: int = 2) -> str:
        return f"{self.label} {in_words!r} {times!r}"


def _told(root: Any, info: strawberry.Info, named_otherwise: int) -> str:
    return repr((root, info.field_name, info.python_name, info.path.key, info.context, named_otherwise))


@strawberry.type
class Query:
    @strawberry.field
    def plain(self, whole_number: int | None = None, text: str = "usual", exact: float | None = 1.5) -> str:
        return repr((self, whole_number, text, exact))

    @strawberry.field
    def coloured(self, colour: Colour, other: Colour | None = Colour.BLUE) -> str:
        return repr((colour, other))

    @strawberry.field
    def sized(self, size: Size | None = None, sizes: list[Size] | None = None, first: int | None = None) -> str:
        return repr((size, sizes, first))

    @strawberry.field
    def maybe(self, colour: strawberry.Maybe[Colour | None] = None) -> str:
        return repr(colour)

    @strawberry.field(extensions=[Loud()])
    def loud(self, text: str) -> str:
        return text

    told: str = strawberry.field(resolver=_told)

    @strawberry.field
    def named(self, source: str, given: str = "usual") -> str:
        return repr((self, source, given))

    @strawberry.field
    async def later(self, text: str) -> str:
        await asyncio.sleep(0)
        return text

    @strawberry.field
    def never(self, text: str) -> str | None:
        raise ValueError(text)

    @strawberry.field
    def shelf(self, key: strawberry.ID) -> Shelf:
        return Shelf(label=repr(key))


def schema() -> GraphQLSchema:
    return strawberry.Schema(query=Query)._schema  # pyright: ignore[reportPrivateUsage]


USUAL, DIRECT = schema(), schema()
call_directly(DIRECT, strawberry.Info)


def answer(of: GraphQLSchema, query: str, variables: dict[str, Any]) -> Any:
    async def run() -> Any:
        result = execute(
            of,
            parse(query),
            root_value="the root",
            context_value="the context",
            variable_values=variables,
            executor_class=SchemaExecutor,
        )
        return (await result if isawaitable(result) else result).formatted

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ plain }", {}),
        ('{ plain(wholeNumber: 3, text: "a", exact: 2) }', {}),
        ("{ plain(wholeNumber: null, exact: null) }", {}),
        ('query($n: Int, $t: String! = "b") { plain(wholeNumber: $n, text: $t) }', {}),
        ("query($n: Int) { plain(wholeNumber: $n) }", {"n": 7}),
        ("query($n: Int) { plain(wholeNumber: $n) }", {"n": None}),
        ("{ coloured(colour: RED) }", {}),
        ("query($c: Colour!, $o: Colour) { coloured(colour: $c, other: $o) }", {"c": "BLUE", "o": None}),
        ("{ sized }", {}),
        ("{ sized(size: null, sizes: null, first: 2) }", {}),
        ("{ sized(size: { wideEnough: 2, colour: RED }, first: 2) }", {}),
        ("query($s: [Size!]) { sized(sizes: $s) }", {"s": [{"wideEnough": 1}]}),
        ("{ maybe }", {}),
        ("{ maybe(colour: null) }", {}),
        ("{ maybe(colour: RED) }", {}),
        ('{ loud(text: "quiet") }', {}),
        ("{ other: told(namedOtherwise: 1) }", {}),
        ('{ named(source: "a", given: "b") }', {}),
        ('{ later(text: "soon") }', {}),
        ('{ never(text: "no") }', {}),
        ('{ shelf(key: 4) { described(inWords: "x") again: described(inWords: "y", times: 3) } }', {}),
        ('{ plain(wholeNumber: "three") }', {}),
        ("{ told }", {}),
    ],
)
def test_a_resolver_is_told_what_strawberry_tells_it(query: str, variables: dict[str, Any]):
    usual = answer(USUAL, query, variables)

    assert answer(DIRECT, query, variables) == usual


def test_fields_that_need_more_than_their_arguments_keep_strawberrys_resolver():
    kept = {name for name, field in _fields(DIRECT).items() if _made_by_strawberry(field.resolve)}

    assert kept == {"maybe", "loud"}


def test_introspection_goes_on_as_before():
    query = '{ __type(name: "Query") { name fields(includeDeprecated: true) { name args { name defaultValue } } } }'

    assert answer(DIRECT, query, {}) == answer(USUAL, query, {})


def _fields(of: GraphQLSchema) -> dict[str, Any]:
    query = of.query_type
    assert isinstance(query, GraphQLObjectType)
    return query.fields


def _made_by_strawberry(resolve: Any) -> bool:
    return "strawberry/schema" in resolve.__code__.co_filename
