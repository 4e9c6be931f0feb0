"""Pauses, which every process obeys: automatic ones of partners, and those that operators declare.

A partner that refused our access itself is not called by any process before the access changes. The fingerprint of the
refused settings tells: with new ones the pause is over. It ends by itself as well, since the fault may have been the
partner's; then one call a pause finds out.

What an operator paused stays so until somebody resumes it (services/operations/pausing.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from models.database import fetch_all, write
from models.enums import Partner, WorkQueue

LONGEST_PAUSE = timedelta(days=1)

_PAUSE = """
INSERT INTO partner_pause (partner, paused_at, until, access, reason) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (partner) DO UPDATE SET paused_at = excluded.paused_at, until = excluded.until,
    access = excluded.access, reason = excluded.reason
RETURNING partner
"""
_IS_PAUSED = """
SELECT 1 FROM partner_pause WHERE partner = $1::text AND access = $2 AND "until" > $3
UNION ALL SELECT 1 FROM manual_pause WHERE target = 'partner:' || $1::text
"""
_IS_ON_HOLD = "SELECT 1 FROM manual_pause WHERE target = $1"


async def pause_partner(partner: Partner, *, access: str, reason: str, now: datetime) -> None:
    """Stop all calls that would be made with this access. `reason`: the partner's code, nothing personal."""
    await write(_PAUSE, partner.value, now, now + LONGEST_PAUSE, access, reason)


async def is_paused(partner: Partner, *, access: str, now: datetime) -> bool:
    """Whether this access was refused, less than a pause ago, or an operator paused the partner."""
    return bool(await fetch_all(_IS_PAUSED, partner.value, access, now))


PauseTarget = WorkQueue | Partner
PAUSABLE_PARTNERS = (
    Partner.FRANCE_TRAVAIL,
    Partner.API_PARTICULIER,
    Partner.BAN,
    Partner.RDV_INSERTION,
    Partner.TALLY,
)
"""Partners with which workers deal by themselves. Diagoriente is reached by mails, which are paused as such."""


def target_key(target: PauseTarget) -> str:
    """What a manual pause is stored under."""
    return f"{'partner' if isinstance(target, Partner) else 'queue'}:{target.value}"


def not_paused(queue: WorkQueue, *partners: Partner) -> str:
    """The SQL condition of every claim: nobody paused this kind of work, nor a partner that it calls.

    In the claim itself: what is claimed after a pause was committed does not exist.
    """
    keys = ", ".join(f"'{target_key(target)}'" for target in (queue, *partners))
    return f"NOT EXISTS (SELECT 1 FROM manual_pause WHERE target IN ({keys}))"


NOT_PAUSED_PARTNER = "NOT 'partner:' || {partner} = ANY (ARRAY(SELECT target FROM manual_pause))"
"""The same for the partner that a column of the row names. `partner`: that column."""


async def is_on_hold(partner: Partner) -> bool:
    """Whether an operator paused the partner: for calls that somebody waits for, which no worker claims."""
    return bool(await fetch_all(_IS_ON_HOLD, target_key(partner)))
