"""Look-ahead reads: what they cost, and that no shape of a document changes what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from models.enums import UserKind
from resolvers.global_ids import encode
from tests.factories import make_user
from tests.integration.schema.client import token_for
from tests.integration.schema.crowd import PEOPLE
from tests.integration.schema.lists import LISTS, NESTED_LISTS, ROOT_LISTS, Listed, Reader

# One fragment a type: everything that a row of it shows without further arguments.
FIELDS = {
    "JobSeeker": "id firstName title nir birthdate isCertified readonlyFields identityCertifications { authority }"
    " consents { purpose } address { city department { name } } currentApproval { number originCompany { name } }",
    "JobApplication": "id state createdAt jobSeeker { firstName } company { name department { name } }"
    " approval { number notification { status blockedBy } } nextAppointmentStartAt canInvite"
    " upcomingParticipationsCount diagorienteInvitation { status }",
    "Approval": "id number standing: state jobSeeker { lastName } originCompany { siret }"
    " notification { exitLabel blockedBy }",
    "Appointment": "id startAt endAt company { name } location { name }",
    "Participation": "id statusLabel jobSeeker { firstName } appointment { startAt company { name } }",
    "Survey": "id kind jobApplication { state jobSeeker { firstName } }",
    "Company": "id name siren department { region { name } }",
    "InvitationRequest": "id createdAt company { name } jobSeeker { firstName }",
    "NotificationAttempt": "id startedAt outcome",
}
# Every nested list, as a row of each type can select it.
CHILDREN = {
    "JobSeeker": [
        "approvals(first: 2) { nodes { number } }",
        "jobApplications(first: 2) { nodes { state } }",
        "participations(first: 2) { nodes { status } }",
        "surveys(first: 2) { nodes { kind } }",
    ],
    "Company": ["jobApplications(first: 2) { nodes { state } }", "appointments(first: 2) { nodes { startAt } }"],
    "JobApplication": [
        "invitationRequests(first: 2) { nodes { id invitations { kind } } }",
        "surveys { kind }",
    ],
    "Appointment": ["participations(first: 2) { nodes { status } }"],
    "Approval": ["notification { attempts(first: 2) { nodes { outcome } } }"],
}
FAMILIES = [(root, child) for root in ROOT_LISTS for child in CHILDREN.get(root.node, [])]


async def statements_of(reader: Reader, listed: Listed, selection: str, size: int) -> int:
    answer = await reader.ask(listed, selection, first=size)
    assert "errors" not in answer.body, answer.body["errors"]
    return answer.statements


def comes_with_its_parent(listed: Listed) -> bool:
    """A page of one row's own list is part of the row's statement; not one that hangs on a part of the row."""
    return listed.parent is not None and len(listed.path) == 1


# -- what a read costs


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_a_page_costs_one_statement_and_a_total_one_more_whatever_it_holds(reader: Reader, listed: Listed):
    rows = f"edges {{ cursor node {{ {FIELDS[listed.node]} }} }} pageInfo {{ endCursor }}"
    around = 1 if listed.parent is None else 2  # who is asking, and the parent
    own, total = (0, 0) if comes_with_its_parent(listed) else (1, 1)
    traces = 1 if listed.node == "JobSeeker" else 0  # staff read people: one statement for all of them

    for size in (1, 50):
        assert await statements_of(reader, listed, rows, size) == around + own + traces
        assert await statements_of(reader, listed, f"totalCount {rows}", size) == around + own + total + traces
        assert await statements_of(reader, listed, "totalCount", size) == around + total
        assert await statements_of(reader, listed, "pageInfo { hasNextPage }", size) == around + own
        assert await statements_of(reader, listed, "__typename", size) == around


@pytest.mark.parametrize(("listed", "child"), FAMILIES, ids=str)
async def test_a_nested_list_costs_the_same_for_1_and_for_50_parents(reader: Reader, listed: Listed, child: str):
    bare = await statements_of(reader, listed, "nodes { id }", 50)
    one = await statements_of(reader, listed, f"nodes {{ id {child} }}", 1)
    fifty = await statements_of(reader, listed, f"nodes {{ id {child} }}", 50)

    levels = 2 if "invitations " in child else 1
    assert (bare, one, fifty) == (2, 2 + levels, 2 + levels)


async def test_a_total_of_each_parent_costs_one_statement_for_all(reader: Reader):
    listed = ROOT_LISTS[0]
    nested = "approvals { totalCount } jobApplications(first: 1) { totalCount nodes { id } }"

    one = await statements_of(reader, listed, f"nodes {{ {nested} }}", 1)
    fifty = await statements_of(reader, listed, f"nodes {{ {nested} }}", 50)

    assert one == fifty == 2 + 1 + 2


async def test_one_person_with_all_their_lists_costs_one_statement(reader: Reader):
    lists = "".join(
        f"{name}(first: $first) {{ totalCount pageInfo {{ endCursor }} edges {{ cursor node {{ {FIELDS[node]} }} }} }} "
        for name, node in (
            ("approvals", "Approval"),
            ("jobApplications", "JobApplication"),
            ("participations", "Participation"),
            ("surveys", "Survey"),
        )
    )
    query = f"query($id: ID!, $first: Int) {{ jobSeeker(id: $id) {{ id {lists} }} }}"
    variables = {"id": encode("JobSeeker", reader.crowd.hub.id)}

    first = await reader.graphql(query, {**variables, "first": 1}, as_=reader.crowd.operator)
    more = await reader.graphql(query, {**variables, "first": 5}, as_=reader.crowd.operator)

    assert first.statements == more.statements == 1 + 1  # who is asking
    assert len(first.data["jobSeeker"]["jobApplications"]["edges"]) == 1
    assert len(more.data["jobSeeker"]["jobApplications"]["edges"]) == 5


async def test_lists_with_filters_or_cursors_are_read_beside_those_that_come_with_the_row(reader: Reader):
    query = """
    query($id: ID!, $after: String, $statuses: [ParticipationStatus!]) { jobSeeker(id: $id) {
      jobApplications(first: 2, after: $after) { nodes { id } pageInfo { hasPreviousPage endCursor } }
      participations(first: 3, filter: { statuses: $statuses }) { nodes { status } }
      approvals(first: 1) { nodes { id } }
    } }
    """
    variables: dict[str, Any] = {"id": encode("JobSeeker", reader.crowd.hub.id)}
    start = await reader.graphql(query, {**variables, "statuses": ["UNKNOWN"]}, as_=reader.crowd.operator)
    shown = start.data["jobSeeker"]["jobApplications"]

    onwards = await reader.graphql(
        query,
        {**variables, "after": shown["pageInfo"]["endCursor"], "statuses": ["CANCELLED"]},
        as_=reader.crowd.operator,
    )

    person = onwards.data["jobSeeker"]
    assert (start.statements, onwards.statements) == (1 + 1 + 1, 1 + 1 + 2)
    assert person["jobApplications"]["pageInfo"]["hasPreviousPage"] is True
    assert not {row["id"] for row in shown["nodes"]} & {row["id"] for row in person["jobApplications"]["nodes"]}
    assert {row["status"] for row in start.data["jobSeeker"]["participations"]["nodes"]} == {"UNKNOWN"}
    assert {row["status"] for row in person["participations"]["nodes"]} == {"CANCELLED"}
    assert person["approvals"] == start.data["jobSeeker"]["approvals"]


async def test_the_same_person_asked_for_twice_shows_each_time_the_page_that_was_asked_for(reader: Reader):
    query = """query($id: ID!) {
      one: jobSeeker(id: $id) { jobApplications(first: 1) { nodes { id } } }
      three: jobSeeker(id: $id) { jobApplications(first: 3) { nodes { id } } }
      last: jobSeeker(id: $id) { jobApplications(last: 3) { nodes { id } } }
    }"""

    data = await shown_by(reader, query, id=encode("JobSeeker", reader.crowd.hub.id))

    one, three, last = ([row["id"] for row in data[name]["jobApplications"]["nodes"]] for name in data)
    assert (len(one), len(three), len(last)) == (1, 3, 3)
    assert one == three[:1]
    assert not set(three) & set(last)


@pytest.mark.parametrize("size", ["first: 0", "first: 101", "first: 1, last: 1"])
async def test_a_wrong_size_of_one_persons_list_is_refused_at_its_path(reader: Reader, size: str):
    query = f"query($id: ID!) {{ jobSeeker(id: $id) {{ id approvals({size}) {{ nodes {{ id }} }} }} }}"
    variables = {"id": encode("JobSeeker", reader.crowd.hub.id)}

    answer = await reader.graphql(query, variables, as_=reader.crowd.operator)

    assert answer.errors_by_path == {"jobSeeker.approvals": "BAD_USER_INPUT"}


async def test_nodes_cost_one_statement_a_type(reader: Reader):
    crowd = reader.crowd
    hired = "{ jobApplications(first: 20, filter: { states: [ACCEPTED] }) {"
    page = await reader.graphql(
        f"{hired} nodes {{ id jobSeeker {{ id }} approval {{ id }} }} }} }}", as_=crowd.operator
    )
    rows = page.data["jobApplications"]["nodes"]
    ids = [row["id"] for row in rows] + [row[name]["id"] for row in rows for name in ("jobSeeker", "approval")]
    shown = " ".join(f"... on {name} {{ {FIELDS[name]} }}" for name in ("JobApplication", "JobSeeker", "Approval"))
    query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ __typename id {shown} }} }}"

    few = await reader.graphql(query, {"ids": [ids[0], ids[20], ids[21]]}, as_=reader.crowd.operator)
    many = await reader.graphql(query, {"ids": ids}, as_=reader.crowd.operator)

    assert [node["id"] for node in many.data["nodes"]] == ids
    assert few.statements == many.statements == 1 + 3 + 1  # the last one leaves the traces of what staff read


async def test_nodes_answer_in_the_order_of_the_ids_with_gaps_and_repetitions(reader: Reader):
    company, hub = encode("Company", reader.crowd.company.id), encode("JobSeeker", reader.crowd.hub.id)
    absent = encode("Company", reader.crowd.hub.id)
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    answer = await reader.graphql(query, {"ids": [company, absent, hub, company, "?"]}, as_=reader.crowd.operator)

    shown = [node and node["id"] for node in answer.body["data"]["nodes"]]
    assert shown == [company, None, hub, company, None]
    assert answer.errors_by_path == {"nodes.4": "BAD_USER_INPUT"}


async def test_more_than_a_hundred_ids_are_refused(reader: Reader):
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    answer = await reader.graphql(query, {"ids": ["?"] * 101}, as_=reader.crowd.operator)

    assert answer.codes == ["BAD_USER_INPUT"]


# -- nested lists


@pytest.mark.parametrize("listed", NESTED_LISTS, ids=str)
@pytest.mark.parametrize("arguments", ["first: 2", "first: 3, after: $after", "first: 100"])
async def test_the_lists_of_many_parents_equal_those_of_each_alone(reader: Reader, listed: Listed, arguments: str):
    after = (await reader.page(listed, first=1))["edges"][0]["cursor"]
    assert listed.parent is not None
    root = next(root for root in ROOT_LISTS if root.node == listed.parent[0])
    declared = "$after: String" if "$after" in arguments else ""
    below = f"{listed.path[-1]}({arguments}) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ id }} }}"
    for name in reversed(listed.path[:-1]):
        below = f"{name} {{ {below} }}"
    size = 10 if "100" in arguments else 50
    head = f"query Q({declared})" if declared else "query Q"
    together = f"{head} {{ {root.path[0]}(first: {size}) {{ nodes {{ id {below} }} }} }}"
    single_head = f"query Q($id: ID!{', ' + declared if declared else ''})"
    alone = f"{single_head} {{ node(id: $id) {{ id ... on {listed.parent[0]} {{ {below} }} }} }}"
    variables = {"after": after} if declared else {}

    all_parents = await reader.graphql(together, variables, as_=reader.crowd.operator)

    parents = all_parents.data[root.path[0]]["nodes"]
    assert any(listed.connection({"node": parent})["nodes"] for parent in parents)
    for parent in parents[:12]:
        own = await reader.graphql(alone, {"id": parent["id"], **variables}, as_=reader.crowd.operator)
        assert own.data["node"] == parent


async def test_one_nested_list_may_be_asked_for_twice_with_different_arguments(reader: Reader):
    query = """
    query($id: ID!) { node(id: $id) { ... on JobSeeker {
      one: jobApplications(first: 1) { nodes { id } }
      three: jobApplications(first: 3) { nodes { id state } totalCount }
      last: jobApplications(last: 2) { nodes { id } pageInfo { hasPreviousPage } }
      seen: participations(filter: { statuses: [CANCELLED] }) { totalCount }
      open: participations(filter: { statuses: [UNKNOWN] }) { totalCount }
    } } }
    """

    answer = await reader.graphql(query, {"id": encode("JobSeeker", reader.crowd.hub.id)}, as_=reader.crowd.operator)

    node = answer.data["node"]
    assert [len(node[name]["nodes"]) for name in ("one", "three", "last")] == [1, 3, 2]
    assert node["three"]["nodes"][0]["id"] == node["one"]["nodes"][0]["id"]
    assert node["three"]["totalCount"] == 7
    assert (node["seen"]["totalCount"], node["open"]["totalCount"]) == (1, 6)


@pytest.mark.parametrize("arguments", ["first: 101", "first: -1", "first: 0", "first: 2, last: 2", 'after: "?"'])
async def test_wrong_arguments_of_a_nested_list_are_refused_at_its_path(reader: Reader, arguments: str):
    query = f"{{ jobSeekers(first: 2) {{ nodes {{ id approvals({arguments}) {{ nodes {{ id }} }} }} }} }}"

    answer = await reader.graphql(query, as_=reader.crowd.operator)

    assert set(answer.errors_by_path.values()) == {"BAD_USER_INPUT"}
    assert all(path.startswith("jobSeekers.nodes.") for path in answer.errors_by_path)


# -- shapes of documents

PLAIN = "{ jobApplications(first: 3) { edges { node { id state company { name siret } jobSeeker { firstName } } } } }"


async def shown_by(reader: Reader, query: str, **variables: Any) -> Any:
    return (await reader.graphql(query, variables, as_=reader.crowd.operator)).data


@pytest.mark.parametrize(
    "query",
    [
        # fragments, named and inline, with and without a type, on the interface too
        """{ jobApplications(first: 3) { edges { node { ...A } } } }
        fragment A on JobApplication { id state ...B jobSeeker { ... { firstName } } }
        fragment B on JobApplication { company { ...C ... on Node { ... on Company { siret } } } }
        fragment C on Company { name }""",
        # the same field selected in several places
        """{ jobApplications(first: 3) { edges { node { id state company { name } } } }
             jobApplications(first: 3) { edges { node { company { siret } jobSeeker { firstName } } } } }""",
        # directives that change nothing
        """{ jobApplications(first: 3) @include(if: true) { edges { node { id state @skip(if: false)
             company { name siret } ... @include(if: true) { jobSeeker { firstName } }
             ... @skip(if: true) { createdAt } } } } }""",
        # what does not apply to the type
        """{ jobApplications(first: 3) { edges { node { ... on Node { id }
             ... on JobApplication { state company { name siret } jobSeeker { firstName } } } } } }""",
    ],
)
async def test_the_shape_of_a_document_does_not_change_what_it_shows(reader: Reader, query: str):
    assert await shown_by(reader, query) == await shown_by(reader, PLAIN)


async def test_aliases_of_one_field_are_each_answered_in_full(reader: Reader):
    query = """{ jobApplications(first: 3) { nodes {
        one: company { name } two: company { siret } company { kind } a: state b: state
        masked: jobSeeker { nir } other: jobSeeker { nir(format: MASKED) firstName } } } }"""

    nodes = (await shown_by(reader, query))["jobApplications"]["nodes"]

    for node in nodes:
        assert (node["one"], node["two"]) == ({"name": "Atelier Été"}, {"siret": reader.crowd.company.siret})
        assert node["company"] == {"kind": "ACI"}
        assert node["a"] == node["b"] != ""
        assert node["masked"]["nir"] == node["other"]["nir"]


async def test_one_document_shows_more_or_less_by_its_variables(reader: Reader):
    query = """query($more: Boolean!, $less: Boolean = false) { jobApplications(first: 2) { nodes {
        id
        state @include(if: $more)
        company @skip(if: $less) { name siret @include(if: $more) }
        ...F @include(if: $more)
        ... on JobApplication @skip(if: $less) { jobSeeker { firstName } }
    } } }
    fragment F on JobApplication { approval { number } }"""

    async def keys(**variables: bool) -> set[str]:
        node = (await shown_by(reader, query, **variables))["jobApplications"]["nodes"][0]
        return set(node) | ({f"company.{name}" for name in node["company"]} if "company" in node else set())

    everything = {"id", "state", "company", "company.name", "company.siret", "approval", "jobSeeker"}
    expected = {
        (True, False): everything,
        (False, False): {"id", "company", "company.name", "jobSeeker"},
        (True, True): {"id", "state", "approval"},
        (False, True): {"id"},
    }
    # Twice, in both orders: what one asked must not be what the next is shown.
    for (more, less), wanted in [*expected.items(), *reversed(expected.items())]:
        assert await keys(more=more, less=less) == wanted
    assert await keys(more=True) == everything


async def test_an_operation_of_several_reads_as_it_would_alone(reader: Reader):
    both = "query A { jobSeekers(first: 1) { nodes { firstName } } } query B { jobSeekers(first: 1) { nodes { id } } }"

    async def named(name: str) -> Any:
        response = await reader.graphql.http.post(
            "/graphql",
            json={"query": both, "operationName": name},
            headers={"Authorization": f"Bearer {token_for(reader.crowd.operator)}"},
        )
        return response.json()["data"]["jobSeekers"]["nodes"][0]

    assert set(await named("A")) == {"firstName"}
    assert set(await named("B")) == {"id"}


async def test_a_node_shows_what_is_selected_for_its_own_type(reader: Reader):
    query = """query($id: ID!) { node(id: $id) { __typename id
        ... on Company { name kind } ... on PrescriberOrganization { name isAuthorized }
        ... on JobSeeker { firstName currentApproval { number } } ... on Node { ... on Company { siret } } } }"""
    crowd = reader.crowd

    company = (await shown_by(reader, query, id=encode("Company", crowd.company.id)))["node"]
    hub = (await shown_by(reader, query, id=encode("JobSeeker", crowd.hub.id)))["node"]

    assert set(company) == {"__typename", "id", "name", "kind", "siret"}
    assert set(hub) == {"__typename", "id", "firstName", "currentApproval"}


async def test_a_union_shows_what_is_selected_for_its_member(reader: Reader):
    query = """{ viewer { kind permissions user { email } organization { __typename
        ... on Company { name jobApplications { totalCount } } ... on Institution { region { name } }
        ... on Node { id } } } }"""
    crowd = reader.crowd

    answer = await reader.graphql(query, as_=crowd.employer, of=crowd.company)

    assert answer.data["viewer"]["organization"] == {
        "__typename": "Company",
        "id": encode("Company", crowd.company.id),
        "name": "Atelier Été",
        "jobApplications": {"totalCount": PEOPLE + 6},
    }
    assert answer.data["viewer"]["user"] == {"email": crowd.employer.email}


async def test_one_document_shows_each_kind_of_viewer_their_own(reader: Reader):
    query = "{ jobSeekers(first: 100) { totalCount nodes { firstName email currentApproval { number } } } }"
    crowd = reader.crowd
    nobody = await make_user(UserKind.EMPLOYER)

    async def seen(**who: Any) -> tuple[int | None, list[str]]:
        answer = await reader.graphql(query, **who)
        data = answer.body["data"]
        return (data["jobSeekers"]["totalCount"] if data else None), sorted(set(answer.codes))

    expected: list[tuple[dict[str, Any], tuple[int | None, list[str]]]] = [
        ({"as_": crowd.operator}, (PEOPLE, [])),
        ({"as_": crowd.employer, "of": crowd.company}, (PEOPLE, [])),
        ({"as_": crowd.employer}, (0, [])),
        ({"as_": nobody}, (0, [])),
        ({}, (None, ["UNAUTHENTICATED"])),
    ]
    for who, wanted in [*expected, *reversed(expected)]:
        assert await seen(**who) == wanted
    await nobody.delete()
