"""GraphQL over HTTP, statement by statement: each row of docs/reference/graphql-over-http.md is a case here."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import docs
from execution.engine import GraphQLEngine
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from tests.integration.schema.client import never_ring, serve

PAGE = Path(docs.__file__).parent / "reference" / "graphql-over-http.md"
JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
QUERY = '{ department(code: "57") { name } }'
NAMED = f"query A {QUERY} query B {{ departments {{ code }} }}"
WITH_VARIABLE = "query($code: String!) { department(code: $code) { name } }"
REFUSES = '{ department(code: "57") { name } node(id: "x") { id } }'
FAILS = "{ viewer { kind } }"
MUTATION = 'mutation { cancelApproval(id: "x") { __typename } }'
SUBSCRIPTION = "subscription { approvalNotificationChanged { id } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request, and what the statement wants of its answer. `accept` None: no such header at all."""

    method: str = "POST"
    accept: str | None = GRAPHQL
    body: Any = None
    raw: bytes | None = None
    content_type: str | None = JSON
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    status: int = 200
    answered: str = GRAPHQL
    has_data: bool | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def asked(query: Any = QUERY, **members: Any) -> dict[str, Any]:
    return {"query": query, **members}


CASES: dict[str, list[Case]] = {
    # -- requests
    "R1": [Case(body=asked(), has_data=True)],
    "R2": [Case(body=asked(), content_type="application/json; charset=utf-8", has_data=True)],
    "R3": [Case(body=asked(), content_type=None, status=415), Case(body=asked(), content_type="", status=415)],
    "R4": [
        Case(body=asked(), content_type="text/plain", status=415),
        Case(body=asked(), content_type="application/x-www-form-urlencoded", status=415),
        Case(body=asked(), content_type="multipart/form-data; boundary=x", status=415),
        Case(body=asked(), content_type="application/json; charset=iso-8859-1", status=415),
    ],
    "R5": [Case(raw=b'{"query":', status=400), Case(raw=b"NONSENSE", status=400), Case(raw=b"", status=400)],
    "R6": [
        Case(body={"qeury": "{ __typename }"}, status=400),
        Case(body=asked(7), status=400),
        Case(body=asked(None), status=400),
        Case(body=asked(operationName=7), status=400),
        Case(body=asked(variables=[7]), status=400),
        Case(body=asked(extensions="x"), status=400),
        Case(raw=b'"text"', status=400),
        Case(raw=b"null", status=400),
        Case(raw=b"7", status=400),
        Case(raw=b'{"query": "\xff"}', status=400),
    ],
    "R7": [Case(body=asked(variables=None, operationName=None, extensions=None), has_data=True)],
    "R8": [Case(body=asked(operationName=""), has_data=True)],
    "R9": [Case(body=[asked()], status=400)],
    "R10": [Case(body=asked(WITH_VARIABLE, variables={"code": "57"}), has_data=True)],
    "R11": [Case(body=asked(unknown=1), has_data=True)],
    # -- GET
    "G1": [Case(method="GET", parameters={"query": QUERY}, content_type=None, has_data=True)],
    "G2": [
        Case(
            method="GET",
            parameters={"query": WITH_VARIABLE, "variables": '{"code":"57"}', "extensions": "{}"},
            content_type=None,
            has_data=True,
        ),
        Case(method="GET", parameters={"query": WITH_VARIABLE, "variables": "{"}, content_type=None, status=400),
    ],
    "G3": [
        Case(method="GET", parameters={"query": NAMED, "operationName": "A"}, content_type=None, has_data=True),
        Case(method="GET", parameters={"query": QUERY, "operationName": ""}, content_type=None, has_data=True),
        Case(method="GET", parameters={"query": QUERY, "operationName": "null"}, content_type=None, status=400),
    ],
    "G4": [
        Case(method="GET", parameters={"query": MUTATION}, content_type=None, status=405, headers={"allow": "POST"}),
        Case(
            method="GET",
            accept=JSON,
            parameters={"query": MUTATION},
            content_type=None,
            status=405,
            answered=JSON,
            headers={"allow": "POST"},
        ),
    ],
    "G5": [Case(method="GET", content_type=None, status=400)],
    "G6": [
        Case(method=method, body=asked(), status=405, headers={"allow": "GET, POST"})
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE")
    ],
    # -- answers
    "A1": [
        Case(body=asked(), headers={"content-type": f"{GRAPHQL}; charset=utf-8"}),
        Case(body=asked(), accept=JSON, answered=JSON, headers={"content-type": f"{JSON}; charset=utf-8"}),
    ],
    "A2": [
        Case(body=asked(), accept=f"{JSON};q=0.5, {GRAPHQL}"),
        Case(body=asked(), accept=f"{GRAPHQL};q=0.5, {JSON}", answered=JSON),
        Case(body=asked(), accept=f"text/html, {GRAPHQL};q=0.1"),
    ],
    "A3": [
        Case(body=asked(), accept=accept, status=406, answered=JSON) for accept in ("text/html", "image/png", "x;q=0")
    ],
    "A4": [Case(body=asked(), accept=None), Case(body=asked(), accept="")],
    "A5": [Case(body=asked(), accept="*/*", answered=JSON), Case(body=asked(), accept="application/*", answered=JSON)],
    "A6": [Case(body=asked(), headers={"vary": "Accept", "cache-control": "no-store"})],
    # -- statuses of application/json
    "J1": [Case(accept=JSON, body=asked(), answered=JSON, has_data=True)],
    "J2": [
        Case(accept=JSON, body=asked(REFUSES), answered=JSON, has_data=True),
        Case(accept=JSON, body=asked(FAILS), answered=JSON),
    ],
    "J3": [Case(accept=JSON, body=asked("{"), answered=JSON, has_data=False)],
    "J4": [Case(accept=JSON, body=asked("{ nonsense }"), answered=JSON, has_data=False)],
    "J5": [Case(accept=JSON, body=asked(NAMED), answered=JSON, has_data=False)],
    "J6": [Case(accept=JSON, body=asked(WITH_VARIABLE), answered=JSON, has_data=False)],
    "J7": [
        Case(accept=JSON, raw=b"{", status=400, answered=JSON),
        Case(accept=JSON, body={}, status=400, answered=JSON),
    ],
    # -- statuses of application/graphql-response+json
    "S1": [Case(body=asked(), has_data=True)],
    "S2": [Case(body=asked(REFUSES), has_data=True), Case(body=asked(FAILS))],
    "S3": [Case(body=asked("{"), status=400, has_data=False)],
    "S4": [Case(body=asked("{ nonsense }"), status=400, has_data=False)],
    "S5": [Case(body=asked(NAMED), status=400, has_data=False), Case(body=asked(operationName="C"), status=400)],
    "S6": [
        Case(body=asked(WITH_VARIABLE), status=400, has_data=False),
        Case(body=asked(WITH_VARIABLE, variables={"code": 7}), status=400, has_data=False),
    ],
    "S7": [Case(body=asked(SUBSCRIPTION), status=400, has_data=False)],
    "S8": [Case(body=asked("{ departments { code } " * 60 + "}" * 60), status=400, has_data=False)],
}


