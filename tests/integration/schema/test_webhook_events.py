"""The inbox as operators read it: pages, filters, replay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from models import User, WebhookEvent, database
from models.enums import UserKind, WebhookEventStatus
from resolvers.global_ids import encode
from services.webhooks.deliveries import read_rdv_insertion
from services.webhooks.inbox import store
from tests.factories import NOW, make_user
from tests.integration.schema.client import GraphQLClient
from tests.integration.webhooks.senders import rdv

LIST = """query($statuses: [WebhookEventStatus!], $first: Int, $after: String) {
  webhookEvents(statuses: $statuses, first: $first, after: $after) {
    nodes { id source status model event attempts error receivedAt processedAt }
    pageInfo { hasNextPage endCursor } } }"""
REPLAY = "mutation($id: ID!) { replayWebhookEvent(id: $id) { id status attempts error processedAt } }"


@pytest.fixture
async def operator(database: object) -> User:
    return await make_user(UserKind.STAFF, is_operator=True)


async def receive(count: int) -> list[str]:
    """Events a minute apart; their global ids, the newest first as the list has them."""
    ids: list[UUID] = []
    for number in range(count):
        delivery = read_rdv_insertion(rdv(number + 1))
        stored = await store(delivery, writer=database, received_at=NOW + timedelta(minutes=number))
        assert stored.event_id is not None
        ids.append(stored.event_id)
    return [encode("WebhookEvent", event_id) for event_id in reversed(ids)]


async def pages(graphql: GraphQLClient, operator: User, **variables: Any) -> list[list[str]]:
    found: list[list[str]] = []
    after: str | None = None
    while True:
        answer = await graphql(LIST, {**variables, "after": after}, as_=operator)
        page = answer.data["webhookEvents"]
        found.append([node["id"] for node in page["nodes"]])
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


async def test_a_walk_meets_each_event_once_the_newest_first(graphql: GraphQLClient, operator: User):
    ids = await receive(7)

    found = await pages(graphql, operator, first=3)

    assert found == [ids[:3], ids[3:6], ids[6:]]


async def test_statuses_narrow_the_list_on_every_page(graphql: GraphQLClient, operator: User):
    ids = await receive(6)
    failed = sorted(ids[::2], key=ids.index)
    keys = [event.id for event in await WebhookEvent.all() if encode("WebhookEvent", event.id) in failed]
    await WebhookEvent.filter(id__in=keys).update(
        status=WebhookEventStatus.FAILED, error="unreadable", processed_at=NOW
    )

    assert await pages(graphql, operator, first=2, statuses=["FAILED"]) == [failed[:2], failed[2:]]
    assert await pages(graphql, operator, first=9, statuses=["FAILED", "RECEIVED"]) == [ids]
    assert await pages(graphql, operator, first=9, statuses=["IGNORED"]) == [[]]


@pytest.mark.parametrize("count", [1, 50])
async def test_a_page_of_any_length_costs_the_same_statements(graphql: GraphQLClient, operator: User, count: int):
    await receive(count)

    answer = await graphql(LIST, {"first": 50}, as_=operator)

    assert len(answer.data["webhookEvents"]["nodes"]) == count
    assert answer.statements <= 2


async def test_a_failed_event_is_due_again_and_the_bell_rings(
    graphql: GraphQLClient, operator: User, rung: list[tuple[str, UUID]]
):
    [event_id] = await receive(1)
    await WebhookEvent.all().update(
        status=WebhookEventStatus.FAILED, error="unlisted_status", attempts=12, processed_at=NOW
    )

    answer = await graphql(REPLAY, {"id": event_id}, as_=operator)

    assert answer.data["replayWebhookEvent"] == {
        "id": event_id,
        "status": "RECEIVED",
        "attempts": 0,
        "error": None,
        "processedAt": None,
    }
    assert [job for job, _ in rung] == ["process_webhooks"]


@pytest.mark.parametrize("kind", [UserKind.STAFF, UserKind.EMPLOYER, UserKind.LABOR_INSPECTOR])
async def test_nobody_else_reads_or_replays(graphql: GraphQLClient, database: object, kind: UserKind):
    [event_id] = await receive(1)
    somebody = await make_user(kind)

    listed = await graphql(LIST, as_=somebody)
    replayed = await graphql(REPLAY, {"id": event_id}, as_=somebody)

    assert listed.data["webhookEvents"]["nodes"] == []
    assert replayed.codes == ["FORBIDDEN"]
    assert replayed.body["data"] == {"replayWebhookEvent": None}
