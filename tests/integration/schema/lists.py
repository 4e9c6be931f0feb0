"""Every connection of the schema, and how to reach it: what holds for one list is asked of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resolvers.global_ids import encode
from tests.integration.schema.client import Answer, GraphQLClient
from tests.integration.schema.crowd import Crowd


@dataclass(frozen=True, slots=True)
class Listed:
    """`path` leads to the connection from the root; `parent` is the row of `crowd` whose list it is."""

    path: tuple[str, ...]
    node: str
    parent: tuple[str, str] | None = None  # (type, attribute of Crowd)
    backward: bool = True

    def __str__(self) -> str:
        return ".".join((self.parent[0], *self.path) if self.parent else ("Query", *self.path))

    def query(self, selection: str) -> str:
        """Return the document that asks this list for a page, with variables $first, $after, $last, $before."""
        declared = "$first: Int, $after: String" + (", $last: Int, $before: String" if self.backward else "")
        passed = "first: $first, after: $after" + (", last: $last, before: $before" if self.backward else "")
        below = f"{self.path[-1]}({passed}) {{ {selection} }}"
        for name in reversed(self.path[:-1]):
            below = f"{name} {{ {below} }}"
        if self.parent is None:
            return f"query({declared}) {{ {below} }}"
        return f"query($id: ID!, {declared}) {{ node(id: $id) {{ ... on {self.parent[0]} {{ {below} }} }} }}"

    def parent_id(self, crowd: Crowd) -> str | None:
        return encode(self.parent[0], getattr(crowd, self.parent[1]).id) if self.parent else None

    def connection(self, data: Any) -> Any:
        """Find the connection in the data of `query`."""
        found = data if self.parent is None else data["node"]
        for name in self.path:
            found = found[name]
        return found


ROOT_LISTS = [
    Listed(("jobSeekers",), "JobSeeker"),
    Listed(("jobApplications",), "JobApplication"),
    Listed(("approvals",), "Approval"),
    Listed(("appointments",), "Appointment"),
    Listed(("participations",), "Participation"),
    Listed(("surveys",), "Survey", backward=False),
    Listed(("companies",), "Company", backward=False),
]
NESTED_LISTS = [
    Listed(("approvals",), "Approval", ("JobSeeker", "hub")),
    Listed(("jobApplications",), "JobApplication", ("JobSeeker", "hub")),
    Listed(("participations",), "Participation", ("JobSeeker", "hub")),
    Listed(("surveys",), "Survey", ("JobSeeker", "hub"), backward=False),
    Listed(("jobApplications",), "JobApplication", ("Company", "company")),
    Listed(("appointments",), "Appointment", ("Company", "company")),
    Listed(("invitationRequests",), "InvitationRequest", ("JobApplication", "hub_application"), backward=False),
    Listed(("participations",), "Participation", ("Appointment", "meeting"), backward=False),
    Listed(("notification", "attempts"), "NotificationAttempt", ("Approval", "hub_approval"), backward=False),
]
LISTS = ROOT_LISTS + NESTED_LISTS


@dataclass(slots=True)
class Reader:
    """Asks the lists of a crowd, as its operator."""

    graphql: GraphQLClient
    crowd: Crowd

    async def ask(self, listed: Listed, selection: str, **arguments: Any) -> Answer:
        parent_id = listed.parent_id(self.crowd)
        variables = arguments | ({"id": parent_id} if parent_id else {})
        return await self.graphql(listed.query(selection), variables, as_=self.crowd.operator)

    async def page(self, listed: Listed, **arguments: Any) -> Any:
        """Return one page: `edges` with node and cursor, `pageInfo`."""
        selection = (
            "edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount"
        )
        return listed.connection((await self.ask(listed, selection, **arguments)).data)

    async def ids(self, listed: Listed) -> list[str]:
        """Return the ids of a whole list, by its largest pages."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = await self.page(listed, first=100, after=cursor)
            found += [edge["node"]["id"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            cursor = page["pageInfo"]["endCursor"]
