"""Received webhooks as operators look for them. Bodies are apart, in webhook_bodies.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.database import fetch_all
from models.enums import Partner, WebhookEventStatus
from services.operations.paging import FIRST_PAGE, Conditions, Count, Page, PageRequest, Source, count, read_page

SOURCE = Source(
    columns="id, source, model, event, resource_id, resource_at, status, error, attempts, received_at, processed_at,"
    " next_attempt_at, body IS NOT NULL AS has_body,"
    " lease_until IS NOT NULL AND lease_until >= clock_timestamp() AS is_under_way",
    table="webhook_event",
    at="received_at",
)
_STATES = """
SELECT source, status, count(*)::int AS number FROM webhook_event GROUP BY source, status ORDER BY source, status
"""
# The bound is written out: a LIMIT that is a parameter is planned for as a tenth of the table.
_STATES_UP_TO = """
SELECT source, status, number FROM unnest($1::text[]) AS source, unnest($2::text[]) AS status, LATERAL (
    SELECT count(*)::int AS number FROM (
        SELECT 1 FROM webhook_event AS event WHERE event.source = source.source AND event.status = status.status
        LIMIT {limit}
    ) AS counted
) AS each
WHERE number > 0 ORDER BY source, status
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFilter:
    """What narrows the list; None: does not. `since` and `until` (excluded) compare the reception."""

    source: Partner | None = None
    status: WebhookEventStatus | None = None
    model: str | None = None
    resource_id: str | None = None
    error: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRow:
    """One received event. `error`: why it was not applied, as a code. `has_body` False: purged by age."""

    id: UUID
    source: Partner
    model: str | None
    event: str | None
    resource_id: str | None
    resource_at: datetime | None
    status: WebhookEventStatus
    error: str | None
    attempts: int
    received_at: datetime
    processed_at: datetime | None
    next_attempt_at: datetime | None
    has_body: bool
    is_under_way: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCount:
    """`is_capped`: there are more, and nobody counted them."""

    source: Partner
    status: WebhookEventStatus
    number: int
    is_capped: bool = False


async def list_webhooks(narrowed: WebhookFilter | None = None, page: PageRequest = FIRST_PAGE) -> Page[WebhookRow]:
    """Return a page by reception; one statement. Raises BadCursor."""
    return await read_page(SOURCE, conditions_of(narrowed or WebhookFilter()), page, _row)


async def count_webhooks(narrowed: WebhookFilter | None = None) -> Count:
    return await count(SOURCE, conditions_of(narrowed or WebhookFilter()))


async def count_by_state() -> tuple[WebhookCount, ...]:
    """Return how many events of each source are in which state, where there are any.

    One statement, which reads a whole index.
    """
    return tuple(
        WebhookCount(source=Partner(row["source"]), status=WebhookEventStatus(row["status"]), number=row["number"])
        for row in await fetch_all(_STATES)
    )


async def count_by_state_up_to(bound: int) -> tuple[WebhookCount, ...]:
    """The same for whoever looks: of each source and state no more than the bound are counted. One statement."""
    rows = await fetch_all(
        _STATES_UP_TO.format(limit=bound + 1),
        [source.value for source in Partner],
        [status.value for status in WebhookEventStatus],
    )
    return tuple(
        WebhookCount(
            source=Partner(row["source"]),
            status=WebhookEventStatus(row["status"]),
            number=min(row["number"], bound),
            is_capped=row["number"] > bound,
        )
        for row in rows
    )


async def read_webhook(event_id: UUID) -> WebhookRow | None:
    rows = await fetch_all(f"SELECT {SOURCE.columns} FROM webhook_event WHERE id = $1", event_id)
    return _row(rows[0]) if rows else None


def conditions_of(narrowed: WebhookFilter) -> Conditions:
    conditions = Conditions()
    conditions.add_given("source = {}", narrowed.source)
    conditions.add_given("status = {}", narrowed.status)
    conditions.add_given("model = {}", narrowed.model)
    conditions.add_given("resource_id = {}", narrowed.resource_id)
    conditions.add_given("error = {}", narrowed.error)
    conditions.add_given("received_at >= {}", narrowed.since)
    conditions.add_given("received_at < {}", narrowed.until)
    return conditions


def _row(row: Any) -> WebhookRow:
    return WebhookRow(
        id=row["id"],
        source=Partner(row["source"]),
        model=row["model"],
        event=row["event"] or None,
        resource_id=row["resource_id"],
        resource_at=row["resource_at"],
        status=WebhookEventStatus(row["status"]),
        error=row["error"],
        attempts=row["attempts"],
        received_at=row["received_at"],
        processed_at=row["processed_at"],
        next_attempt_at=row["next_attempt_at"],
        has_body=bool(row["has_body"]),
        is_under_way=bool(row["is_under_way"]),
    )
