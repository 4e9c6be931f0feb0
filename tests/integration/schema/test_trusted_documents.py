"""Trusted documents over HTTP: how they are asked for, who must, and what may be fetched and kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from execution.engine import GraphQLEngine
from execution.limits import Limits
from execution.trusted.documents import TrustedDocument, TrustedDocuments
from models.enums import UserKind
from resolvers.context import Resources
from schema.build import build_schema
from schema.documents import DocumentRules
from tests.factories import make_company, make_employer, make_user
from tests.integration.schema.client import CONFIG, GraphQLClient, serve, token_for

GRAPHQL = "application/graphql-response+json"


def trusted(name: str, text: str) -> TrustedDocument:
    return TrustedDocument(name=name, kind=text.split()[0], text=text)


MOSELLE = trusted("Moselle", 'query Moselle { department(code: "57") { name } }')
BY_CODE = trusted("ByCode", "query ByCode($code: String) { department(code: $code) { name } }")
WITH_VIEWER = trusted("WithViewer", "query WithViewer { departments { code } viewer { kind } }")
NODE = trusted("AnyNode", "query AnyNode($id: ID!) { node(id: $id) { id } }")
CANCEL = trusted("Cancel", "mutation Cancel($id: ID!) { cancelApproval(id: $id) { __typename } }")
TWO = trusted("Two", "query One { departments { code } } query Other { viewer { kind } }")
ALL = (MOSELLE, BY_CODE, WITH_VIEWER, NODE, CANCEL, TWO)
FOUND = {"data": {"department": {"name": "Moselle"}}}
OF_ONES_OWN = '{ department(code: "57") { name } }'


@pytest.fixture(scope="module")
def engine() -> GraphQLEngine:
    return GraphQLEngine(build_schema(), Limits(), trusted=TrustedDocuments(ALL))


@pytest.fixture
async def http(engine: GraphQLEngine, resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(engine, resources, config=replace(CONFIG, is_production=True)) as client:
        yield client.http


@pytest.fixture
async def strict(database: object, engine: GraphQLEngine, resources: Resources) -> AsyncIterator[GraphQLClient]:
    """A server that takes documents of their own from nobody but staff."""
    rules = DocumentRules(frozenset({"anonymous", *UserKind} - {UserKind.STAFF}))
    async with serve(engine, resources, config=replace(CONFIG, is_production=True, documents=rules)) as client:
        yield client


def identifier(document: TrustedDocument) -> str:
    return f"sha256:{document.hash}"


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json().get("errors", [])]


# -- asking by POST


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": identifier(MOSELLE)},
        {"documentId": identifier(BY_CODE), "variables": {"code": "57"}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": MOSELLE.hash}}},
    ],
)
async def test_a_document_is_asked_for_by_its_hash(http: httpx.AsyncClient, body: dict[str, Any]):
    response = await http.post("/graphql", json=body)

    assert response.json() == FOUND
    assert response.headers["cache-control"] == "no-store"


async def test_an_operation_of_several_is_named(http: httpx.AsyncClient):
    named = await http.post("/graphql", json={"documentId": identifier(TWO), "operationName": "Other"})
    unnamed = await http.post("/graphql", json={"documentId": identifier(TWO)})

    assert "viewer" in named.text
    assert "operationName" in unnamed.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": f"sha256:{'0' * 64}"},
        {"documentId": MOSELLE.hash},
        {"documentId": "x-ours:1"},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
    ],
)
async def test_one_that_is_not_known_is_refused_and_never_learnt(http: httpx.AsyncClient, body: dict[str, Any]):
    first = await http.post("/graphql", json=body, headers={"Accept": GRAPHQL})
    taught = await http.post("/graphql", json={**body, "documentId": None, "query": OF_ONES_OWN})
    again = await http.post("/graphql", json=body)

    assert (first.status_code, codes(first)) == (400, ["PERSISTED_DOCUMENT_NOT_FOUND"])
    assert "data" not in first.json()
    assert taught.json() == FOUND
    assert (again.status_code, codes(again)) == (200, ["PERSISTED_DOCUMENT_NOT_FOUND"])


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": identifier(MOSELLE), "query": OF_ONES_OWN},
        {"documentId": 5},
        {"documentId": [identifier(MOSELLE)]},
        {"extensions": {"persistedQuery": {"sha256Hash": 5}}},
        {"extensions": {"persistedQuery": "hash"}},
        {"query": None},
    ],
)
async def test_what_names_no_document_or_two_is_malformed(http: httpx.AsyncClient, body: dict[str, Any]):
    response = await http.post("/graphql", json=body)

    assert (response.status_code, codes(response)) == (400, ["BAD_USER_INPUT"])


# -- asking by GET


async def test_production_answers_a_get_of_a_trusted_document_alone(http: httpx.AsyncClient):
    known = await http.get("/graphql", params={"documentId": identifier(MOSELLE)})
    apollo = {"extensions": json.dumps({"persistedQuery": {"version": 1, "sha256Hash": MOSELLE.hash}})}
    by_apollo = await http.get("/graphql", params=apollo)
    text = await http.get("/graphql", params={"query": MOSELLE.text})
    both = await http.get("/graphql", params={"query": OF_ONES_OWN, **apollo})
    unknown = await http.get("/graphql", params={"documentId": "sha256:0"})

    assert known.json() == by_apollo.json() == FOUND
    assert [response.status_code for response in (text, both)] == [405, 405]
    assert text.headers["allow"] == "POST"
    assert codes(unknown) == ["PERSISTED_DOCUMENT_NOT_FOUND"]


async def test_a_get_never_runs_a_mutation(http: httpx.AsyncClient):
    response = await http.get("/graphql", params={"documentId": identifier(CANCEL), "variables": '{"id":"QQ=="}'})

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


async def test_what_may_be_personal_does_not_go_into_an_address(http: httpx.AsyncClient):
    text = await http.get("/graphql", params={"documentId": identifier(BY_CODE), "variables": '{"code":"57"}'})
    an_id = await http.get("/graphql", params={"documentId": identifier(NODE), "variables": '{"id":"QQ=="}'})

    assert text.status_code == 405
    assert "$code may hold personal data" in text.json()["errors"][0]["message"]
    assert an_id.status_code == 200


async def test_only_what_is_the_same_for_everybody_may_be_kept(http: httpx.AsyncClient):
    public = await http.get("/graphql", params={"documentId": identifier(MOSELLE)})
    private = await http.get("/graphql", params={"documentId": identifier(WITH_VIEWER)})
    failed = await http.get("/graphql", params={"documentId": "sha256:0"})

    assert public.headers["cache-control"] == "public, max-age=3600"
    assert {"Accept", "Origin"} <= set(public.headers["vary"].split(", "))
    assert private.headers["cache-control"] == failed.headers["cache-control"] == "no-store"


# -- who must


async def test_the_kinds_that_are_held_to_them_are_refused_documents_of_their_own(strict: GraphQLClient):
    company = await make_company()
    employer, staff = await make_employer(company), await make_user(UserKind.STAFF)

    anonymous = await strict(OF_ONES_OWN)
    signed_in = await strict(OF_ONES_OWN, as_=employer, of=company)
    by_staff = await strict(OF_ONES_OWN, as_=staff)

    assert (anonymous.codes, signed_in.codes) == (["PERSISTED_DOCUMENT_REQUIRED"], ["PERSISTED_DOCUMENT_REQUIRED"])
    assert by_staff.body == FOUND


async def test_they_are_answered_trusted_documents_by_hash_and_by_text(strict: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)
    headers = {"Authorization": f"Bearer {token_for(employer, company)}"}

    by_hash = await strict.http.post("/graphql", json={"documentId": identifier(MOSELLE)}, headers=headers)
    by_text = await strict(MOSELLE.text, as_=employer, of=company)
    almost = await strict(MOSELLE.text + " ", as_=employer, of=company)

    assert by_hash.json() == by_text.body == FOUND
    assert almost.codes == ["PERSISTED_DOCUMENT_REQUIRED"]


@pytest.mark.parametrize(
    "query", ["{ __schema { types { name } } }", "{ nonsense", "{ nonsense }", "query A { a } query B { b }"]
)
async def test_a_document_of_their_own_is_not_even_discussed(strict: GraphQLClient, query: str):
    answer = await strict(query)

    assert answer.codes == ["PERSISTED_DOCUMENT_REQUIRED"]
    assert "nonsense" not in str(answer.body)


async def test_one_that_is_not_known_says_so_to_them_too(strict: GraphQLClient):
    response = await strict.http.post("/graphql", json={"documentId": "sha256:0"})

    assert codes(response) == ["PERSISTED_DOCUMENT_NOT_FOUND"]
