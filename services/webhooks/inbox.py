"""Storing a delivery: one committed INSERT, after which the sender may forget it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid4

import asyncpg

from models.database import DATABASE_AWAY
from models.encryption import key_ring
from models.enums import WebhookEventStatus
from services.webhooks.deliveries import Delivery

_STORE = """
INSERT INTO webhook_event (
    id, source, fingerprint, received_at, status, model, event, resource_id, resource_at, event_rank, precedence,
    partner_organisation_id, partner_user_ids, body, attempts, error, processed_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, $15, $16)
ON CONFLICT (source, fingerprint) DO NOTHING
RETURNING id
"""


class Writer(Protocol):
    """Where single statements are committed; see models/reserved_pool.py."""

    async def write(self, sql: str, /, *arguments: object) -> object: ...


class InboxUnavailable(Exception):
    """PostgreSQL did not take the delivery in time, or cannot be reached. `code`: the class of what happened."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Stored:
    """It is there now. `event_id` is None when it was there already."""

    event_id: UUID | None

    @property
    def is_duplicate(self) -> bool:
        return self.event_id is None


async def store(delivery: Delivery, *, writer: Writer, received_at: datetime) -> Stored:
    """Return once the event is committed, by this call or by an earlier one. Raises InboxUnavailable."""
    event_id = uuid4()
    ignored = delivery.ignored_because is not None
    try:
        rows = await writer.write(
            _STORE,
            event_id,
            delivery.source.value,
            delivery.fingerprint,
            received_at,
            (WebhookEventStatus.IGNORED if ignored else WebhookEventStatus.RECEIVED).value,
            delivery.model,
            delivery.event,
            delivery.resource_id,
            delivery.resource_at,
            delivery.event_rank,
            int(delivery.precedence),
            delivery.organisation_id,
            list(delivery.user_ids) or None,
            key_ring().seal(delivery.body.decode()),
            delivery.ignored_because,
            received_at if ignored else None,
        )
    except (asyncpg.PostgresError, *DATABASE_AWAY) as error:
        # The class alone: the text of a driver's error may hold what was to be written.
        raise InboxUnavailable(type(error).__name__) from None
    return Stored(event_id if rows else None)
