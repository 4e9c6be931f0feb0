"""What goes wrong tells nobody more than it must: no message, no SQL and no person, neither in answers nor in logs."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from execution.engine import GraphQLEngine
from models import Company, User
from models.database import DatabaseConfig, connection_parameters, fetch_all, write
from models.enums import JobApplicationState, Title, UserKind
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from resolvers.global_ids import encode
from tests.factories import (
    make_approval,
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
    make_nir,
    make_user,
)
from tests.integration.schema.client import CONFIG, Answer, GraphQLClient, never_ring, serve, token_for

NIR = make_nir(Title.M, date(1985, 5, 4), number=424_242)
NAME = "Confidentielle-Inventée"
INSIDE = ("SELECT", "job_seeker_profile", "asyncpg", "tortoise", "Traceback", 'File "', "access_log")

Grep = Callable[[], str]


@pytest.fixture
def output(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Grep:
    """Everything that was logged or printed, without the spaces that a NIR may be written with."""
    caplog.set_level(logging.INFO)

    def read() -> str:
        lines = [record.getMessage() + (record.exc_text or "") for record in caplog.records]
        return "".join((*lines, *capfd.readouterr())).replace(" ", "")

    return read


@pytest.fixture
async def person(database: object) -> User:
    return await make_job_seeker(title=Title.M, last_name=NAME, profile={"nir": NIR, "birthdate": date(1985, 5, 4)})


@pytest.fixture
async def employer(person: User) -> tuple[User, Company]:
    """Somebody who hired the person, and may therefore see the whole number."""
    company = await make_company()
    await make_job_application(person, company, state=JobApplicationState.ACCEPTED)
    return await make_employer(company), company


def assert_says_nothing(answer: Answer) -> None:
    """Only the code, the path and the id of the request leave the house."""
    assert set(answer.codes) == {"INTERNAL"}
    text = json.dumps(answer.body, ensure_ascii=False)
    assert NIR not in text.replace(" ", "")
    assert NAME not in text
    assert not any(word in text for word in INSIDE)
    for error in answer.body["errors"]:
        assert error["message"] == "Internal error; quote the request id to the support team."
        assert set(error["extensions"]) == {"code", "requestId"}
        assert error["extensions"]["requestId"] == answer.headers["x-request-id"]


# -- the caller's own mistakes, with a NIR in them


def mistakes() -> dict[str, dict[str, Any]]:
    spaced = " ".join((NIR[0], NIR[1:3], NIR[3:5], NIR[5:7], NIR[7:10], NIR[10:13], NIR[13:15]))
    return {
        "syntax": {"query": f'{{ viewer {{ kind "{NIR}" }}'},
        "field": {"query": f"{{ viewer {{ n{NIR} }} }}"},
        "argument": {"query": f'{{ jobSeeker(nir: "{NIR}") {{ id }} }}'},
        "literal": {"query": f"{{ jobSeekers(first: {NIR}) {{ totalCount }} }}"},
        "id": {"query": f'{{ node(id: "{NIR}") {{ id }} }}'},
        "cursor": {"query": f'{{ jobSeekers(after: "{NIR}") {{ totalCount nodes {{ id }} }} }}'},
        "search": {"query": f'{{ jobSeekers(filter: {{ search: "{spaced}" }}) {{ totalCount }} }}'},
        "long search": {"query": f'{{ jobSeekers(filter: {{ search: "{NIR * 10}" }}) {{ totalCount }} }}'},
        "number": {"query": f'{{ approval(number: "{NIR}") {{ id }} }}'},
        "siret": {"query": f'{{ company(siret: "{NIR}") {{ id }} }}'},
        "alias": {"query": f"{{ n{NIR}: viewer {{ kind }} }}"},
        "comment": {"query": f"{{ viewer {{ kind }} }} # {NIR}"},
        "fragment": {"query": f"{{ ...F{NIR} }}"},
        "variable": {"query": "query($n: Int) { jobSeekers(first: $n) { totalCount } }", "variables": {"n": NIR}},
        "unknown variable": {"query": "{ viewer { kind } }", "variables": {NIR: NIR}},
        "enum": {
            "query": "query($s: [JobApplicationState!]) { jobApplications(filter: { states: $s }) { totalCount } }",
            "variables": {"s": [NIR]},
        },
        "input": {
            "query": "query($f: JobSeekerFilter) { jobSeekers(filter: $f) { totalCount } }",
            "variables": {"f": {"nir": NIR}},
        },
        "operation name": {"query": "query A { viewer { kind } }", "operationName": NIR},
        "operation": {"query": f"query Q{NIR} {{ viewer {{ kind }} }}"},
        "mutation": {
            "query": "mutation($i: UpdateJobSeekerInput!) { updateJobSeeker(input: $i) { __typename } }",
            "variables": {"i": {"id": NIR, "nir": NIR}},
        },
        "extensions": {"query": "{ viewer { kind } }", "extensions": NIR},
        "body": {"nir": NIR},
    }


@pytest.mark.parametrize("mistake", mistakes())
async def test_a_number_in_a_mistake_is_not_logged(
    graphql: GraphQLClient, employer: tuple[User, Company], output: Grep, mistake: str
):
    headers = {"Authorization": f"Bearer {token_for(*employer)}"}

    response = await graphql.http.post("/graphql", json=mistakes()[mistake], headers=headers)

    assert response.status_code < 500
    assert "INTERNAL" not in response.text
    assert NIR not in output()


@pytest.mark.parametrize(
    "header",
    [{"Authorization": f"Bearer {NIR}"}, {"Authorization": NIR}, {"Content-Type": NIR}, {"Accept": NIR}],
    ids=lambda header: next(iter(header)),
)
async def test_a_number_in_a_header_is_neither_logged_nor_repeated(
    graphql: GraphQLClient, output: Grep, header: dict[str, str]
):
    content = json.dumps({"query": "{ departments { code } }"}).encode()
    response = await graphql.http.post(
        "/graphql", content=content, headers={"Content-Type": "application/json"} | header
    )

    assert 400 <= response.status_code < 500
    assert NIR not in response.text + str(response.headers)
    assert NIR not in output()


# -- our own mistakes


@pytest.fixture
async def careless(database: object, engine: GraphQLEngine) -> AsyncIterator[GraphQLClient]:
    """A server whose bell breaks with a message that should not exist."""

    async def ring(job: str, record_id: UUID) -> None:
        raise ValueError(f"SELECT nir FROM job_seeker_profile: {NIR} {NAME} {job} {record_id}")

    async with serve(engine, Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=ring)) as client:
        yield client


async def test_an_unforeseen_exception_in_a_resolver_tells_its_class_and_place_to_the_log_alone(
    careless: GraphQLClient, output: Grep
):
    staff = await make_user(UserKind.STAFF)
    approval = await make_approval()
    query = "mutation($id: ID!) { cancelApproval(id: $id) { __typename } }"

    answer = await careless(query, {"id": encode("Approval", approval.id)}, as_=staff)

    assert_says_nothing(answer)
    assert answer.body["errors"][0]["path"] == ["cancelApproval"]
    logged = output()
    assert "request_failed" in logged
    assert "ValueError" in logged
    assert "approvals.py:" in logged
    assert answer.headers["x-request-id"] in logged
    assert NIR not in logged
    assert NAME not in logged


async def test_a_number_that_can_no_longer_be_opened_is_an_internal_error_of_its_field(
    graphql: GraphQLClient, employer: tuple[User, Company], person: User, output: Grep
):
    await write("UPDATE job_seeker_profile SET nir = $1 WHERE id = $2", b"garbage " + NIR.encode(), person.id)

    answer = await graphql("{ jobSeekers { nodes { id nir(format: FULL) } } }", as_=employer[0], of=employer[1])

    assert_says_nothing(answer)
    assert answer.body["data"]["jobSeekers"]["nodes"][0]["id"] == encode("JobSeeker", person.id)
    assert NIR not in output()


@pytest.mark.parametrize("table", ["approval", "membership", "access_log"])
async def test_a_database_that_fails_is_an_internal_error_wherever_it_does(
    graphql: GraphQLClient, employer: tuple[User, Company], output: Grep, table: str
):
    query = f"""{{ jobSeekers(filter: {{ search: "{NAME}" }}) {{ nodes {{ lastName nir(format: FULL)
        currentApproval {{ number }} }} }} }}"""
    await fetch_all(f"ALTER TABLE {table} RENAME TO {table}_away")

    try:
        answer = await graphql(query, as_=employer[0], of=employer[1])
    finally:
        await fetch_all(f"ALTER TABLE {table}_away RENAME TO {table}")

    assert_says_nothing(answer)
    assert answer.body.get("data") is None
    logged = output()
    assert "request_failed" in logged
    assert NIR not in logged
    assert NAME not in logged


async def test_an_operation_past_its_deadline_is_504_and_the_server_goes_on(
    database: DatabaseConfig, engine: GraphQLEngine, output: Grep
):
    staff = await make_user(UserKind.STAFF)
    await make_company(name=NAME)
    query = f'{{ companies(search: "{NAME}") {{ totalCount }} }}'
    resources = Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=never_ring)
    holder: asyncpg.Connection = await asyncpg.connect(**connection_parameters(database.url))  # pyright: ignore[reportUnknownVariableType]: asyncpg has no stubs

    in_a_hurry = replace(CONFIG, deadline_seconds=0.05)
    async with serve(engine, resources, config=in_a_hurry) as hurried, holder.transaction():
        await holder.execute("LOCK TABLE company IN ACCESS EXCLUSIVE MODE")
        late = await hurried(query, as_=staff)
    await holder.close()
    async with serve(engine, resources) as patient:
        afterwards = await patient(query, as_=staff)

    assert late.status == 504
    assert late.codes == ["LIMIT_EXCEEDED"]
    assert set(late.body) == {"errors"}
    assert afterwards.data == {"companies": {"totalCount": 1}}
    assert NAME not in output()


async def test_server_timing_counts_statements_and_shows_none(graphql: GraphQLClient, employer: tuple[User, Company]):
    answer = await graphql("{ jobSeekers { totalCount } }", as_=employer[0], of=employer[1])

    assert answer.headers["server-timing"].startswith('sql;desc="2 statements";dur=')
