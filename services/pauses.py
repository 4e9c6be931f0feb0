"""Pauses: a partner that refused our access itself is not called by any process before the access changes.

The fingerprint of the refused settings tells: with new ones the pause is over. It ends by itself as well, since the
fault may have been the partner's; then one call a pause finds out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from models.database import fetch_all, write
from models.enums import Partner

LONGEST_PAUSE = timedelta(days=1)

_PAUSE = """
INSERT INTO partner_pause (partner, paused_at, until, access, reason) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (partner) DO UPDATE SET paused_at = excluded.paused_at, until = excluded.until,
    access = excluded.access, reason = excluded.reason
RETURNING partner
"""
_IS_PAUSED = 'SELECT 1 FROM partner_pause WHERE partner = $1 AND access = $2 AND "until" > $3'


async def pause_partner(partner: Partner, *, access: str, reason: str, now: datetime) -> None:
    """Stop all calls that would be made with this access. `reason`: the partner's code, nothing personal."""
    await write(_PAUSE, partner.value, now, now + LONGEST_PAUSE, access, reason)


async def is_paused(partner: Partner, *, access: str, now: datetime) -> bool:
    """Whether this access was refused, less than a pause ago."""
    return bool(await fetch_all(_IS_PAUSED, partner.value, access, now))
