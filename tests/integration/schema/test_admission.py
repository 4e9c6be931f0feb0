"""How often and how much one client may ask over HTTP, what it is told of that, and who may ask for the schema."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from execution.engine import GraphQLEngine
from models import User
from models.enums import UserKind
from resolvers.context import Resources
from schema.admission import Admission, Introspectors
from services.rate_limits import Quotas, WaysIn, ways_in
from tests.factories import make_company, make_employer, make_membership, make_partner_client, make_user
from tests.integration.schema.client import CONFIG, GraphQLClient, serve, token_for

GRAPHQL = "application/graphql-response+json"
DEPARTMENT = '{ department(code: "57") { name } }'
# A hundred rows of ten fields and more: some points.
LARGE = "query Large($n: Int!) { companies(first: $n) { nodes { id siret name kind a: id b: id c: id d: id } } }"


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Guarded:
    """A server that counts, with a clock that stands still."""

    limits: WaysIn
    client: GraphQLClient
    clock: Clock = field(default_factory=Clock)

    @property
    def http(self) -> httpx.AsyncClient:
        return self.client.http


@pytest.fixture
async def guarded(engine: GraphQLEngine, resources: Resources) -> AsyncIterator[Guarded]:
    clock = Clock()
    limits = ways_in(Quotas(account_points=6, partner_points=4, anonymous_points=3), clock=clock)
    config = replace(CONFIG, admission=Admission(limits, most_cost=20_000))
    async with serve(engine, resources, config=config) as client:
        yield Guarded(limits, client, clock)


async def ask(guarded: Guarded, count: int, **options: Any) -> list[int]:
    return [
        (await guarded.http.post("/graphql", json={"query": DEPARTMENT}, **options)).status_code for _ in range(count)
    ]


# -- how often


async def test_who_is_not_signed_in_is_counted_by_address(guarded: Guarded):
    assert await ask(guarded, 4) == [200, 200, 200, 429]


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL])
async def test_a_refusal_is_typed_and_in_french_and_says_when_to_come_back(guarded: Guarded, accept: str):
    await ask(guarded, 3)

    response = await guarded.http.post("/graphql", json={"query": DEPARTMENT}, headers={"Accept": accept})

    assert response.status_code == 429
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert response.json() == {
        "errors": [
            {
                "message": "Trop de demandes en peu de temps. Réessayez dans 20 secondes.",
                "extensions": {"code": "RATE_LIMITED", "retryAfterSeconds": 20},
            }
        ]
    }
    assert response.headers["retry-after"] == "20"
    assert response.headers["ratelimit"] == '"anonymous";r=0;t=60'
    assert response.headers["ratelimit-policy"] == '"anonymous";q=3;qu="points";w=60'


async def test_an_answer_says_what_is_left(guarded: Guarded):
    response = await guarded.http.post("/graphql", json={"query": DEPARTMENT})

    assert response.headers["ratelimit"] == '"anonymous";r=2;t=20'
    assert "retry-after" not in response.headers


async def test_who_waits_as_told_is_answered(guarded: Guarded):
    await ask(guarded, 4)

    guarded.clock.now += 20

    assert await ask(guarded, 2) == [200, 429]


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ nonsense }"},
        {"query": "{"},
        {"query": "mutation { __typename }", "operationName": "x"},
        {"query": "subscription { nothing }"},
        {"documentId": "sha256:" + "0" * 64},
    ],
    ids=["invalid", "no document", "no operation", "no transport", "no such document"],
)
async def test_what_cannot_be_run_is_counted_too(guarded: Guarded, body: dict[str, str]):
    statuses = [
        (await guarded.http.post("/graphql", json=body, headers={"Accept": GRAPHQL})).status_code for _ in range(4)
    ]

    assert statuses == [400, 400, 400, 429]


async def test_queries_by_get_are_counted_with_those_by_post(guarded: Guarded):
    await ask(guarded, 2)

    by_get = [(await guarded.http.get("/graphql", params={"query": DEPARTMENT})).status_code for _ in range(2)]

    assert by_get == [200, 429]


@pytest.fixture
async def employer(database: object) -> tuple[User, str]:
    company = await make_company()
    user = await make_employer(company)
    return user, token_for(user, company)


async def test_an_account_has_points_of_its_own_whatever_its_address(guarded: Guarded, employer: tuple[User, str]):
    await ask(guarded, 4)
    headers = {"Authorization": f"Bearer {employer[1]}"}

    assert await ask(guarded, 7, headers=headers) == [200] * 6 + [429]


async def test_an_account_has_the_same_points_in_all_its_organisations(guarded: Guarded, employer: tuple[User, str]):
    user, token = employer
    other = await make_company()
    await make_membership(user, other)

    await ask(guarded, 5, headers={"Authorization": f"Bearer {token}"})

    assert await ask(guarded, 2, headers={"Authorization": f"Bearer {token_for(user, other)}"}) == [200, 429]


async def test_a_machine_client_has_the_points_of_its_kind(guarded: Guarded, database: object):
    machine = await make_partner_client(await make_company())

    answers = [await guarded.client("{ viewer { kind } }", as_=machine) for _ in range(5)]

    assert [answer.status for answer in answers] == [200] * 4 + [429]
    assert answers[0].headers["ratelimit-policy"].startswith('"partner";q=4')


# -- how much


async def test_a_costly_operation_takes_more_points_and_is_refused_whole(guarded: Guarded, employer: tuple[User, str]):
    headers = {"Authorization": f"Bearer {employer[1]}"}
    body = {"query": LARGE, "variables": {"n": 100}, "extensions": {"cost": True}}

    responses = [await guarded.http.post("/graphql", json=body, headers=headers) for _ in range(4)]

    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    assert responses[0].json()["extensions"]["cost"] == {
        "fields": 901,
        "most": 20_000,
        "points": 2,
        "pointsLeft": 4,
        "allPointsInSeconds": 20,
    }
    assert "data" not in responses[3].json()


async def test_a_cost_is_told_to_who_asks_for_it_and_to_nobody_else(guarded: Guarded):
    asked = await guarded.http.post("/graphql", json={"query": DEPARTMENT, "extensions": {"cost": True}})
    by_get = await guarded.http.get("/graphql", params={"query": DEPARTMENT, "extensions": '{"cost": true}'})
    silent = await guarded.http.post("/graphql", json={"query": DEPARTMENT, "extensions": {"cost": "yes"}})

    assert asked.json()["extensions"]["cost"]["fields"] == 2
    assert by_get.json()["extensions"]["cost"]["points"] == 1
    assert "extensions" not in silent.json()


async def test_without_limits_a_cost_is_told_all_the_same(engine: GraphQLEngine, resources: Resources):
    async with serve(engine, resources, config=replace(CONFIG, admission=Admission(most_cost=5))) as client:
        response = await client.http.post("/graphql", json={"query": DEPARTMENT, "extensions": {"cost": True}})

    assert response.json()["extensions"] == {"cost": {"fields": 2, "most": 5, "points": 1}}
    assert "ratelimit" not in response.headers


# -- who may ask for the schema

INTROSPECTION = {
    "the standard query": get_introspection_query(),
    "a type": '{ __type(name: "User") { name } }',
    "beside another field": '{ department(code: "57") { name } __schema { queryType { name } } }',
    "in a fragment": "{ ...F } fragment F on Query { ... { __schema { queryType { name } } } }",
}
VIEWERS = ("anonymous", "employer", "staff")
ALLOWED = {
    Introspectors.EVERYONE: {"anonymous", "employer", "staff"},
    Introspectors.SIGNED_IN: {"employer", "staff"},
    Introspectors.STAFF: {"staff"},
    Introspectors.NOBODY: set[str](),
}


@pytest.mark.parametrize("policy", Introspectors)
@pytest.mark.parametrize("query", INTROSPECTION.values(), ids=INTROSPECTION.keys())
async def test_only_those_whom_the_policy_names_are_told_the_schema(
    engine: GraphQLEngine,
    resources: Resources,
    employer: tuple[User, str],
    policy: Introspectors,
    query: str,
):
    tokens = {"employer": employer[1], "staff": token_for(await make_user(UserKind.STAFF))}
    config = replace(CONFIG, admission=Admission(introspectors=policy))

    async with serve(engine, resources, config=config) as client:
        found: set[str] = set()
        for viewer in VIEWERS:
            headers = {"Accept": GRAPHQL}
            if viewer in tokens:
                headers["Authorization"] = f"Bearer {tokens[viewer]}"
            response = await client.http.post("/graphql", json={"query": query}, headers=headers)
            if response.status_code == 200:
                found.add(viewer)
            else:
                assert response.status_code == 403
                assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
                assert "data" not in response.json()

    assert found == ALLOWED[policy]


@pytest.mark.parametrize("query", ["{ __typename }", '{ department(code: "57") { __typename } }'])
async def test_the_name_of_a_type_is_told_to_everybody(engine: GraphQLEngine, resources: Resources, query: str):
    config = replace(CONFIG, admission=Admission(introspectors=Introspectors.NOBODY))

    async with serve(engine, resources, config=config) as client:
        response = await client.http.post("/graphql", json={"query": query}, headers={"Accept": GRAPHQL})

    assert response.status_code == 200


async def test_circular_introspection_is_refused_to_those_who_may_introspect(guarded: Guarded):
    query = "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"

    response = await guarded.http.post("/graphql", json={"query": query}, headers={"Accept": GRAPHQL})

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
