"""Every field of the schema × every kind of viewer × rows of their own, of their organisation and of others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from graphql import GraphQLField, GraphQLObjectType, GraphQLUnionType

from clients.tally import TallyForms
from execution.engine import GraphQLEngine
from execution.types import named_type
from models import AccessLog, JobSeekerProfile, User
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from resolvers.global_ids import encode
from schema.build import build_schema
from services.surveys import SurveyPlan
from tests.integration.schema.client import CONFIG, Answer, GraphQLClient, never_ring, serve
from tests.integration.schema.crowd import empty_database
from tests.security import matrix
from tests.security.matrix import ANONYMOUS, FIELDS, SIGNED_IN, VIEWERS, VISIBLE, Field, sees
from tests.security.world import World, make_world

SCHEMA = build_schema()
OBJECT_TYPES = {
    name: kind
    for name, kind in SCHEMA.type_map.items()
    if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
}
NODE_TYPES = [name for name, kind in OBJECT_TYPES.items() if any(face.name == "Node" for face in kind.interfaces)]

Keys = Callable[[World, Any], set[UUID]]


def _of(type_name: str, column: str) -> Keys:
    """Rows of a type whose foreign key is this row."""
    return lambda world, row: {
        other.id for other in world.rows[type_name].values() if getattr(other, f"{column}_id") == row.id
    }


def _to(column: str) -> Keys:
    """The row that a foreign key of this row names."""
    return lambda _, row: {getattr(row, f"{column}_id")} - {None}


# Which rows of the world lie behind a field, whoever looks.
LEADS_TO: dict[str, Keys] = {
    "JobSeeker.currentApproval": _of("Approval", "job_seeker"),
    "JobSeeker.approvals": _of("Approval", "job_seeker"),
    "JobSeeker.jobApplications": _of("JobApplication", "job_seeker"),
    "JobSeeker.participations": _of("Participation", "job_seeker"),
    "JobSeeker.surveys": lambda world, row: {
        survey.id
        for survey in world.rows["Survey"].values()
        if survey.job_application_id in LEADS_TO["JobSeeker.jobApplications"](world, row)
    },
    "Approval.jobSeeker": _to("job_seeker"),
    "Approval.originCompany": _to("origin_company"),
    "ApprovalNotification.attempts": _of("NotificationAttempt", "approval"),
    "JobApplication.jobSeeker": _to("job_seeker"),
    "JobApplication.company": _to("company"),
    "JobApplication.approval": _to("approval"),
    "JobApplication.invitationRequests": lambda world, row: {
        request.id
        for request in world.rows["InvitationRequest"].values()
        if (request.job_seeker_id, request.company_id) == (row.job_seeker_id, row.company_id)
    },
    "JobApplication.surveys": _of("Survey", "job_application"),
    "Survey.jobApplication": _to("job_application"),
    "Company.jobApplications": _of("JobApplication", "company"),
    "Company.appointments": _of("Appointment", "company"),
    "Appointment.company": _to("company"),
    "Appointment.location": _to("location"),
    "Appointment.participations": _of("Participation", "appointment"),
    "Participation.jobSeeker": _to("job_seeker"),
    "Participation.appointment": _to("appointment"),
    "InvitationRequest.company": _to("company"),
    "InvitationRequest.jobSeeker": _to("job_seeker"),
    "InvitationRequest.invitations": _of("Invitation", "invitation_request"),
}


# -- the world, asked by somebody


@dataclass(slots=True)
class Court:
    """The world and the endpoint."""

    graphql: GraphQLClient
    world: World

    async def ask(self, viewer: str, query: str, **variables: Any) -> Answer:
        asker = self.world.viewers[viewer]
        return await self.graphql(query, variables, as_=asker.who, of=asker.of)


@pytest.fixture(scope="module")
async def court(_open_database: object, engine: GraphQLEngine) -> AsyncIterator[Court]:
    world = await make_world()
    resources = Resources(
        cursors=CursorSigner(b"tests-only-cursor-key"),
        ring=never_ring,
        surveys=SurveyPlan(forms=TallyForms("https://tally.so")),
    )
    # As in production: who asked before is remembered.
    async with serve(engine, resources, config=replace(CONFIG, remembers_viewers=True)) as client:
        yield Court(client, world)
    await empty_database()


# -- the table covers the schema


def is_connection(name: str) -> bool:
    return name.endswith("Connection")


def fields_of_the_table(type_name: str) -> set[str]:
    if type_name == "Query":
        signed_in = {*matrix.ROOT_LISTS, *matrix.ROOT_ROWS, *matrix.ROOT_NODES, *matrix.FOR_THE_SIGNED_IN}
        return signed_in | matrix.FOR_EVERYBODY | set(matrix.FIGURES)
    if type_name == "Mutation":
        return {*matrix.MUTATIONS, *matrix.ENTRIES}
    if type_name == "Subscription":
        return set(matrix.SUBSCRIPTIONS)
    if is_connection(type_name):
        return set(matrix.CONNECTION_PARTS)
    if type_name.endswith("Edge"):
        return set(matrix.EDGE_PARTS)
    flat = {**matrix.OUTCOMES, **matrix.PUBLIC_DATA, **matrix.OF_DASHBOARDS, **matrix.EVENTS}
    if (listed := flat.get(type_name)) is not None:
        return set(listed.split())
    return {name.partition(".")[2] for name in FIELDS if name.partition(".")[0] == type_name}


def missing_rows() -> list[str]:
    missing: list[str] = []
    for type_name, kind in OBJECT_TYPES.items():
        known = fields_of_the_table(type_name)
        missing += [f"{type_name}.{field}" for field in kind.fields if field not in known]
        missing += [f"{type_name}.{field} (in the table only)" for field in known if field not in kind.fields]
    return missing


def test_every_field_of_the_schema_has_a_row_in_the_table():
    assert missing_rows() == []


def test_the_table_names_every_node_type_and_nothing_else():
    assert set(VISIBLE) == set(NODE_TYPES)
    assert {field.partition(".")[0] for field in LEADS_TO} <= set(OBJECT_TYPES)
    assert {name for name, field in FIELDS.items() if field.shows and name != "Viewer.user"} == set(LEADS_TO)


async def test_the_table_names_rows_and_viewers_of_the_world(court: Court):
    assert set(court.world.viewers) == set(VIEWERS)
    for type_name, by_viewer in VISIBLE.items():
        for viewer, seen in by_viewer.items():
            assert viewer in VIEWERS
            assert seen == matrix.EVERY_ROW or seen <= set(court.world.rows[type_name]), (type_name, viewer)


# -- every field of every row


def selection(type_name: str, *, depth: int = 0) -> str:
    """Everything that a type shows. A row that it leads to is asked for its id: its own fields are asked of itself."""
    parts: list[str] = []
    for name, field in OBJECT_TYPES[type_name].fields.items():
        kind = named_type(field.type)
        # Two types of one document may give one name to different types; their rows are told apart by the alias.
        alias = f"{type_name}_{name}: " if depth == 0 else ""
        if isinstance(kind, GraphQLObjectType):
            parts.append(f"{alias}{name} {{ {_below(kind.name, depth)} }}")
        elif not isinstance(kind, GraphQLUnionType):
            parts.append(f"{alias}{name}")
    return " ".join(parts)


def _below(type_name: str, depth: int) -> str:
    if type_name in NODE_TYPES:
        return "id"
    if is_connection(type_name):
        return (
            "totalCount nodes { id } edges { cursor node { id } }"
            " pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
        )
    if type_name == "Region":
        return "code name departments { code }"
    return selection(type_name, depth=depth + 1)


class Cells:
    """Compares what a row showed with what the table says, cell by cell."""

    def __init__(self, world: World, viewer: str, answer: Answer) -> None:
        self._world = world
        self._viewer = viewer
        self._errors = answer.errors_by_path
        self.wrong: list[str] = []

    def check_type(self, type_name: str, row: str, shown: dict[str, Any], path: str, *, depth: int = 0) -> None:
        for name, field in OBJECT_TYPES[type_name].fields.items():
            if isinstance(named_type(field.type), GraphQLUnionType):
                continue
            key = f"{type_name}_{name}" if depth == 0 else name
            self._check(f"{type_name}.{name}", field, row, shown[key], f"{path}.{key}", depth)

    def _check(self, cell: str, field: GraphQLField, row: str, value: Any, path: str, depth: int) -> None:
        rule = FIELDS[cell]
        error = self._errors.pop(path, None)
        if not rule.is_read_by(self._viewer, row):
            refused = (value, error) == (None, "FORBIDDEN")
            self._expect(cell, row, refused, f"null and FORBIDDEN, not {value!r} and {error}")
        elif rule.of_partner:
            asked = (value, error) == (None, "PARTNER_UNAVAILABLE")
            self._expect(cell, row, asked, f"the partner to be asked, not {value!r} and {error}")
        elif error is not None:
            self._expect(cell, row, False, f"no {error}")
        elif rule.shows is not None:
            self._check_rows(cell, rule, row, value)
        elif value is None:
            self._expect(cell, row, rule.may_be_null, "a value, not null")
        else:
            self._check_parts(field, row, value, path, depth)

    def _check_parts(self, field: GraphQLField, row: str, value: Any, path: str, depth: int) -> None:
        kind = named_type(field.type)
        if not isinstance(kind, GraphQLObjectType) or kind.name == "Region":
            return
        if isinstance(value, list):
            for position, item in enumerate(cast("list[Any]", value)):
                self.check_type(kind.name, row, item, f"{path}.{position}", depth=depth + 1)
        else:
            self.check_type(kind.name, row, value, path, depth=depth + 1)

    def _check_rows(self, cell: str, rule: Field, row: str, value: Any) -> None:
        assert rule.shows is not None
        # A part of a row (a notification) leads where its row does.
        owner = "Approval" if cell.startswith("ApprovalNotification.") else cell.partition(".")[0]
        behind = self._world.names(rule.shows, LEADS_TO[cell](self._world, self._world.row(owner, row)))
        expected = {name for name in behind if rule.even_hidden or sees(self._viewer, rule.shows, name)}
        found = self._names(rule.shows, value)
        self._expect(cell, row, found == sorted(expected), f"{sorted(expected)}, not {found}")

    def _names(self, type_name: str, value: Any) -> list[str]:
        """Return the names of the rows that a field shows; of a page, once all its parts agree."""
        if isinstance(value, dict) and "totalCount" in value:
            page = cast("dict[str, Any]", value)
            assert page["nodes"] == [edge["node"] for edge in page["edges"]]
            assert page["totalCount"] == len(page["nodes"]), "a total tells of hidden rows"
            assert page["pageInfo"]["hasNextPage"] is False
            value = page["nodes"]
        one: list[Any] = [] if value is None else [value]
        listed = cast("list[Any]", value) if isinstance(value, list) else one
        by_id = {self._world.id(type_name, name): name for name in self._world.rows[type_name]}
        return sorted(by_id[item["id"]] for item in listed)

    def _expect(self, cell: str, row: str, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(f"{self._viewer} on {cell} of {row}: expected {what}")

    def finish(self) -> None:
        self.wrong += [f"{self._viewer}: unexpected {code} at {path}" for path, code in self._errors.items()]
        assert not self.wrong, "\n".join(self.wrong)


@pytest.mark.parametrize("type_name", NODE_TYPES)
@pytest.mark.parametrize("viewer", SIGNED_IN)
async def test_each_viewer_reads_of_each_row_what_the_table_says(court: Court, viewer: str, type_name: str):
    names = list(court.world.rows[type_name])
    ids = [court.world.id(type_name, name) for name in names]
    query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {type_name} {{ {selection(type_name)} }} }} }}"

    answer = await court.ask(viewer, query, ids=ids)

    cells = Cells(court.world, viewer, answer)
    for position, (name, shown) in enumerate(zip(names, answer.body["data"]["nodes"], strict=True)):
        assert (shown is not None) is sees(viewer, type_name, name), f"{type_name} {name} and {viewer}"
        if shown is not None:
            cells.check_type(type_name, name, shown, f"nodes.{position}")
    cells.finish()


@pytest.mark.parametrize("type_name", NODE_TYPES)
@pytest.mark.parametrize("viewer", SIGNED_IN)
async def test_a_node_out_of_sight_answers_as_one_that_does_not_exist(court: Court, viewer: str, type_name: str):
    hidden = [name for name in court.world.rows[type_name] if not sees(viewer, type_name, name)]
    query = f"query($id: ID!) {{ node(id: $id) {{ __typename id ... on {type_name} {{ {selection(type_name)} }} }} }}"
    absent = await court.ask(viewer, query, id=encode(type_name, uuid4()))

    # That none of the others shows anything is asked above, of all rows at once.
    for name in hidden[:1]:
        answer = await court.ask(viewer, query, id=court.world.id(type_name, name))

        assert (answer.status, answer.body) == (absent.status, absent.body) == (200, {"data": {"node": None}})
        assert answer.statements == absent.statements


# -- root fields


@pytest.mark.parametrize("name", matrix.ROOT_LISTS)
@pytest.mark.parametrize("viewer", SIGNED_IN)
async def test_a_list_holds_what_its_viewer_sees(court: Court, viewer: str, name: str):
    type_name = matrix.ROOT_LISTS[name]

    answer = await court.ask(
        viewer, f"{{ {name}(first: 100) {{ totalCount nodes {{ id }} edges {{ node {{ id }} }} }} }}"
    )

    page = answer.data[name]
    expected = {court.world.id(type_name, row) for row in court.world.rows[type_name] if sees(viewer, type_name, row)}
    assert {node["id"] for node in page["nodes"]} == {edge["node"]["id"] for edge in page["edges"]} == expected
    assert page["totalCount"] == len(page["nodes"]) == len(expected)


@pytest.mark.parametrize("name", matrix.ROOT_ROWS)
@pytest.mark.parametrize("viewer", SIGNED_IN)
async def test_a_single_row_is_found_by_who_sees_it(court: Court, viewer: str, name: str):
    type_name = matrix.ROOT_ROWS[name]
    by = {"approval": ("number", "String!"), "company": ("siret", "SIRET!")}.get(name, ("id", "ID!"))
    query = f"query($key: {by[1]}) {{ {name}({by[0]}: $key) {{ id }} }}"

    for row, record in court.world.rows[type_name].items():
        key = court.world.id(type_name, row) if by[0] == "id" else getattr(record, by[0])
        answer = await court.ask(viewer, query, key=key)

        expected = {"id": court.world.id(type_name, row)} if sees(viewer, type_name, row) else None
        assert answer.body == {"data": {name: expected}}, row


ROOT_SELECTIONS = {
    **{name: f"{name} {{ totalCount }}" for name in matrix.ROOT_LISTS},
    "jobSeeker": 'jobSeeker(id: "$") { id }',
    "jobApplication": 'jobApplication(id: "$") { id }',
    "approval": 'approval(number: "999990000001") { id }',
    "company": 'company(siret: "$siret") { id }',
    "node": 'node(id: "$") { id }',
    "nodes": 'nodes(ids: ["$"]) { id }',
    "viewer": "viewer { kind }",
    "dashboards": "dashboards { slug title embedUrl cards { id } }",
    "dashboard": 'dashboard(slug: "stats_public") { slug embedUrl }',
    "surveyStatistics": "surveyStatistics { sent }",
    "partnerHealth": "partnerHealth { partner breaker }",
    "department": 'department(code: "57") { name region { name } }',
    "departments": "departments { code }",
    "geocode": 'geocode(address: "1 rue Inventée") { __typename }',
    "establishment": 'establishment(siret: "90210001500012") { __typename }',
    "inclusionStructures": 'inclusionStructures(filter: { departmentCode: "57" }) { totalCount }',
    "commune": 'commune(inseeCode: "57463") { name }',
    "communes": 'communes(search: "Metz") { name }',
    "addressSuggestions": 'addressSuggestions(text: "1 rue Inventée") { label }',
}


@pytest.mark.parametrize("name", ROOT_SELECTIONS)
async def test_who_is_not_signed_in_is_told_so_by_all_but_public_fields(court: Court, name: str):
    siret = court.world.row("Company", "a").siret
    existing = ROOT_SELECTIONS[name].replace("$siret", siret).replace("$", court.world.id("JobSeeker", "zoe"))

    answer = await court.ask(ANONYMOUS, f"{{ {existing} }}")

    if name in matrix.FOR_EVERYBODY:
        assert answer.codes in ([], ["PARTNER_UNAVAILABLE"])
    else:
        assert answer.codes == ["UNAUTHENTICATED"]
        assert not (answer.body["data"] or {}).get(name)
    assert set(ROOT_SELECTIONS) == set(OBJECT_TYPES["Query"].fields)


@pytest.mark.parametrize("name", matrix.FIGURES)
@pytest.mark.parametrize("viewer", SIGNED_IN)
async def test_figures_are_for_whom_the_table_names(court: Court, viewer: str, name: str):
    answer = await court.ask(viewer, f"{{ {ROOT_SELECTIONS[name]} }}")

    is_reader = viewer in matrix.FIGURES[name]
    assert answer.codes == ([] if is_reader else ["FORBIDDEN"])
    assert (answer.body["data"][name] is not None) is is_reader


_STAFF_PERMISSIONS = {
    "READ_JOB_SEEKERS",
    "EDIT_JOB_SEEKERS",
    "CERTIFY_IDENTITY",
    "MANAGE_APPROVALS",
    "MANAGE_COMPANY",
    "VIEW_DASHBOARDS",
}
PERMISSIONS = {
    "JOB_SEEKER": {"READ_JOB_SEEKERS", "READ_FULL_NIR", "EDIT_JOB_SEEKERS", "CERTIFY_IDENTITY"},
    "EMPLOYER": {
        "READ_JOB_SEEKERS",
        "READ_FULL_NIR",
        "EDIT_JOB_SEEKERS",
        "CERTIFY_IDENTITY",
        "MANAGE_APPROVALS",
        "INVITE_TO_APPOINTMENT",
        "VIEW_DASHBOARDS",
    },
    "AUTHORIZED_PRESCRIBER": {"READ_JOB_SEEKERS", "EDIT_JOB_SEEKERS", "CERTIFY_IDENTITY", "VIEW_DASHBOARDS"},
    "PRESCRIBER": {"READ_JOB_SEEKERS"},
    "PRESCRIBER_OF_NOTHING": {"READ_JOB_SEEKERS"},
    "LABOR_INSPECTOR": {"VIEW_DASHBOARDS"},
    "STAFF": _STAFF_PERMISSIONS,
    "OBSERVER": _STAFF_PERMISSIONS | {"OBSERVE"},
    "OPERATOR": _STAFF_PERMISSIONS | {"OBSERVE", "OPERATE"},
    "STAFF_OF_FULL_NIR": _STAFF_PERMISSIONS | {"READ_FULL_NIR"},
}


@pytest.mark.parametrize("viewer", SIGNED_IN)
async def test_viewer_tells_who_one_is_and_may(court: Court, viewer: str):
    asker = court.world.viewers[viewer]

    answer = await court.ask(
        viewer, "{ viewer { kind permissions user { id } organization { __typename ... on Node { id } } } }"
    )

    shown = answer.data["viewer"]
    who = asker.who
    assert who is not None
    assert shown["kind"] == (who.kind.name if isinstance(who, User) else "PARTNER")
    assert set(shown["permissions"]) == PERMISSIONS.get(viewer, set())
    assert shown["user"] == ({"id": encode("User", who.id)} if isinstance(who, User) else None)
    of = asker.of
    assert shown["organization"] == (
        None if of is None else {"__typename": type(of).__name__, "id": encode(type(of).__name__, of.id)}
    )


# -- the whole NIR


@pytest.mark.parametrize("viewer", SIGNED_IN)
async def test_the_whole_number_is_for_whom_the_table_names_and_leaves_a_trace(court: Court, viewer: str):
    allowed = matrix.FULL_NIR.get(viewer, frozenset[str]())
    query = "query($id: ID!) { node(id: $id) { ... on JobSeeker { masked: nir full: nir(format: FULL) } } }"

    for name, person in court.world.rows["JobSeeker"].items():
        if not sees(viewer, "JobSeeker", name):
            continue
        traces = await AccessLog.filter(job_seeker_id=person.id, field="nir").count()
        answer = await court.ask(viewer, query, id=court.world.id("JobSeeker", name))

        shown = answer.body["data"]["node"]
        left = await AccessLog.filter(job_seeker_id=person.id, field="nir").count() - traces
        if name in allowed or allowed == matrix.EVERY_ROW:
            profile = await JobSeekerProfile.get(id=person.id)
            assert shown["full"].replace(" ", "") == profile.nir, name
            assert left == 1
        else:
            assert (shown["full"], answer.errors_by_path["node.full"], left) == (None, "FORBIDDEN", 0), name
        if shown["masked"] is not None:
            assert shown["masked"].endswith("•• ••• ••• ••")
