"""Fields that decide once: how often they do, whose error a refusal is, and what is not taken for one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from inspect import isawaitable
from operator import attrgetter
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, parse
from graphql.execution import execute  # pyright: ignore[reportUnknownVariableType]: open context
from strawberry.extensions import FieldExtension

from execution.executor import SchemaExecutor
from execution.plans import PlanCache, Read, read_field
from execution.plans.readers import prepare_behind


@dataclass
class Context:
    """`decided`: what was asked of it, once for each decision. `calls`: those of extensions."""

    sizes: list[int] = field(default_factory=lambda: [1, 2, 3])
    may_read: bool = True
    decided: list[str] = field(default_factory=list[str])
    calls: int = 0


class Refused(GraphQLError):
    pass


class Counting(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **arguments: Any) -> Any:
        info.context.calls += 1
        return next_(source, info, **arguments)


def sized(context: Context) -> Read:
    context.decided.append("size")
    if not context.may_read:
        raise Refused("size: not for you", extensions={"code": "FORBIDDEN"})
    return attrgetter("inches")


def only_small(context: Context) -> Read:
    context.decided.append("only small")

    def read(shoe: Any) -> int:
        if shoe.inches > 2:
            raise Refused("too large")
        return shoe.inches

    return read


@strawberry.type
class Shoe:
    inches: strawberry.Private[int]
    size: int | None = read_field(sized, int | None, description="In inches.")
    small: int | None = read_field(only_small, int | None)
    surely: int = read_field(sized, int)


@strawberry.type
class Query:
    @strawberry.field
    def shoes(self, info: strawberry.Info) -> list[Shoe]:
        return [Shoe(inches=inches) for inches in info.context.sizes]


counted = read_field(sized, int)
counted.extensions.append(Counting())


@strawberry.type(name="Shoe")
class CountedShoe:
    inches: strawberry.Private[int]
    size: int = counted


@strawberry.type(name="Query")
class CountingQuery:
    @strawberry.field
    def shoes(self, info: strawberry.Info) -> list[CountedShoe]:
        return [CountedShoe(inches=inches) for inches in info.context.sizes]


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return strawberry.Schema(Query)._schema  # pyright: ignore[reportPrivateUsage]: executed itself


async def run(schema: GraphQLSchema, query: str, context: Any, plans: PlanCache | None) -> ExecutionResult:
    result: Any = execute(schema, parse(query), context_value=context, executor_class=SchemaExecutor, plans=plans)
    return await result if isawaitable(result) else result


async def test_a_plan_decides_once_for_all_rows(schema: GraphQLSchema):
    context, plans = Context(), PlanCache(schema, compile_after=1)

    result = await run(schema, "{ shoes { size small again: size } }", context, plans)

    assert result.data == {
        "shoes": [
            {"size": 1, "small": 1, "again": 1},
            {"size": 2, "small": 2, "again": 2},
            {"size": 3, "small": None, "again": 3},
        ]
    }
    assert context.decided == ["size", "only small", "size"]


async def test_each_operation_decides_anew(schema: GraphQLSchema):
    plans = PlanCache(schema, compile_after=1)
    query = "{ shoes { size } }"

    allowed = [await run(schema, query, Context(), plans) for _ in range(2)]
    refused = await run(schema, query, Context(may_read=False), plans)

    assert [answer.data for answer in allowed] == [{"shoes": [{"size": 1}, {"size": 2}, {"size": 3}]}] * 2
    assert refused.data == {"shoes": [{"size": None}] * 3}


@pytest.mark.parametrize("query", ["{ shoes { size } }", "{ shoes { small } }", "{ shoes { size surely } }"])
async def test_a_refusal_is_the_error_of_each_value(schema: GraphQLSchema, query: str):
    plans = PlanCache(schema, compile_after=1)

    expected = await run(schema, query, Context(may_read=False), None)
    result = await run(schema, query, Context(may_read=False), plans)

    assert [error.formatted for error in result.errors or ()] == [error.formatted for error in expected.errors or ()]
    assert result.data == expected.data
    assert result.errors
    assert plans.compiled == 1


async def test_an_extension_in_front_of_a_reader_is_not_passed_by():
    schema = strawberry.Schema(CountingQuery)._schema  # pyright: ignore[reportPrivateUsage]: as above
    context = Context()

    result = await run(schema, "{ shoes { size } }", context, PlanCache(schema, compile_after=1))

    assert result.data == {"shoes": [{"size": 1}, {"size": 2}, {"size": 3}]}
    assert context.calls == 3


def test_a_wrapper_is_not_taken_for_what_it_wraps():
    resolver = read_field(sized, int).base_resolver.wrapped_func

    @wraps(resolver)
    def wrapper(*arguments: Any) -> Any:
        return resolver(*arguments)

    assert prepare_behind(resolver) is sized
    assert prepare_behind(wrapper) is None
    assert prepare_behind(sized) is None
