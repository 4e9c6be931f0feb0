"""Whole documents by schemathesis: every field at any depth, with arguments of the right types, asked by several kinds
of viewers. test_fuzz.py has what is of the wrong types, and what is no document.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from execution.engine import GraphQLEngine
from schema.build import print_sdl
from tests.factories import make_siret
from tests.security.target import Target, open_target

for name, values in {
    "SIRET": st.sampled_from([make_siret(1), "90210000700019", "1", ""]),
    "NIR": st.sampled_from(["293046912304591", "1", ""]),
    "URL": st.just("https://exemple.test/"),
}.items():
    schemathesis.graphql.scalar(name, values.map(nodes.String))

SCHEMA: Any = schemathesis.graphql.from_file(print_sdl())
RESULTS: list[Any] = list(SCHEMA.get_all_operations())
OPERATIONS: dict[str, Any] = {operation.label: operation for operation in (result.ok() for result in RESULTS)}
EXAMPLES = settings.default.max_examples if settings.default is not None else 100


@pytest.fixture(scope="module")
async def target(_open_database: object, engine: GraphQLEngine) -> AsyncIterator[Target]:
    async with open_target(engine) as target:
        yield target


@pytest.mark.parametrize("label", OPERATIONS)
@settings(
    max_examples=max(EXAMPLES // 20, 1),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_no_document_of_the_schema_makes_the_server_fail(target: Target, label: str, data: st.DataObject):
    case = data.draw(OPERATIONS[label].as_strategy())
    asker = data.draw(st.integers(0, len(target.askers) - 1))

    await target.send({"query": case.body}, asker=asker)


def test_every_root_field_is_asked():
    fields = {f"{root}.{name}" for root in SCHEMA for name in SCHEMA[root]}

    assert set(OPERATIONS) == fields
    assert len(fields) > 40
