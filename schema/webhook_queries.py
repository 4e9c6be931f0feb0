"""The inbox of webhooks, for operators."""

from __future__ import annotations

import strawberry

from models.enums import WebhookEventStatus
from resolvers.context import context_of
from resolvers.pages import Filter, read_page
from resolvers.webhook_events import NEWEST_EVENT, WEBHOOK_EVENT
from resolvers.windows import PageArguments
from schema.info import Info
from schema.types.connections import After, Connection, First
from schema.types.operations import WebhookEvent


@strawberry.type
class WebhookQueries:
    @strawberry.field(description="Received webhooks, the newest first. Empty for whoever does not operate the server.")
    async def webhook_events(
        self,
        info: Info,
        statuses: list[WebhookEventStatus] | None = None,
        first: First = None,
        after: After = None,
    ) -> Connection[WebhookEvent]:
        context_of(info.raw).signed_in()
        arguments = PageArguments(first=first, after=after)
        return await read_page(info.raw, WEBHOOK_EVENT, NEWEST_EVENT, arguments, _of_statuses(statuses))  # pyright: ignore[reportReturnType]: a Page has the shape of a Connection


def _of_statuses(statuses: list[WebhookEventStatus] | None) -> Filter:
    if statuses is None:
        return Filter()
    return Filter(("{t}.status = ANY(:statuses::text[])",), {"statuses": [status.value for status in statuses]})
