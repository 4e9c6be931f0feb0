"""How the inbox fares: when a partner was heard of last, and what waits. A partner that falls silent fails unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
) AS last_received_at
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS kind (source, model, place)
ORDER BY kind.place
"""
_BACKLOG = """
SELECT
    (SELECT count(*) FROM webhook_event WHERE status = 'received') AS waiting,
    (SELECT received_at FROM webhook_event WHERE status = 'received' ORDER BY arrival LIMIT 1) AS oldest_received_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """How long a kind of webhook may stay away before somebody should ask why."""

    source: Partner
    model: str
    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """When a kind of webhook came last. None: never, which is how every deployment begins, and no silence."""

    expectation: Expectation
    last_received_at: datetime | None
    is_silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Events that are still to be processed; the age of the oldest tells more than their number."""

    waiting: int
    oldest_received_at: datetime | None


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
    rows = await fetch_all(_LAST, [each.source.value for each in expected], [each.model for each in expected])
    return [
        Activity(expectation=each, last_received_at=last, is_silent=last is not None and now - last > each.within)
        for each, last in zip(expected, (row["last_received_at"] for row in rows), strict=True)
    ]


async def read_backlog() -> Backlog:
    row = (await fetch_all(_BACKLOG))[0]
    return Backlog(waiting=row["waiting"], oldest_received_at=row["oldest_received_at"])


async def alarm_on_silence(expected: Sequence[Expectation], *, now: datetime) -> int:
    """Log an error for each kind that stays away for too long; returns how many do."""
    silent = [each for each in await read_activity(expected, now=now) if each.is_silent]
    for each in silent:
        log.error(
            "webhook_silence",
            source=each.expectation.source.value,
            model=each.expectation.model,
            last_received_at=each.last_received_at.isoformat() if each.last_received_at else None,
        )
    return len(silent)
