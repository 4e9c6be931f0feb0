"""Received webhooks as they lie in the database: of each, what operators may see. Never its body."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from models.enums import Partner, WebhookEventStatus
from resolvers.reading import register
from resolvers.sources import Column, Entity, Ordering

NEWEST_EVENT = Ordering("WebhookEvent:newest", ("{t}.received_at", "{t}.id"), (datetime, UUID), descending=True)

WEBHOOK_EVENT = Entity(
    "WebhookEvent",
    "webhook_event",
    fields={
        "source": Column("{t}.source", Partner),
        "receivedAt": Column("{t}.received_at"),
        "status": Column("{t}.status", WebhookEventStatus),
        "model": Column("{t}.model"),
        "event": Column("{t}.event", lambda event: event or None),
        "attempts": Column("{t}.attempts"),
        "error": Column("{t}.error"),
        "processedAt": Column("{t}.processed_at"),
    },
)

register(WEBHOOK_EVENT)
