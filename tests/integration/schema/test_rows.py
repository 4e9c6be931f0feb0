"""Pages are shown from their records, without objects, and show what objects would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, is_leaf_type

from execution.engine import GraphQLEngine
from execution.limits import Limits
from execution.plans.leaves import leaf_of
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from resolvers.rows import EdgeRows, RecordRows
from schema.build import build_schema
from tests.integration.schema.client import never_ring, serve
from tests.integration.schema.crowd import empty_database, make_crowd
from tests.integration.schema.lists import LISTS, Listed, Reader

SCHEMA = build_schema()
_MOST_DEPTH = 2
# Objects that code finds: they are no part of what was read.
FOUND_BY_CODE = {"Department", "Region"}


@dataclass
class Readers:
    """The same people before the same rows: with compiled plans, and with graphql-core alone."""

    planned: Reader
    plain: Reader


@pytest.fixture(scope="module")
async def readers(_open_database: object) -> AsyncIterator[Readers]:
    crowd = await make_crowd()
    resources = Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=never_ring)
    planned = GraphQLEngine(build_schema(), Limits(), compile_after=1, native_dates=True)
    plain = GraphQLEngine(build_schema(), Limits(), compiled_plans=False)
    async with serve(planned, resources) as with_plans, serve(plain, resources) as without:
        yield Readers(Reader(with_plans, crowd), Reader(without, crowd))
    await empty_database()


def attributes_of(type_name: str, depth: int = 0) -> str:
    """Select everything of a type that is an attribute: leaves, and objects of them."""
    object_type = cast("GraphQLObjectType", SCHEMA.type_map[type_name])
    selected = ["__typename"]
    for name, field in object_type.fields.items():
        kind = cast("Any", field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type)
        if not is_attribute(field):
            continue
        if is_leaf_type(kind) and leaf_of(kind, native_dates=True) is not None:
            selected.append(f"{name} again_{name}: {name}")
        elif isinstance(kind, GraphQLObjectType) and depth < _MOST_DEPTH and kind.name not in FOUND_BY_CODE:
            selected.append(f"{name} {{ {attributes_of(kind.name, depth + 1)} }}")
    return " ".join(selected)


def is_attribute(field: Any) -> bool:
    definition = field.extensions["strawberry-definition"]
    return not field.args and definition.base_resolver is None and not definition.extensions


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lists whose objects were made."""
    made: list[str] = []
    for rows in (RecordRows, EdgeRows):
        objects: Any = rows.objects

        def noted(self: Any, objects: Any = objects, name: str = rows.__name__) -> list[Any]:
            made.append(name)
            return objects(self)

        monkeypatch.setattr(rows, "objects", noted)
    return made


@pytest.mark.parametrize("listed", LISTS, ids=str)
@pytest.mark.parametrize("shown", ["nodes {{ {0} }}", "edges {{ node {{ {0} }} cursor }} pageInfo {{ endCursor }}"])
async def test_a_page_of_attributes_makes_no_object_and_shows_the_same(
    readers: Readers, made: list[str], listed: Listed, shown: str
):
    selection = shown.format(attributes_of(listed.node))

    answer = await readers.planned.ask(listed, selection, first=100)

    assert made == []
    assert listed.connection(answer.data)["nodes" if "nodes" in selection else "edges"]
    # An answer is compared as text: the order of names counts as well.
    assert str(answer.data) == str((await readers.plain.ask(listed, selection, first=100)).data)
    assert made


async def test_who_sees_less_is_shown_less(readers: Readers):
    query = "{ approvals(first: 100) { nodes { number notification { status } } } }"
    crowd = readers.planned.crowd

    operator = await readers.planned.graphql(query, as_=crowd.operator)
    employer = await readers.planned.graphql(query, as_=crowd.employer, of=crowd.company)
    plain = await readers.plain.graphql(query, as_=crowd.employer, of=crowd.company)

    assert operator.data["approvals"]["nodes"][0]["notification"]
    assert str(employer.data) == str(plain.data)


async def test_guarded_values_are_read_from_objects(readers: Readers, made: list[str]):
    query = "{ jobSeekers(first: 5) { nodes { id nir } } }"

    answer = await readers.planned.graphql(query, as_=readers.planned.crowd.operator)

    assert set(made) == {"RecordRows"}
    assert all("••" in node["nir"] or node["nir"] is None for node in answer.data["jobSeekers"]["nodes"])
