"""How the inbox fares: when a partner was heard of last, and what waits. A partner that falls silent fails unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from clients.rdv_insertion.events import APPOINTMENT, INVITATION
from models.database import fetch_all
from models.enums import Partner
from services.webhooks.deliveries import FORM_RESPONSE

log = structlog.get_logger(__name__)

# One look at the head of an index for each kind.
_LAST = """
SELECT kind.source, kind.model, (
    SELECT received_at FROM webhook_event AS event
    WHERE event.source = kind.source AND event.model = kind.model ORDER BY received_at DESC LIMIT 1
) AS last_received_at, quiet.silenced_at, quiet."until", quiet.author_id, quiet.reason, (
    SELECT trim(first_name || ' ' || last_name) FROM "user" WHERE "user".id = quiet.author_id
) AS author_name
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS kind (source, model, place)
LEFT JOIN silenced_alarm AS quiet ON quiet.target = kind.source || ':' || kind.model AND quiet."until" > $3
ORDER BY kind.place
"""
_BACKLOG = """
SELECT
    (SELECT count(*) FROM webhook_event WHERE status = 'received') AS waiting,
    (SELECT greatest(received_at, due_since) FROM webhook_event WHERE status = 'received' ORDER BY arrival LIMIT 1)
        AS oldest_due_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """How long a kind of webhook may stay away before somebody should ask why."""

    source: Partner
    model: str
    within: timedelta

    @property
    def key(self) -> str:
        """What an alarm about it is known by."""
        return f"{self.source.value}:{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """Somebody said that a silence is no news (services/operations/alarms.py). `author_name` None: account gone."""

    silenced_at: datetime
    until: datetime
    author_id: UUID
    author_name: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """When a kind of webhook came last. None: never, which is how every deployment begins, and no silence.

    `silenced`: as long as it is there, nobody is alarmed.
    """

    expectation: Expectation
    last_received_at: datetime | None
    is_silent: bool
    silenced: Silenced | None = None

    @property
    def is_alarming(self) -> bool:
        return self.is_silent and self.silenced is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Events that are still to be processed; the age of the oldest tells more than their number.

    One that is replayed waits since then.
    """

    waiting: int
    oldest_due_at: datetime | None


def expectations(*, rdv_insertion: timedelta | None, tally: timedelta | None) -> tuple[Expectation, ...]:
    """What is expected of the partners; nothing of one that is not configured (None)."""
    kinds = (
        (Partner.RDV_INSERTION, APPOINTMENT, rdv_insertion),
        (Partner.RDV_INSERTION, INVITATION, rdv_insertion),
        (Partner.TALLY, FORM_RESPONSE, tally),
    )
    return tuple(
        Expectation(source=source, model=model, within=within) for source, model, within in kinds if within is not None
    )


async def read_activity(expected: Sequence[Expectation], *, now: datetime) -> list[Activity]:
    """In the order of what is expected; one statement."""
    rows = await fetch_all(_LAST, [each.source.value for each in expected], [each.model for each in expected], now)
    return [_activity(each, row, now) for each, row in zip(expected, rows, strict=True)]


async def read_backlog() -> Backlog:
    row = (await fetch_all(_BACKLOG))[0]
    return Backlog(waiting=row["waiting"], oldest_due_at=row["oldest_due_at"])


async def alarm_on_silence(expected: Sequence[Expectation], *, now: datetime) -> int:
    """Log an error for each kind that stays away for too long, and is not silenced; returns how many do."""
    silent = [each for each in await read_activity(expected, now=now) if each.is_alarming]
    for each in silent:
        log.error(
            "webhook_silence",
            source=each.expectation.source.value,
            model=each.expectation.model,
            last_received_at=each.last_received_at.isoformat() if each.last_received_at else None,
        )
    return len(silent)


def _activity(expected: Expectation, row: Any, now: datetime) -> Activity:
    last: datetime | None = row["last_received_at"]
    silenced = None
    if row["silenced_at"] is not None:
        silenced = Silenced(
            silenced_at=row["silenced_at"],
            until=row["until"],
            author_id=row["author_id"],
            author_name=row["author_name"] or None,
            reason=row["reason"],
        )
    return Activity(
        expectation=expected,
        last_received_at=last,
        is_silent=last is not None and now - last > expected.within,
        silenced=silenced,
    )
