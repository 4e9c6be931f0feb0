"""Whether an invitation left after all: what the webhooks that were stored since then say of it.

An organisation may have its events of invitations sent nowhere, or to us: both are read here, and neither is required.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from clients.rdv_insertion import APPOINTMENT, INVITATION, SentInvitation, UnreadableEvent, read_invitation
from models.database import fetch_all
from models.encryption import key_ring
from models.enums import Partner

log = structlog.get_logger(__name__)

# Their clock and ours, and the time that they go on working after we gave up waiting.
_BEFORE = timedelta(minutes=2)
_AFTER = timedelta(minutes=15)
_MAX_EVENTS = 200

# Of each message the newest state comes last.
_INVITATION_EVENTS = f"""
SELECT id, body FROM webhook_event
WHERE source = '{Partner.RDV_INSERTION.value}' AND model = '{INVITATION}' AND partner_user_ids @> ARRAY[$1::bigint]
    AND received_at >= $2 AND body IS NOT NULL
ORDER BY resource_at, event_rank, fingerprint LIMIT {_MAX_EVENTS}
"""
_WAS_BOOKED = f"""
SELECT 1 FROM webhook_event
WHERE source = '{Partner.RDV_INSERTION.value}' AND model = '{APPOINTMENT}' AND event = 'created'
    AND partner_user_ids @> ARRAY[$1::bigint] AND partner_organisation_id = $2 AND received_at >= $3
LIMIT 1
"""
_KNOWN = "SELECT rdv_insertion_id FROM invitation WHERE rdv_insertion_id = ANY($1::bigint[])"


async def messages_since(user_id: int, begun_at: datetime, *, reason_category: str) -> tuple[SentInvitation, ...]:
    """Messages to that person that left because of a call begun then, and that belong to no request yet."""
    found: dict[int, SentInvitation] = {}
    for row in await fetch_all(_INVITATION_EVENTS, user_id, begun_at - _BEFORE):
        try:
            snapshot = read_invitation(key_ring().open(bytes(row["body"])).encode())
        except UnreadableEvent:
            # It is the engine's to complain about.
            log.debug("event_passed_over", event_id=str(row["id"]))
            continue
        if snapshot.created_at is None or not begun_at - _BEFORE <= snapshot.created_at <= begun_at + _AFTER:
            continue
        if snapshot.category not in {"", reason_category}:
            continue
        found[snapshot.id] = SentInvitation(
            id=snapshot.id,
            format=snapshot.format,
            clicked=snapshot.clicked,
            delivery_status=snapshot.delivery_status,
            created_at=snapshot.created_at,
            delivered_at=snapshot.delivered_at,
            expires_at=snapshot.expires_at,
        )
    known = {row["rdv_insertion_id"] for row in await fetch_all(_KNOWN, list(found))} if found else set[int]()
    return tuple(message for message in found.values() if message.id not in known)


async def has_booked_since(user_id: int, begun_at: datetime, *, organisation_id: int) -> bool:
    """Whether that person got an appointment with the organisation since then."""
    return bool(await fetch_all(_WAS_BOOKED, user_id, organisation_id, begun_at))
