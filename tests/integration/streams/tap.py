"""A small schema whose events come when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry

from resolvers.context import Resources
from resolvers.errors import APIError
from schema.info import Info


class StreamOver(APIError):
    code = "RESUME"


@dataclass
class Tap:
    """Where the events of these tests come from, what they count, and what they hold back."""

    listeners: set[asyncio.Queue[Any]] = field(default_factory=set[asyncio.Queue[Any]])
    resolved: int = 0
    counter: int = 0
    waiting: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def emit(self, name: str, key: Any = None) -> None:
        for listener in self.listeners:
            listener.put_nowait((name, key))

    async def is_heard_by(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.listeners) != count:  # noqa: ASYNC110 - clients come and go in their own time
                await asyncio.sleep(0.01)

    async def holds(self, count: int) -> None:
        """Wait until so many operations wait at the gate."""
        async with asyncio.timeout(10):
            while self.waiting != count:  # noqa: ASYNC110 - they begin in their own time
                await asyncio.sleep(0.01)

    async def pass_gate(self) -> None:
        self.waiting += 1
        try:
            await self.gate.wait()
        finally:
            self.waiting -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TapResources(Resources):
    tap: Tap


def tap_of(info: Info) -> Tap:
    resources = info.context.resources
    assert isinstance(resources, TapResources)
    return resources.tap


async def load_counter(info: Info) -> int:
    """Through a loader, which remembers."""

    async def load(keys: list[Any]) -> list[Any]:
        return [tap_of(info).counter for _ in keys]

    return await info.context.loader("counter", load).load("counter")


@strawberry.type
class Drop:
    name: str
    key: strawberry.Private[Any]

    @strawberry.field
    async def seen_by(self, info: Info) -> str:
        tap_of(info).resolved += 1
        await asyncio.sleep(0)
        return str(info.context.viewer.user_id)

    @strawberry.field
    async def nir(self, info: Info) -> str:
        info.context.personal_reads.add((UUID(int=7), "nir"))
        return "shown"

    @strawberry.field
    async def counter(self, info: Info) -> int:
        return await load_counter(info)


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"

    @strawberry.field
    def whoami(self, info: Info) -> str | None:
        return str(info.context.viewer.user_id) if info.context.viewer.user_id else None

    @strawberry.field
    async def counter(self, info: Info) -> int:
        return await load_counter(info)

    @strawberry.field
    def fails(self) -> str:
        raise ValueError("2 69 05 49 588 157 80")

    @strawberry.field
    async def slow(self, info: Info) -> str:
        await tap_of(info).pass_gate()
        return "at last"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def bump(self, info: Info) -> int:
        tap_of(info).counter += 1
        return tap_of(info).counter

    @strawberry.mutation
    async def slow_bump(self, info: Info) -> int:
        await tap_of(info).pass_gate()
        tap_of(info).counter += 1
        return tap_of(info).counter


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def drops(self, info: Info) -> AsyncGenerator[Drop, None]:
        tap = tap_of(info)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        tap.listeners.add(queue)
        try:
            while True:
                name, key = await queue.get()
                if name == "over":
                    raise StreamOver("resume with your cursor")
                if name == "fail":
                    raise ValueError("2 69 05 49 588 157 80")
                if name == "end":
                    return
                yield Drop(name=name, key=key)
        finally:
            tap.listeners.discard(queue)


tap_schema = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)._schema  # pyright: ignore[reportPrivateUsage]: the engine runs graphql-core's schema
