"""Who may do what to which rows: every mutation × every kind of viewer × every row that it could be about."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from graphql import GraphQLNonNull

from execution.engine import GraphQLEngine
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from resolvers.global_ids import encode
from tests.integration.schema.client import Answer, serve
from tests.integration.schema.crowd import empty_database
from tests.security.matrix import ANONYMOUS, ENTRIES, EVERY_ROW, MUTATIONS, SIGNED_IN, VIEWERS, sees
from tests.security.test_access_matrix import OBJECT_TYPES, Court
from tests.security.world import WEBHOOK_EVENT_ID, make_world

# The type of the row that each mutation is about, and a call of it. Where there is a choice, one that leaves the row as
# it is: nothing to move, an authority that is not configured, an approval that is there already.
CALLS = {
    "createApproval": ("JobApplication", 'createApproval(input: { jobApplicationId: $id, startAt: "2026-03-02" })'),
    "updateApprovalDates": ("Approval", "updateApprovalDates(input: { id: $id })"),
    "cancelApproval": ("Approval", "cancelApproval(id: $id)"),
    "retryApprovalNotification": ("Approval", "retryApprovalNotification(id: $id)"),
    "certifyIdentity": ("JobSeeker", "certifyIdentity(input: { jobSeekerId: $id, authority: FRANCE_TRAVAIL })"),
    "updateJobSeeker": ("JobSeeker", "updateJobSeeker(input: { id: $id })"),
    "recordConsent": ("JobSeeker", "recordConsent(jobSeekerId: $id, purpose: IDENTITY_CERTIFICATION)"),
    "withdrawConsent": ("JobSeeker", "withdrawConsent(jobSeekerId: $id, purpose: IDENTITY_CERTIFICATION)"),
    "sendDiagorienteInvitation": ("JobApplication", "sendDiagorienteInvitation(jobApplicationId: $id)"),
    "requestSurvey": ("JobApplication", "requestSurvey(jobApplicationId: $id, kind: POST_HIRING_EMPLOYER)"),
    "inviteToAppointment": ("JobApplication", "inviteToAppointment(jobApplicationId: $id)"),
    "updateCompany": ("Company", "updateCompany(input: { id: $id })"),
}
ENTERING = {
    "registerCompany": 'registerCompany(input: { siret: "90210001500012", kind: ACI })',
    "replayWebhookEvent": f'replayWebhookEvent(id: "{encode("WebhookEvent", WEBHOOK_EVENT_ID)}")',
}


@pytest.fixture(scope="module")
async def court(_open_database: object, engine: GraphQLEngine) -> AsyncIterator[Court]:
    async def ring(job: str, record_id: object) -> None:
        """Nobody works here."""

    world = await make_world()
    async with serve(engine, Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=ring)) as client:
        yield Court(client, world)
    await empty_database()


def verdict(answer: Answer, mutation: str) -> str:
    """Return FORBIDDEN, NOT_FOUND, UNAUTHENTICATED, or "done" for whatever comes after the question of who may."""
    if answer.codes:
        # Only what may be null is null alone; any other result takes the whole answer with it.
        may_be_null = not isinstance(OBJECT_TYPES["Mutation"].fields[mutation].type, GraphQLNonNull)
        assert answer.body["data"] == ({mutation: None} if may_be_null else None)
        return ", ".join(answer.codes)
    return "NOT_FOUND" if answer.data[mutation]["__typename"] == "NotFound" else "done"


def expected(mutation: str, viewer: str, row: str) -> str:
    if viewer not in MUTATIONS[mutation]:
        return "FORBIDDEN"
    allowed = MUTATIONS[mutation][viewer]
    if row in allowed or allowed == EVERY_ROW:
        return "done"
    return "FORBIDDEN" if sees(viewer, CALLS[mutation][0], row) else "NOT_FOUND"


def test_every_mutation_of_the_schema_is_called():
    assert set(CALLS) == set(MUTATIONS)
    assert set(ENTERING) == set(ENTRIES)
    assert {*CALLS, *ENTERING} == set(OBJECT_TYPES["Mutation"].fields)


@pytest.mark.parametrize("mutation", ENTERING)
@pytest.mark.parametrize("viewer", VIEWERS)
async def test_what_is_not_there_yet_is_entered_by_whom_the_table_names(court: Court, viewer: str, mutation: str):
    answer = await court.ask(viewer, f"mutation {{ {ENTERING[mutation]} {{ __typename }} }}")

    refused = "UNAUTHENTICATED" if viewer == ANONYMOUS else "FORBIDDEN"
    assert verdict(answer, mutation) == ("done" if viewer in ENTRIES[mutation] else refused)


@pytest.mark.parametrize("mutation", CALLS)
@pytest.mark.parametrize("viewer", SIGNED_IN)
async def test_a_mutation_is_for_whom_the_table_names(court: Court, viewer: str, mutation: str):
    type_name, call = CALLS[mutation]
    query = f"mutation($id: ID!) {{ {call} {{ __typename }} }}"

    verdicts = {
        row: verdict(await court.ask(viewer, query, id=court.world.id(type_name, row)), mutation)
        for row in court.world.rows[type_name]
    }

    assert verdicts == {row: expected(mutation, viewer, row) for row in verdicts}


@pytest.mark.parametrize("mutation", CALLS)
async def test_who_is_not_signed_in_writes_nothing(court: Court, mutation: str):
    type_name, call = CALLS[mutation]
    row = next(iter(court.world.rows[type_name]))

    answer = await court.ask(
        ANONYMOUS, f"mutation($id: ID!) {{ {call} {{ __typename }} }}", id=court.world.id(type_name, row)
    )

    assert verdict(answer, mutation) == "UNAUTHENTICATED"


@pytest.mark.parametrize("mutation", CALLS)
async def test_a_row_out_of_sight_and_a_row_that_is_not_there_are_answered_alike(court: Court, mutation: str):
    type_name, call = CALLS[mutation]
    hidden = {"JobApplication": "wim_b", "Approval": "wim", "JobSeeker": "wim", "Company": "b"}[type_name]
    viewer = "EMPLOYER" if "EMPLOYER" in MUTATIONS[mutation] else "OPERATOR"
    query = f"mutation($id: ID!) {{ {call} {{ __typename ... on NotFound {{ message code }} }} }}"
    absent = await court.ask(viewer, query, id=encode(type_name, court.world.row("Institution", "i").id))

    answer = await court.ask(viewer, query, id=court.world.id(type_name, hidden))

    if viewer == "EMPLOYER":
        assert answer.body == absent.body
    assert absent.data[mutation]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("mutation", CALLS)
@pytest.mark.parametrize("wrong", ["", "?", "Q29tcGFueTo=", "company", "é"])
async def test_an_id_that_was_never_given_out_is_bad_user_input(court: Court, mutation: str, wrong: str):
    _, call = CALLS[mutation]

    answer = await court.ask("OPERATOR", f"mutation($id: ID!) {{ {call} {{ __typename }} }}", id=wrong)

    assert answer.codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("mutation", CALLS)
async def test_the_id_of_another_type_is_bad_user_input(court: Court, mutation: str):
    _, call = CALLS[mutation]

    answer = await court.ask(
        "OPERATOR", f"mutation($id: ID!) {{ {call} {{ __typename }} }}", id=court.world.id("Institution", "i")
    )

    assert answer.codes == ["BAD_USER_INPUT"]
    assert "the id of a Institution" in answer.body["errors"][0]["message"]
