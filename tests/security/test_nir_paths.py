"""Each way of the schema to a job seeker, over each transport: whoever is shown a whole NIR leaves a trace."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import FieldNode, TypeInfo, TypeInfoVisitor, Visitor, parse, visit

from execution.engine import GraphQLEngine, OperationRequest
from execution.subscriptions import SubscriptionEngine
from execution.types import named_type
from models import AccessLog, Approval, InvitationRequest, User
from models.database import DatabaseConfig
from models.enums import NotificationStatus, UserKind
from resolvers.context import Resources
from resolvers.global_ids import encode
from schema.build import build_schema
from schema.streams.operations import Errors, OperationRunner
from schema.streams.operations import encode as encoded
from schema.streams.sessions import Session
from services.tokens import TokenVerifier
from tests.factories import (
    NOW,
    make_appointment,
    make_approval,
    make_company,
    make_job_application,
    make_job_seeker,
    make_participation,
    make_user,
)
from tests.integration.schema.client import AUDIENCE, HS256_KEY, ISSUER, GraphQLClient, token_for
from tests.integration.schema.subscribers import station
from tests.waiting import until

FULL = "nir(format: FULL)"
PATHS = {
    "node": f"query($person: ID!) {{ node(id: $person) {{ ... on JobSeeker {{ {FULL} }} }} }}",
    "nodes": f"query($person: ID!) {{ nodes(ids: [$person, $person]) {{ ... on JobSeeker {{ {FULL} }} }} }}",
    "jobSeeker": f"query($person: ID!) {{ jobSeeker(id: $person) {{ {FULL} }} }}",
    "jobSeekers": f"{{ jobSeekers {{ nodes {{ {FULL} }} }} }}",
    "jobSeekers by edges": f"{{ jobSeekers {{ edges {{ node {{ {FULL} }} }} }} }}",
    "approvals": f"{{ approvals {{ nodes {{ jobSeeker {{ {FULL} }} }} }} }}",
    "applications": f"{{ jobApplications {{ nodes {{ jobSeeker {{ {FULL} }} }} }} }}",
    "participations": f"{{ participations {{ nodes {{ jobSeeker {{ {FULL} }} }} }} }}",
    "invitation requests": "{ jobApplications { nodes { invitationRequests { nodes {"
    f" jobSeeker {{ {FULL} }} }} }} }} }} }}",
    "a mutation": 'mutation($person: ID!) { updateJobSeeker(input: {id: $person, phone: "0600000000"}) {'
    f" ... on JobSeeker {{ {FULL} }} }} }}",
}
# It takes a partner's answer; what it shows is the same type with the same resolver.
NEEDS_A_PARTNER = {("IdentityCertified", "jobSeeker")}


@dataclass
class Sink:
    """What a connection was told, and how many traces there were by then."""

    answers: list[tuple[Any, int]] = field(default_factory=list[tuple[Any, int]])
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, answer: str, forms: MutableMapping[str, bytes] | None = None) -> None:
        assert not forms
        self.answers.append((json.loads(answer), await AccessLog.filter(field="nir").count()))
        self.told.set()

    async def error(self, errors: Errors) -> None:
        raise AssertionError(errors)

    async def complete(self) -> None:
        """It answered once."""


async def make_reader() -> tuple[User, User]:
    """Staff who may read numbers, and a person whom everything in the database is about."""
    company = await make_company(rdv_solidarites_id=654)
    person = await make_job_seeker()
    await make_approval(person, company)
    await make_job_application(person, company)
    await make_participation(person, await make_appointment(company))
    await InvitationRequest.create(
        job_seeker=person, company=company, reason_category="siae_interview", rdv_insertion_user_id=7, created_at=NOW
    )
    return await make_user(UserKind.STAFF, may_read_full_nir=True), person


def numbers_in(answer: object) -> set[str]:
    """Every whole NIR of an answer."""
    return set(re.findall(r'"([12](?: ?\d){14})"', json.dumps(answer)))


def test_the_paths_are_all_that_the_schema_has():
    schema = build_schema()
    leading = {
        (kind.name, name)
        for kind in schema.type_map.values()
        for name, definition in getattr(kind, "fields", {}).items()
        if getattr(named_type(getattr(definition, "type", None)), "name", "") in ("JobSeeker", "Node")
    }
    walked: set[tuple[str, str]] = set()
    for query in PATHS.values():
        types = TypeInfo(schema)

        class Walk(Visitor):
            def enter_field(self, node: FieldNode, *_: object, types: TypeInfo = types) -> None:
                parent = types.get_parent_type()
                walked.add((getattr(parent, "name", ""), node.name.value))

        visit(parse(query), TypeInfoVisitor(types, Walk()))

    unions = {("Mutation", "updateJobSeeker")}
    assert (leading | unions) - walked == NEEDS_A_PARTNER


@pytest.mark.parametrize("path", PATHS)
async def test_a_number_that_is_shown_over_http_leaves_a_trace(graphql: GraphQLClient, path: str):
    reader, person = await make_reader()
    variables = {"person": encode("JobSeeker", person.id)} if "$person" in PATHS[path] else {}

    answer = await graphql(PATHS[path], variables, as_=reader)

    assert len(numbers_in(answer.data)) == 1
    traces = await AccessLog.filter(field="nir")
    assert [(trace.viewer_id, trace.job_seeker_id) for trace in traces] == [(reader.id, person.id)]


async def session_of(reader: User, resources: Resources) -> Session:
    verifier = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, hs256_key=HS256_KEY)
    session = Session(verifier, resources, client_address="")
    await session.sign_in(f"Bearer {token_for(reader)}")
    return session


@pytest.mark.parametrize("path", PATHS)
async def test_over_a_connection_the_trace_is_there_before_the_number_leaves(
    database: object, engine: GraphQLEngine, resources: Resources, path: str
):
    reader, person = await make_reader()
    variables = {"person": encode("JobSeeker", person.id)} if "$person" in PATHS[path] else {}
    runner = OperationRunner(engine, SubscriptionEngine(engine, encoded), deadline_seconds=10)
    sink = Sink()

    await runner.run(
        OperationRequest(query=PATHS[path], variables=variables), await session_of(reader, resources), sink
    )

    [(answer, traces)] = sink.answers
    assert len(numbers_in(answer)) == 1
    assert traces == 1
    assert (await AccessLog.get(field="nir")).viewer_id == reader.id


async def test_each_who_is_shown_a_number_by_the_same_event_leaves_a_trace_before(
    database: DatabaseConfig, engine: GraphQLEngine, resources: Resources
):
    first, person = await make_reader()
    second = await make_user(UserKind.STAFF, may_read_full_nir=True)
    request = OperationRequest(query=f"subscription {{ approvalNotificationChanged {{ jobSeeker {{ {FULL} }} }} }}")
    async with station(engine, resources, database) as here:
        runner = OperationRunner(engine, here.engine, deadline_seconds=10)
        sinks = [Sink(), Sink()]
        following = [
            asyncio.create_task(runner.run(request, await session_of(reader, here.resources), sink))
            for reader, sink in zip((first, second), sinks, strict=True)
        ]

        async def both_follow() -> bool:
            return here.followers == 2

        await until(both_follow)

        await Approval.filter(job_seeker_id=person.id).update(pe_notification_status=NotificationStatus.SHOULD_RETRY)

        async with asyncio.timeout(20):
            for sink in sinks:
                await sink.told.wait()
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    [[(answer, _)], [(other, traces)]] = [sink.answers for sink in sorted(sinks, key=lambda sink: sink.answers[0][1])]
    assert len(numbers_in(answer)) == len(numbers_in(other)) == 1
    assert traces == 2
    assert {trace.viewer_id for trace in await AccessLog.filter(field="nir")} == {first.id, second.id}
