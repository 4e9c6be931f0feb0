"""Operators and the inbox of webhooks."""

from __future__ import annotations

from uuid import UUID

import strawberry

from resolvers.context import context_of
from resolvers.errors import BadUserInput
from resolvers.global_ids import decode_as
from resolvers.loaders import read_by_key
from resolvers.viewer import Permission
from schema.info import Info
from schema.mutations.rights import may
from schema.types.operations import WebhookEvent
from services.webhooks.replaying import Replay, replay

PROCESS_WEBHOOKS = "process_webhooks"
_INBOX = UUID(int=0)


@strawberry.type
class WebhookMutations:
    @strawberry.mutation(
        description=(
            "Process a webhook again, after the cause of its failure was mended. It is compared with what was applied"
            " since: an old one changes nothing. Null when there is no such event."
        )
    )
    async def replay_webhook_event(self, info: Info, id: strawberry.ID) -> WebhookEvent | None:
        context = may(info, Permission.OPERATE)
        event_id = decode_as(id, "WebhookEvent")
        match await replay(event_id, by=context.viewer.user_id, now=context.now):
            case Replay.NOT_FOUND:
                return None
            case Replay.PURGED:
                raise BadUserInput("webhook event: its body was purged by age; ask the partner to send it again")
            case Replay.UNKNOWN_MODEL:
                raise BadUserInput("webhook event: of a model that nobody here follows; there is nothing to process")
            case Replay.DUE:
                await context_of(info.raw).resources.ring(PROCESS_WEBHOOKS, _INBOX)
            case Replay.UNDER_WAY:
                pass  # a worker is at it: what is shown tells
        return await read_by_key(info.raw, "WebhookEvent", event_id)
