"""The lists of one row are remembered by what their pages depend on: sizes, directions, and whether they were given."""

from __future__ import annotations

from typing import Any

from models import User
from models.enums import UserKind
from tests.factories import make_job_application, make_job_seeker, make_user
from tests.integration.schema.client import GraphQLClient

LISTS = """
query Person($id: ID!, $first: Int, $last: Int, $after: String) {
  jobSeeker(id: $id) {
    jobApplications(first: $first, last: $last, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } }
  }
}
"""


async def page(graphql: GraphQLClient, staff: User, variables: dict[str, Any]) -> Any:
    answer = await graphql(LISTS, variables, as_=staff)
    return answer.data["jobSeeker"]["jobApplications"]


async def test_sizes_that_were_given_and_sizes_that_were_not_are_told_apart(graphql: GraphQLClient):
    """One equals true in Python, and null is not nothing."""
    staff, person = await make_user(kind=UserKind.STAFF), await make_job_seeker()
    for _ in range(3):
        await make_job_application(person)
    key = (await graphql("{ jobSeekers(first: 1) { nodes { id } } }", as_=staff)).data["jobSeekers"]["nodes"][0]["id"]
    sizes: list[dict[str, Any]] = [{}, {"first": 1}, {"first": None}, {"first": 2}, {"last": 1}, {"last": None}, {}]

    pages = [await page(graphql, staff, {"id": key, **size}) for size in sizes * 2]

    everything = [node["id"] for node in pages[0]["nodes"]]
    expected = [everything, everything[:1], everything, everything[:2], everything[-1:], everything, everything]
    assert [[node["id"] for node in each["nodes"]] for each in pages] == expected * 2
    assert len(everything) == 3


async def test_the_page_after_another_is_its_own(graphql: GraphQLClient):
    staff, person = await make_user(kind=UserKind.STAFF), await make_job_seeker()
    for _ in range(3):
        await make_job_application(person)
    key = (await graphql("{ jobSeekers(first: 1) { nodes { id } } }", as_=staff)).data["jobSeekers"]["nodes"][0]["id"]

    first = await page(graphql, staff, {"id": key, "first": 2})
    after = {"id": key, "first": 2, "after": first["pageInfo"]["endCursor"]}
    second, again = [await page(graphql, staff, after) for _ in range(2)]

    assert len({node["id"] for each in (first, second) for node in each["nodes"]}) == 3
    assert second == again
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
