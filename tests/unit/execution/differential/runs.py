"""One run of an operation, and everything of it that can be seen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import orjson
from graphql import DocumentNode, ExecutionResult, GraphQLSchema
from graphql.execution import execute  # pyright: ignore[reportUnknownVariableType]: open context

from execution.executor import SchemaExecutor
from execution.plans import PlanCache
from tests.unit.execution.differential.outcomes import World


@dataclass(frozen=True)
class Seen:
    """`answer` is the JSON that a client receives; `calls` what was called, in order, also after it."""

    answer: bytes
    originals: tuple[str, ...]
    calls: tuple[str, ...]


async def run(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: Mapping[str, Any],
    world: World,
    root: Any,
    plans: PlanCache | None,
) -> Seen:
    before = asyncio.all_tasks()
    result: Any = execute(
        schema,
        document,
        root_value=root,
        context_value=world,
        variable_values=dict(variables),
        executor_class=SchemaExecutor,
        plans=plans,
    )
    if isawaitable(result):
        result = await result
    # What was left to end in the background is part of the behaviour.
    while left := asyncio.all_tasks() - before:
        await asyncio.wait(left)
    world.close()
    return Seen(_answer(result), tuple(_originals(result)), tuple(world.calls))


def _answer(result: ExecutionResult) -> bytes:
    errors = [error.formatted for error in result.errors or ()]
    text = orjson.dumps({"errors": errors, "data": result.data}, default=repr, option=orjson.OPT_NON_STR_KEYS)
    # Scalars that show anything as text show where it lies in memory.
    return re.sub(rb" at 0x[0-9a-f]+", b"", text)


def _originals(result: ExecutionResult) -> list[str]:
    return [type(error.original_error).__name__ for error in result.errors or ()]
