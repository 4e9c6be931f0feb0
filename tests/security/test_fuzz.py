"""Whatever is passed to whichever field: an answer or a refusal, never an accident.

Documents are made of the schema itself, so that a new field or argument is tried the day it is added.
`HYPOTHESIS_PROFILE=thorough` tries twenty times as many.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    parse,
    validate,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from execution.engine import GraphQLEngine
from execution.types import named_type
from models.enums import Title
from schema.build import build_schema
from tests.factories import NOW, make_nir, make_siret
from tests.security.target import SIGNER, Target, open_target

SCHEMA = build_schema()
ROOTS: dict[str, GraphQLObjectType] = {
    name: kind for name in ("Query", "Mutation") if isinstance(kind := SCHEMA.type_map[name], GraphQLObjectType)
}
FIELDS = [(root, name) for root, kind in ROOTS.items() for name in kind.fields]
EXAMPLES = settings.default.max_examples if settings.default is not None else 100


@pytest.fixture(scope="module")
async def target(_open_database: object, engine: GraphQLEngine) -> AsyncIterator[Target]:
    async with open_target(engine) as target:
        yield target


# -- values

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["", "\x00", "%", "_", "\\", "'", '"', "👩‍👩‍👧", "\u202e", "null", "{t}", ":viewer_id", "$1", "x" * 5_000]
)
integers = st.integers(-(2**31), 2**31 - 1) | st.integers() | st.sampled_from([0, 1, 100, 101, -1, 2**63, 10**25])
junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below, max_size=3),
    max_leaves=5,
)
days = st.dates().map(str) | st.sampled_from(
    ["0001-01-01", "9999-12-31", "2026-02-30", "2026-W01-1", "20260101", "+2026"]
)
instants = st.datetimes(timezones=st.timezones() | st.none()).map(lambda moment: moment.isoformat()) | st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00+99:99",
        "2026-01-01 00:00:00Z",
    ]
)
# What fields of text are for, on this platform: so that values get past the first check.
french = st.sampled_from(
    [
        make_siret(1),
        make_nir(Title.MME, date(1993, 4, 12), 900_001),
        "1234567A",
        "57000",
        "57463",
        "99100",
        "personne@exemple.test",
        "0600000000",
        "Élodie",
        "8899B",
    ]
)


MEMBERS = ("query", "documentId", "variables", "operationName", "extensions")
PERSISTED: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"persistedQuery": st.fixed_dictionaries({}, optional={"version": junk, "sha256Hash": junk})}
)
HEADERS = ("authorization", "accept", "content-type", "content-encoding", "content-length", "x-request-id", "origin")
WELL_FORMED = st.sampled_from(
    [
        "Bearer ",
        "Bearer a.b.c",
        "application/json;q=nan",
        "*/*;q=1e999",
        "text/event-stream;q=0",
        "gzip",
        "-1",
        "٣",
        "null",
    ]
)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


forged_ids = st.builds(
    _base64,
    texts | st.builds("{}:{}".format, st.sampled_from(["Company", "JobSeeker", "Nothing", ""]), st.uuids() | texts),
)
cursors = st.builds(
    SIGNER.encode,
    st.sampled_from(["JobSeeker:newest", "JobApplication:newest", "Approval:newest", "Company:name"]),
    st.tuples(st.just(NOW.isoformat()) | days | texts, st.uuids().map(str)),
)


def values_of(kind: Any, ids: list[str]) -> st.SearchStrategy[Any]:
    """Values for an input type: most of them of its form, some of no form at all."""
    formed = _formed(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, ids)
    # Simple values come first and most often: the junk is at the far end, for the many fields of an input to pass.
    return st.integers(0, 40).flatmap(lambda chance: junk if chance == 40 else st.none() if chance == 39 else formed)


def _formed(kind: Any, ids: list[str]) -> st.SearchStrategy[Any]:
    if isinstance(kind, GraphQLList):
        return st.lists(values_of(kind.of_type, ids), max_size=4)
    if isinstance(kind, GraphQLEnumType):
        return st.sampled_from(list(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return _objects(kind, ids)
    scalars: dict[str, st.SearchStrategy[Any]] = {
        "ID": st.integers(0, 9).flatmap(lambda chance: forged_ids if chance == 9 else st.sampled_from(ids)),
        "Int": st.integers(1, 100) | integers,
        "Float": st.floats(-90, 90) | st.floats(allow_nan=False, allow_infinity=False),
        "Boolean": st.booleans(),
        "Date": days,
        "DateTime": instants,
        "SIRET": french | texts,
    }
    return scalars.get(kind.name, texts | french | cursors)


def _objects(kind: GraphQLInputObjectType, ids: list[str]) -> st.SearchStrategy[Any]:
    required = {name: field for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
    optional = {name: field for name, field in kind.fields.items() if name not in required}
    return st.fixed_dictionaries(
        {name: values_of(field.type, ids) for name, field in required.items()},
        optional={name: values_of(field.type, ids) for name, field in optional.items()},
    )


# -- documents


def document(root: str, name: str, field: GraphQLField) -> str:
    declared = ", ".join(f"${argument}: {given_type.type}" for argument, given_type in field.args.items())
    passed = ", ".join(f"{argument}: ${argument}" for argument in field.args)
    kind = named_type(field.type)
    selected = f" {{ {_selected(kind)} }}" if not _is_leaf(kind) else ""
    head = f"{root.lower()}({declared})" if declared else root.lower()
    return f"{head} {{ {name}{f'({passed})' if passed else ''}{selected} }}"


def _is_leaf(kind: Any) -> bool:
    return not hasattr(kind, "fields") and not hasattr(kind, "types")


def _selected(kind: Any) -> str:
    """What is sure to be there, and of pages everything that has to be worked for."""
    fields = getattr(kind, "fields", {})
    if "pageInfo" in fields:
        return "totalCount pageInfo { hasNextPage endCursor } nodes { id } edges { cursor node { id } }"
    return "__typename id" if "id" in fields else "__typename"


fuzzed = settings(
    max_examples=3 * EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@fuzzed
@given(data=st.data())
async def test_no_argument_of_any_field_makes_the_server_fail(target: Target, data: st.DataObject):
    root, name = data.draw(st.sampled_from(FIELDS))
    field = ROOTS[root].fields[name]
    ids = target.ids_for(name)
    variables = {argument: data.draw(values_of(given_type.type, ids)) for argument, given_type in field.args.items()}

    await target.send({"query": document(root, name, field), "variables": variables})


@settings(fuzzed, max_examples=EXAMPLES * 3 // 2)
@given(
    cursor=cursors | texts | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    data=st.data(),
)
async def test_no_cursor_makes_the_server_fail(target: Target, cursor: str, data: st.DataObject):
    name = data.draw(st.sampled_from(["jobSeekers", "jobApplications", "approvals", "participations"]))
    way = data.draw(
        st.sampled_from(["after: $c", "before: $c", "last: 2, before: $c", "first: 2, after: $c, before: $c"])
    )

    await target.send(
        {"query": f"query($c: String) {{ {name}({way}) {{ nodes {{ id }} }} }}", "variables": {"c": cursor}}
    )


@settings(fuzzed, max_examples=EXAMPLES)
@given(text=st.sampled_from([document(root, name, ROOTS[root].fields[name]) for root, name in FIELDS]), data=st.data())
async def test_no_damage_to_a_document_makes_the_server_fail(target: Target, text: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    inserted = data.draw(
        texts | st.sampled_from(["{", "}", "...", "@include(if: true)", "@skip(if: $x)", "!", "$", "#"])
    )

    await target.send({"query": text[:start] + inserted + text[end:]})


@settings(fuzzed, max_examples=EXAMPLES)
@given(body=st.dictionaries(st.sampled_from([*MEMBERS, "\ud800"]) | texts, junk | PERSISTED))
async def test_no_body_makes_the_server_fail(target: Target, body: dict[str, Any]):
    await target.send(body)


@settings(fuzzed, max_examples=EXAMPLES)
@given(headers=st.dictionaries(st.sampled_from(HEADERS), texts | WELL_FORMED), by_get=st.booleans())
async def test_no_header_makes_the_server_fail(target: Target, headers: dict[str, str], by_get: bool):
    # As bytes: what a client sends need not be text.
    sent = [(name.encode(), value.encode()[:8_000]) for name, value in headers.items()]
    request = target.graphql.http.build_request(
        "GET" if by_get else "POST",
        "/graphql",
        params={"query": "{ viewer { kind } }"} if by_get else None,
        json=None if by_get else {"query": "{ viewer { kind } }"},
        headers=sent,
    )

    with capture_logs() as logs:
        response = await target.graphql.http.send(request)

    assert response.status_code in (200, 400, 401, 406, 413, 415), response.text
    assert response.headers["content-type"].split(";")[0] in (
        "application/json",
        "application/graphql-response+json",
        "text/html",
    )
    assert [line for line in logs if line["log_level"] in ("error", "critical")] == []


@settings(fuzzed, max_examples=EXAMPLES)
@given(parameters=st.dictionaries(st.sampled_from(MEMBERS), texts | junk.map(json.dumps) | PERSISTED.map(json.dumps)))
async def test_no_address_makes_the_server_fail(target: Target, parameters: dict[str, str]):
    response = await target.graphql.http.get("/graphql", params=parameters)

    assert response.status_code in (200, 400, 405), response.text
    assert "INTERNAL" not in response.text


def test_the_documents_are_valid():
    for root, name in FIELDS:
        assert validate(SCHEMA, parse(document(root, name, ROOTS[root].fields[name]))) == [], name