@pytest.fixture(scope="module")
async def http(engine: GraphQLEngine) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(engine, Resources(cursors=CursorSigner(b"tests"), ring=never_ring)) as client:
        yield client.http


def test_the_page_has_a_row_for_each_case_and_a_case_for_each_row():
    rows = re.findall(r"^\| ([A-Z]\d+) \| (?:MUST|SHOULD|MAY|ours)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert len(rows) == len(set(rows))
    assert set(rows) == CASES.keys() | {"S9", "S10"}  # these two need somebody who is not let in, below


@pytest.mark.parametrize(
    ("statement", "case"), [(statement, case) for statement, cases in CASES.items() for case in cases]
)
async def test_a_statement_holds(http: httpx.AsyncClient, statement: str, case: Case):
    response = await http.send(_request(http, case))

    assert response.status_code == case.status, (statement, response.text)
    if case.method != "HEAD":
        assert response.headers["content-type"].split(";")[0] == case.answered, statement
        body = response.json()
        assert isinstance(body, dict)
        assert "data" in body or body["errors"], "a response has data, or errors that say why not"
        if case.has_data is not None:
            assert (body.get("data") is not None) is case.has_data, statement
            assert ("data" in body) is case.has_data, "a request error has no data, not even null"
    for name, value in case.headers.items():
        assert response.headers[name] == value, statement


def _request(http: httpx.AsyncClient, case: Case) -> httpx.Request:
    request = http.build_request(
        case.method,
        "/graphql",
        params=dict(case.parameters) or None,
        content=case.raw,
        json=case.body if case.raw is None else None,
        headers={"Accept": case.accept or ""},
    )
    if case.accept is None:
        del request.headers["Accept"]
    if "Content-Type" in request.headers:
        del request.headers["Content-Type"]
    if case.content_type is not None:
        request.headers["Content-Type"] = case.content_type
    return request


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_token_that_is_not_believed_is_401_with_a_challenge(http: httpx.AsyncClient, accept: str):
    response = await http.post("/graphql", json=asked(), headers={"Accept": accept, "Authorization": "Bearer none"})

    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Bearer realm="traverse", error="invalid_token"')
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert "data" not in response.json()
