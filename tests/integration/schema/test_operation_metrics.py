"""Operations over HTTP, as they are counted."""

from __future__ import annotations

from models.enums import UserKind
from telemetry.operations import NAMES
from telemetry.registry import REGISTRY
from tests.factories import make_user
from tests.integration.schema.client import GraphQLClient


async def test_an_operation_is_counted_by_its_name_with_its_statements(graphql: GraphQLClient):
    staff = await make_user(kind=UserKind.STAFF)

    answer = await graphql("query CountedByItsName { viewer { kind } }", as_=staff)

    labels = {"operation": "CountedByItsName"}
    assert answer.data
    assert REGISTRY.get_sample_value("traverse_graphql_operations_total", {**labels, "outcome": "ok"}) == 1
    assert REGISTRY.get_sample_value("traverse_graphql_sql_statements_sum", labels) == answer.statements
    assert NAMES.label("CountedByItsName", is_signed_in=False) == "CountedByItsName"


async def test_what_was_refused_unread_is_counted_without_its_name(graphql: GraphQLClient):
    def refused() -> float:
        labels = {"operation": "other", "outcome": "refused"}
        return REGISTRY.get_sample_value("traverse_graphql_operations_total", labels) or 0.0

    before = refused()

    await graphql("query NotInTheSchema { nothing }")

    assert refused() == before + 1
    assert (
        REGISTRY.get_sample_value("traverse_graphql_operation_seconds_count", {"operation": "NotInTheSchema"}) is None
    )
