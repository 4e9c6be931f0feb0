"""Who may have which survey sent: every kind × every kind of viewer × every application of the world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from execution.engine import GraphQLEngine
from models.enums import SurveyKind
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from tests.integration.schema.client import never_ring, serve
from tests.integration.schema.crowd import empty_database
from tests.security.matrix import ANONYMOUS, AUTHORIZED, EMPLOYER, JOB_SEEKER, SIGNED_IN, Rows, rows, sees
from tests.security.test_access_matrix import Court
from tests.security.test_mutation_rights import verdict
from tests.security.world import make_world

# By hand, from the access rules: the company that hired, the person who was hired, and of those who sent somebody only
# members of the organisation that they were sent for. A kind asks nobody else.
ASKED: Mapping[str, Mapping[str, Rows]] = {
    "POST_HIRING_EMPLOYER": {EMPLOYER: rows("zoe_a yves_a xena_a nils_a tess_a")},
    "POST_HIRING_JOB_SEEKER": {JOB_SEEKER: rows("zoe_a zoe_b")},
    "PRESCRIBER_SATISFACTION": {
        AUTHORIZED: rows("yves_a xena_a"),
        "PRESCRIBER": rows("nils_a"),
        # Sent nils_a, and acts for no organisation now.
        "PRESCRIBER_OF_NOTHING": rows(""),
    },
}
QUERY = "mutation($id: ID!, $kind: SurveyKind!) { requestSurvey(jobApplicationId: $id, kind: $kind) { __typename } }"


@pytest.fixture(scope="module")
async def court(_open_database: object, engine: GraphQLEngine) -> AsyncIterator[Court]:
    """Without a survey tool, so that asking changes nothing."""
    world = await make_world()
    resources = Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=never_ring)
    async with serve(engine, resources) as client:
        yield Court(client, world)
    await empty_database()


def expected(kind: str, viewer: str, row: str) -> str:
    if viewer not in ASKED[kind]:
        return "FORBIDDEN"
    if row in ASKED[kind][viewer]:
        return "done"
    return "FORBIDDEN" if sees(viewer, "JobApplication", row) else "NOT_FOUND"


def test_every_kind_has_a_row():
    assert set(ASKED) == {kind.name for kind in SurveyKind}


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("viewer", SIGNED_IN)
async def test_a_survey_is_sent_to_whom_it_asks(court: Court, viewer: str, kind: str):
    verdicts = {
        row: verdict(
            await court.ask(viewer, QUERY, id=court.world.id("JobApplication", row), kind=kind), "requestSurvey"
        )
        for row in court.world.rows["JobApplication"]
    }

    assert verdicts == {row: expected(kind, viewer, row) for row in verdicts}


@pytest.mark.parametrize("kind", ASKED)
async def test_who_is_not_signed_in_is_sent_nothing(court: Court, kind: str):
    answer = await court.ask(ANONYMOUS, QUERY, id=court.world.id("JobApplication", "zoe_a"), kind=kind)

    assert answer.codes == ["UNAUTHENTICATED"]
