"""The country of birth, in lists as on one person."""

from __future__ import annotations

from models.enums import UserKind
from tests.factories import make_job_seeker, make_user
from tests.integration.schema.client import GraphQLClient

QUERY = "query ($first: Int!) { jobSeekers(first: $first) { nodes { birthCountry { inseeCode name } } } }"


async def test_fifty_countries_cost_as_many_statements_as_one(graphql: GraphQLClient):
    staff = await make_user(UserKind.STAFF)
    for number in range(50):
        abroad = {"birth_country": "99352", "birth_place": None}
        await make_job_seeker(profile=abroad if number % 2 else {})

    one = await graphql(QUERY, {"first": 1}, as_=staff)
    fifty = await graphql(QUERY, {"first": 50}, as_=staff)

    nodes = fifty.data["jobSeekers"]["nodes"]
    assert len(nodes) == 50
    assert {node["birthCountry"]["name"] for node in nodes} == {"France", "Algérie"}
    assert fifty.statements == one.statements


async def test_a_country_that_is_no_more_is_shown_by_its_code(graphql: GraphQLClient):
    person = await make_job_seeker(profile={"birth_country": "99115", "birth_place": None})

    answer = await graphql(QUERY, {"first": 1}, as_=person)

    assert answer.data["jobSeekers"]["nodes"] == [{"birthCountry": {"inseeCode": "99115", "name": "99115"}}]


async def test_an_unknown_country_is_null(graphql: GraphQLClient):
    person = await make_job_seeker(profile={"birth_country": None, "birth_place": None})

    answer = await graphql(QUERY, {"first": 1}, as_=person)

    assert answer.data["jobSeekers"]["nodes"] == [{"birthCountry": None}]
