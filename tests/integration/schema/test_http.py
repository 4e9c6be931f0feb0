"""GraphQL over HTTP: what is asked in which form, and with which status and body it is answered."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from time import process_time
from typing import Any

import httpx
import pytest
from graphql import build_client_schema, get_introspection_query

from execution.engine import GraphQLEngine
from execution.limits import Limits
from models.enums import UserKind
from resolvers.context import Resources
from schema.build import build_schema
from schema.http import EndpointConfig, GraphQLEndpoint
from services.tokens import TokenVerifier
from tests.factories import make_user
from tests.integration.schema.client import AUDIENCE, CONFIG, HS256_KEY, ISSUER, GraphQLClient, serve

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
REGIONS = '{ department(code: "57") { name } }'
FOUND = {"data": {"department": {"name": "Moselle"}}}
BAD_QUERY = "{ department(code: ) { name } }"
REFUSING_FIELD = "{ department { name } }"
ANONYMOUS_ONLY_ERROR = "{ viewer { kind } }"


@pytest.fixture
async def http(engine: GraphQLEngine, resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    # Nobody signs in here and departments are a table of the program: no database is needed.
    async with serve(engine, resources) as client:
        yield client.http


@pytest.fixture
async def production(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    engine = GraphQLEngine(build_schema(hide_suggestions=True), Limits(), hide_suggestions=True)
    async with serve(engine, resources, config=replace(CONFIG, is_production=True)) as client:
        yield client.http


def assert_refused(response: httpx.Response, status: int, code: str = "BAD_USER_INPUT") -> str:
    """A refusal is JSON with a typed error and without data, whatever was asked."""
    body = response.json()
    assert response.status_code == status, body
    assert "data" not in body
    assert [error["extensions"]["code"] for error in body["errors"]] == [code]
    assert response.headers["content-type"].split(";")[0] in (JSON, GRAPHQL)
    return body["errors"][0]["message"]


# -- content negotiation


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, GRAPHQL),
        ("", GRAPHQL),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        ("Application/JSON", JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{JSON};q=0.1, {GRAPHQL}", GRAPHQL),
        (f"{JSON}, {GRAPHQL};q=0.5", JSON),
        (f"{GRAPHQL};charset=utf-8, text/html", GRAPHQL),
        (f"{GRAPHQL};q=0, {JSON}", JSON),
        ("text/html, */*;q=0.1", JSON),
    ],
)
async def test_the_answer_has_the_media_type_that_was_asked_for(
    http: httpx.AsyncClient, accept: str | None, answered: str
):
    request = http.build_request("POST", "/graphql", json={"query": REGIONS}, headers={"Accept": accept or ""})
    if accept is None:
        del request.headers["Accept"]

    response = await http.send(request)

    assert (response.status_code, response.json()) == (200, FOUND)
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "Accept" in response.headers["vary"]


@pytest.mark.parametrize(
    "accept", ["text/html", "image/png", f"{JSON};q=0", "*/*;q=0", f"{JSON};q=none", f"{JSON};q=nan", ";;,,", "\xff"]
)
async def test_a_media_type_that_is_not_spoken_is_refused(http: httpx.AsyncClient, accept: str):
    response = await http.post("/graphql", json={"query": REGIONS}, headers=[(b"Accept", accept.encode("latin-1"))])

    assert GRAPHQL in assert_refused(response, 406)


# -- statuses under both media types


@pytest.mark.parametrize(
    ("query", "under_json", "under_graphql"),
    [
        (REGIONS, 200, 200),
        (REFUSING_FIELD, 200, 200),  # ran, and a field says no
        (ANONYMOUS_ONLY_ERROR, 200, 200),
        (BAD_QUERY, 200, 400),
        ("{ departement { name } }", 200, 400),
        ("query($code: String!) { department(code: $code) { name } }", 200, 400),
        ("query A { departments { code } } query B { departments { code } }", 200, 400),
        ("fragment F on Department { code }", 200, 400),
        ("{ department(code: $unknown) { name } }", 200, 400),
        ("subscription { nothing }", 200, 400),
    ],
)
async def test_only_the_newer_media_type_tells_a_refusal_by_its_status(
    http: httpx.AsyncClient, query: str, under_json: int, under_graphql: int
):
    older = await http.post("/graphql", json={"query": query}, headers={"Accept": JSON})
    newer = await http.post("/graphql", json={"query": query}, headers={"Accept": GRAPHQL})

    assert (older.status_code, newer.status_code) == (under_json, under_graphql)
    refused = under_graphql == 400
    for answer in (older, newer):
        assert ("data" in answer.json()) is not refused, "a refusal has no data, not even null"
        assert all(error["extensions"]["code"] for error in answer.json().get("errors", []))


# -- methods


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"])
async def test_other_methods_are_not_accepted(http: httpx.AsyncClient, method: str):
    response = await http.request(method, "/graphql", json={"query": REGIONS})

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    if method != "HEAD":
        assert_refused(response, 405)


async def test_a_query_by_get_is_answered(http: httpx.AsyncClient):
    query = "query Named($code: String) { department(code: $code) { name } } query Other { departments { code } }"
    parameters = {"query": query, "operationName": "Named", "variables": '{"code": "57"}', "extensions": "{}"}

    response = await http.get("/graphql", params=parameters)

    assert (response.status_code, response.json()) == (200, FOUND)


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_mutation_by_get_is_not_run(http: httpx.AsyncClient, accept: str):
    response = await http.get(
        "/graphql", params={"query": 'mutation { cancelApproval(id: "x") { __typename } }'}, headers={"Accept": accept}
    )

    assert_refused(response, 405)
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": "  "},
        {"query": REGIONS, "variables": "{"},
        {"query": REGIONS, "variables": "[]"},
        {"query": REGIONS, "variables": "1" * 5_000},
        {"query": REGIONS, "variables": "[" * 5_000},
        {"query": REGIONS, "extensions": "null]"},
        {"query": REGIONS, "extensions": '"text"'},
    ],
)
async def test_a_get_with_wrong_parameters_is_refused(http: httpx.AsyncClient, parameters: dict[str, str]):
    assert_refused(await http.get("/graphql", params=parameters), 400)


async def test_undecodable_bytes_in_a_url_are_no_fault_of_the_server(http: httpx.AsyncClient):
    response = await http.get("/graphql?query=%ff%fe%ed%a0%80&variables=%ff&operationName=%ed%a0%80")

    assert_refused(response, 400)


async def test_production_takes_no_get_of_a_text(production: httpx.AsyncClient):
    by_get = await production.get("/graphql", params={"query": REGIONS})
    page = await production.get("/graphql", headers={"Accept": "text/html"})
    by_post = await production.post("/graphql", json={"query": REGIONS})

    assert_refused(by_get, 405)
    assert by_get.headers["allow"] == "POST"
    assert page.status_code in (405, 406)
    assert by_post.json() == FOUND
    assert "server-timing" not in by_post.headers


async def test_a_browser_finds_graphiql_outside_of_production(http: httpx.AsyncClient):
    response = await http.get("/graphql", headers={"Accept": "text/html,*/*;q=0.8"})

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")


# -- bodies


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json-patch+json",
        "text/application/json",
        "application/jsonp",
        'application/json; charset="latin-1"',
        "application/json; charset=utf-16",
    ],
)
async def test_only_json_in_utf_8_is_accepted(http: httpx.AsyncClient, content_type: str | None):
    headers = {"Content-Type": content_type} if content_type is not None else {}

    response = await http.post("/graphql", content=json.dumps({"query": REGIONS}).encode(), headers=headers)

    assert_refused(response, 415)


@pytest.mark.parametrize(
    "content_type", [JSON, "Application/Json", "application/json; charset=UTF-8", 'application/json;charset="utf-8"']
)
async def test_json_in_utf_8_has_several_spellings(http: httpx.AsyncClient, content_type: str):
    response = await http.post(
        "/graphql", content=json.dumps({"query": REGIONS}).encode(), headers={"Content-Type": content_type}
    )

    assert response.json() == FOUND


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "x"])
async def test_a_compressed_body_is_refused_unopened(http: httpx.AsyncClient, encoding: str):
    body = gzip.compress(json.dumps({"query": REGIONS}).encode())

    response = await http.post("/graphql", content=body, headers={"Content-Type": JSON, "Content-Encoding": encoding})

    assert_refused(response, 415)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"true",
        b"7",
        b'"text"',
        b"[]",
        b'[{"query": "{ departments { code } }"}]',
        b"{",
        b"{}",
        b'{"query": null}',
        b'{"query": 7}',
        b'{"query": ""}',
        b'{"query": " \\n"}',
        b'{"query": ["{ departments { code } }"]}',
        b"\xff\xfe{\x00}\x00",
        b'{"query": "\xff"}',
        b'{"query": "{ departments { code } }", "operationName": 7}',
        b'{"query": "{ departments { code } }", "operationName": "\\ud800"}',
        b'{"query": "{ departments { code } }", "variables": []}',
        b'{"query": "{ departments { code } }", "variables": "{}"}',
        b'{"query": "{ departments { code } }", "extensions": 7}',
        b'{"query": "{ departments { code } }", "variables": {"a": NaN}}',
        b'{"query": "{ departments { code } }", "variables": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b'{"query": "{ departments { code } }"} trailing',
        b"[" * 500_000,
        b'{"a":' * 100_000,
    ],
)
async def test_a_body_that_is_no_request_is_refused(http: httpx.AsyncClient, body: bytes):
    for accept in (JSON, GRAPHQL):
        response = await http.post("/graphql", content=body, headers={"Content-Type": JSON, "Accept": accept})

        assert_refused(response, 400)


async def test_an_integer_of_thousands_of_digits_is_no_fault_of_the_server(http: httpx.AsyncClient):
    body = b'{"query": "query($n: Int) { departments { code } }", "variables": {"n": ' + b"9" * 5_000 + b"}}"

    response = await http.post("/graphql", content=body, headers={"Content-Type": JSON, "Accept": GRAPHQL})

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_null_stands_for_absent(http: httpx.AsyncClient):
    given = {"query": REGIONS, "variables": None, "operationName": None, "extensions": None, "unknown": 7}

    response = await http.post("/graphql", json=given)

    assert response.json() == FOUND


async def test_an_empty_operation_name_stands_for_none(http: httpx.AsyncClient):
    response = await http.post("/graphql", json={"query": REGIONS, "operationName": ""})

    assert response.json() == FOUND


@pytest.mark.parametrize("name", ["B", "Départ", "a" * 50_000, "\n\x00"])
async def test_an_unknown_operation_name_is_refused_and_echoed_in_part_only(http: httpx.AsyncClient, name: str):
    response = await http.post(
        "/graphql", json={"query": f"query A {REGIONS}", "operationName": name}, headers={"Accept": GRAPHQL}
    )

    assert_refused(response, 400)
    assert len(response.content) < 700


# -- size


@pytest.fixture
async def small(
    graphql: GraphQLClient, engine: GraphQLEngine, resources: Resources
) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(engine, resources, config=replace(CONFIG, max_body_bytes=1_000)) as client:
        yield client.http


def body_of(size: int) -> bytes:
    body = json.dumps({"query": REGIONS}).encode()
    return body + b" " * (size - len(body))


@pytest.mark.parametrize(("size", "status"), [(1_000, 200), (1_001, 413), (50_000, 413)])
async def test_a_body_has_a_size(small: httpx.AsyncClient, size: int, status: int):
    response = await small.post("/graphql", content=body_of(size), headers={"Content-Type": JSON})

    assert response.status_code == status
    if status == 413:
        assert_refused(response, 413, "LIMIT_EXCEEDED")


@pytest.mark.parametrize("announced", [None, "10", "0", "-1", "²", "1_000", "9" * 5_000])
async def test_bytes_are_counted_whatever_length_is_announced(
    engine: GraphQLEngine, resources: Resources, announced: str | None
):
    sent = 0

    async def receive() -> dict[str, Any]:
        nonlocal sent
        sent += 1
        return {"type": "http.request", "body": b" " * 100, "more_body": True}

    status = await call(engine, resources, receive, {"content-length": announced} if announced is not None else {})

    assert status == 413
    assert sent == 11, "the rest of the body was read for nothing"


async def test_an_announced_size_is_refused_before_anything_is_read(engine: GraphQLEngine, resources: Resources):
    async def receive() -> dict[str, Any]:
        raise AssertionError("read")

    status = await call(engine, resources, receive, {"content-length": "1001"})

    assert status == 413


async def test_a_client_that_goes_away_leaves_no_error(engine: GraphQLEngine, resources: Resources):
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    status = await call(engine, resources, receive, {})

    assert status == 499


async def call(engine: GraphQLEngine, resources: Resources, receive: Any, headers: dict[str, str]) -> int:
    """Call the endpoint as an ASGI server does, for what no HTTP client sends."""
    config = EndpointConfig(max_body_bytes=1_000, deadline_seconds=5, is_production=False)
    verifier = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, hs256_key=HS256_KEY)
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    listed = {"content-type": JSON, **headers}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in listed.items()],
        "state": {"request_id": "tests-0001"},
    }
    await GraphQLEndpoint(engine, verifier, resources, config)(scope, receive, send)
    return statuses[0]


# -- what every answer tells


async def test_a_refusal_proposes_names_outside_of_production_only(
    http: httpx.AsyncClient, production: httpx.AsyncClient
):
    wrong = [
        "{ departmen { code } }",
        '{ department(cod: "57") { name } }',
        "{ departments { codee } }",
        "query($f: JobSeekerFilte) { jobSeekers(filter: $f) { totalCount } }",
        "{ jobApplications(filter: { states: [NEWW] }) { totalCount } }",
        "{ jobApplications(filter: { stat: [NEW] }) { totalCount } }",
        "{ departments { code @skipp(if: true) } }",
        "{ node(id: 1) { ... on JobSeekr { id } } }",
    ]

    told = [(await http.post("/graphql", json={"query": query})).text for query in wrong]
    hidden = [(await production.post("/graphql", json={"query": query})).text for query in wrong]

    assert sum("Did you mean" in text for text in told) >= 6
    assert not any("Did you mean" in text or "did you mean" in text.lower() for text in hidden)


async def test_variables_are_proposed_nothing_in_production_either(production: httpx.AsyncClient):
    query = "query($states: [JobApplicationState!]) { jobApplications(filter: { states: $states }) { totalCount } }"

    response = await production.post("/graphql", json={"query": query, "variables": {"states": ["NEWW"]}})

    assert "does not exist in 'JobApplicationState' enum" in response.text
    assert "NEWW" not in response.text, "what was sent is not repeated"
    assert "Did you mean" not in response.text


async def test_messages_are_cut_to_a_size(graphql: GraphQLClient):
    staff = await make_user(UserKind.STAFF)

    answer = await graphql(
        "query($f: JobSeekerFilter) { jobSeekers(filter: $f) { totalCount } }", {"f": {"a" * 50_000: 1}}, as_=staff
    )

    assert answer.codes == ["BAD_USER_INPUT"]
    assert len(json.dumps(answer.body)) < 1_000


async def test_the_answer_names_the_request(http: httpx.AsyncClient):
    named = await http.post("/graphql", json={"query": REGIONS}, headers={"X-Request-ID": "my-request-0001"})
    unnamed = await http.post("/graphql", json={"query": REGIONS}, headers={"X-Request-ID": "no\tgood"})

    assert named.headers["x-request-id"] == "my-request-0001"
    assert len(unnamed.headers["x-request-id"]) == 32


# -- limits, on the schema as it is


async def test_the_introspection_of_tools_is_answered(http: httpx.AsyncClient):
    query = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )

    response = await http.post("/graphql", json={"query": query}, headers={"Accept": GRAPHQL})

    assert response.status_code == 200
    rebuilt = build_client_schema(response.json()["data"])
    assert rebuilt.type_map.keys() >= {"JobSeeker", "ApprovalConnection", "SIRET"}


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "{ __schema { types { interfaces { possibleTypes { interfaces { possibleTypes { name } } } } } } }",
        '{ __type(name: "Query") { fields { type { ' + "ofType { " * 20 + "name" + " }" * 23 + " }",
        "{ " + " ".join(f"a{n}: __schema {{ types {{ fields {{ args {{ name }} }} }} }}" for n in range(51)) + " }",
        "{ departments { " + "region { departments { " * 3 + "code" + " } }" * 3 + " } }",
        "{ departments { region { departments { region { departments { code name region { name } } } } } } }",
    ],
    ids=["circular", "circular-faces", "deep", "repeated", "departments", "departments-wide"],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_small_question_with_a_huge_answer_is_refused(http: httpx.AsyncClient, query: str, accept: str):
    began = process_time()

    response = await http.post("/graphql", json={"query": query}, headers={"Accept": accept})

    assert response.status_code == (400 if accept == GRAPHQL else 200)
    assert "data" not in response.json()
    assert process_time() - began < 1


async def test_ids_that_are_passed_multiply_what_is_asked_of_each(graphql: GraphQLClient):
    staff = await make_user(UserKind.STAFF)
    query = """query($ids: [ID!]!, $n: Int = 100) { nodes(ids: $ids) {
      ... on Company { jobApplications(first: $n) { nodes { id state jobSeeker { firstName } } } } } }"""

    many = await graphql(query, {"ids": ["x"] * 100}, as_=staff)
    few = await graphql(query, {"ids": ["x"] * 100, "n": 10}, as_=staff)

    assert many.codes == ["LIMIT_EXCEEDED"]
    assert "data" not in many.body
    assert set(few.codes) == {"BAD_USER_INPUT"}
    assert few.body["data"] == {"nodes": [None] * 100}
