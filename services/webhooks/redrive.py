"""Looking again at events that came before what they are about: a booking can be faster than its invitation.

An event is a whole state, so of each appointment the newest one is enough; one that was already processed for somebody
else is looked at again as well. Whoever adds an invitation calls this after the commit, under the locks of the
resources: an event that was being processed meanwhile has its outcome by then. A sweep finds what a process that died
in between left undone, and the events of companies whose number at RDV-Solidarités was entered or changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from models.database import fetch_all, run_in_transaction, write
from models.enums import Partner
from services.appointments.appointment_events import UNKNOWN_ORGANISATION
from services.webhooks.claims import Resource
from services.webhooks.processing import NEWEST_FIRST

log = structlog.get_logger(__name__)

RECENT = timedelta(days=2)
"""How far back the sweep looks for invitations: it runs every few minutes, and may be down over a weekend day."""
# An event may be processed after the time that an invitation bears, and before its commit.
_COMMIT_MARGIN = timedelta(minutes=15)
_TOGETHER = 100

_APPOINTMENTS_OF_REQUEST = """
SELECT DISTINCT event.model, event.resource_id
FROM invitation_request AS request
JOIN company ON company.id = request.company_id
JOIN webhook_event AS event ON event.source = 'rdv_insertion' AND event.model = 'rdv'
    AND event.partner_organisation_id = company.rdv_solidarites_id
    AND event.partner_user_ids @> ARRAY[request.rdv_insertion_user_id]
"""
_INVITATIONS_OF_REQUEST = """
SELECT DISTINCT event.model, event.resource_id
FROM invitation
JOIN invitation_request AS request ON request.id = invitation.invitation_request_id
JOIN webhook_event AS event ON event.source = 'rdv_insertion' AND event.model = 'invitation'
    AND event.resource_id = invitation.rdv_insertion_id::text
"""
_OF_REQUEST = f"{_APPOINTMENTS_OF_REQUEST} WHERE request.id = $1 UNION {_INVITATIONS_OF_REQUEST} WHERE request.id = $1"
_UNFINISHED = "event.status IN ('processed', 'unmatched') AND event.processed_at < request.created_at + $2::interval"
_OF_RECENT_REQUESTS = (
    f"{_APPOINTMENTS_OF_REQUEST} WHERE request.created_at > $1 AND {_UNFINISHED}"
    f" UNION {_INVITATIONS_OF_REQUEST} WHERE request.created_at > $1 AND {_UNFINISHED}"
)
# Of companies that got their number since, whoever entered it: once looked at, an event has another reason to wait.
# Only where somebody of theirs was invited, and where no other event of the appointment has shown whose it is.
_OF_COMPANIES = f"""
SELECT DISTINCT event.model, event.resource_id
FROM webhook_event AS event
JOIN company ON company.rdv_solidarites_id = event.partner_organisation_id
JOIN invitation_request AS request ON request.company_id = company.id
    AND request.rdv_insertion_user_id = ANY (event.partner_user_ids)
WHERE event.source = 'rdv_insertion' AND event.model = 'rdv' AND event.status = 'unmatched'
    AND event.error = '{UNKNOWN_ORGANISATION}'
    AND NOT EXISTS (SELECT FROM webhook_event AS other
        WHERE other.source = event.source AND other.model = event.model AND other.resource_id = event.resource_id
            AND (other.status = 'processed' OR other.status = 'unmatched' AND other.error <> event.error))
"""
_LOCK = """
SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM (SELECT unnest($1::text[]) AS key ORDER BY key) AS keys
"""
# The newest that was understood: what failed is for an operator. Without its body it can tell nothing any more, and
# what older ones say is no longer so.
_REOPEN = f"""
WITH newest AS (
    SELECT DISTINCT ON (model, resource_id) id, status, body IS NOT NULL AS has_body
    FROM webhook_event JOIN unnest($1::text[], $2::text[]) AS resource (model, resource_id) USING (model, resource_id)
    WHERE source = 'rdv_insertion' AND status <> 'failed' AND precedence > 0
    ORDER BY model, resource_id, {NEWEST_FIRST}
)
UPDATE webhook_event AS event SET status = 'received', attempts = 0, error = NULL, processed_at = NULL
FROM newest
WHERE event.id = newest.id AND newest.has_body AND newest.status IN ('processed', 'unmatched')
RETURNING event.id
"""


async def reopen_for_invitation_request(request_id: UUID) -> int:
    """Look again at the events of the people and messages of a request. Call it after the commit; again is no mistake.

    Returns how many are due again; ring for them, or a worker finds them within seconds.
    """
    return await _reopen(await fetch_all(_OF_REQUEST, request_id))


async def reopen_forgotten(*, now: datetime) -> int:
    """The sweep: events that were settled before the commit of what they are about, and were not looked at since.

    Returns how many are due again.
    """
    since = now - RECENT
    rows = [
        *await fetch_all(_OF_RECENT_REQUESTS, since, _COMMIT_MARGIN),
        *await fetch_all(_OF_COMPANIES),
    ]
    return await _reopen(rows)


async def _reopen(rows: Iterable[Any]) -> int:
    resources = sorted({(row["model"], row["resource_id"]) for row in rows})
    reopened = 0
    for start in range(0, len(resources), _TOGETHER):
        reopened += await _reopen_together(resources[start : start + _TOGETHER])
    if reopened:
        log.info("webhook_events_reopened", events=reopened)
    return reopened


async def _reopen_together(resources: Sequence[tuple[str, str]]) -> int:
    keys = [Resource(source=Partner.RDV_INSERTION, model=model, id=number).lock_key for model, number in resources]

    async def reopen() -> int:
        # Whoever is at one of them has committed its outcome when this returns; in one order, so that nobody waits
        # for somebody who waits for them.
        await fetch_all(_LOCK, keys)
        return len(await write(_REOPEN, [model for model, _ in resources], [number for _, number in resources]))

    return await run_in_transaction(reopen)
