"""A small schema for the engine to run: it knows GraphQL and no domain, so its tests do not either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from execution.engine import GraphQLEngine, OperationRequest
from execution.limits import Limits

SHELVES = 40


@strawberry.type
class Item:
    name: str

    @strawberry.field
    def parts(self) -> list[Item]:
        return []

    @strawberry.field
    def items(self, first: int | None = None, last: int | None = None) -> ItemConnection:
        return _page(first or last or 0)


@strawberry.type
class PageInfo:
    has_next_page: bool


@strawberry.type
class ItemConnection:
    nodes: list[Item]
    page_info: PageInfo


def _page(size: int) -> ItemConnection:
    return ItemConnection(nodes=[Item(name="chair") for _ in range(size)], page_info=PageInfo(has_next_page=False))


@strawberry.type
class Query:
    @strawberry.field
    def item(self) -> Item:
        return Item(name="chair")

    @strawberry.field
    def items(self, first: int | None = None, last: int | None = None) -> ItemConnection:
        return _page(first or last or 1)

    @strawberry.field
    def nodes(self, ids: list[strawberry.ID]) -> list[Item]:
        return [Item(name=str(id)) for id in ids]  # noqa: A001 (the argument's name in the API)

    @strawberry.field
    def shelves(self) -> list[Item]:
        return [Item(name=str(number)) for number in range(SHELVES)]

    @strawberry.field
    async def never(self) -> str:
        await asyncio.Event().wait()
        return "unreachable"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def sell(self) -> bool:
        return True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def sold(self) -> AsyncGenerator[str, None]:
        yield "chair"


def shop_schema(*, hide_suggestions: bool = False) -> GraphQLSchema:
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(disable_field_suggestions=hide_suggestions),
    )._schema  # pyright: ignore[reportPrivateUsage]: the engine runs graphql-core's schema
    query = schema.type_map["Query"]
    assert isinstance(query, GraphQLObjectType)
    query.fields["shelves"].extensions["rows"] = SHELVES
    return schema


def shop(limits: Limits | None = None, *, cache_size: int = 500, hide_suggestions: bool = False) -> GraphQLEngine:
    return GraphQLEngine(
        shop_schema(hide_suggestions=hide_suggestions),
        limits or Limits(),
        cache_size=cache_size,
        hide_suggestions=hide_suggestions,
    )


def ask(query: str, operation_name: str | None = None, **variables: Any) -> OperationRequest:
    return OperationRequest(query=query, operation_name=operation_name, variables=variables)
