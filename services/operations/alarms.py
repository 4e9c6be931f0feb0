"""Operators silence the alarm on a partner that sends no webhooks, for a time and with a reason; it wakes by itself.

Whether it is silent, and who silenced it, is read in services/webhooks/silence.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.database import run_in_transaction, write
from models.enums import AuditAction
from services.operations.audit import AuditSubject, SubjectType, checked_reason, record
from services.operations.pausing import Changed
from services.outcomes import ConflictFound, Invalid, invalid
from services.webhooks.silence import Expectation

LONGEST_SILENCE = timedelta(days=31)
"""Whatever is known of a partner now is worth a look after a month."""

# A silence whose time is over makes room for another.
_SILENCE = """
INSERT INTO silenced_alarm (target, silenced_at, "until", author_id, reason) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (target) DO UPDATE SET silenced_at = excluded.silenced_at, "until" = excluded."until",
    author_id = excluded.author_id, reason = excluded.reason WHERE silenced_alarm."until" <= excluded.silenced_at
RETURNING target
"""
_RESTORE = """
DELETE FROM silenced_alarm WHERE target = $1 AND "until" > $2 RETURNING silenced_at, "until", author_id, reason
"""


async def silence_alarm(
    expected: Expectation, *, until: datetime, by: UUID, reason: str, now: datetime
) -> Changed | Invalid | ConflictFound:
    """Give no alarm for this kind of webhook before `until`, however long it stays away."""
    kept = checked_reason(reason)
    if isinstance(kept, Invalid):
        return kept
    if not now < until <= now + LONGEST_SILENCE:
        return invalid("until", f"Choisissez une fin à venir, dans {LONGEST_SILENCE.days} jours au plus.")

    async def declare() -> Changed | ConflictFound:
        if not await write(_SILENCE, expected.key, now, until, by, kept):
            return ConflictFound("Cette alerte est déjà en sommeil.")
        subject = _subject(expected, {"silenced": False}, {"silenced": True, "until": until.isoformat()})
        await record(AuditAction.ALARM_SILENCED, subject, by=by, now=now, reason=kept)
        return Changed()

    return await run_in_transaction(declare)


async def restore_alarm(
    expected: Expectation, *, by: UUID, reason: str, now: datetime
) -> Changed | Invalid | ConflictFound:
    """Give alarms again before the time that was said."""
    kept = checked_reason(reason)
    if isinstance(kept, Invalid):
        return kept

    async def end() -> Changed | ConflictFound:
        rows = await write(_RESTORE, expected.key, now)
        if not rows:
            return ConflictFound("Cette alerte n'est pas en sommeil.")
        before = {
            "silenced": True,
            "since": rows[0]["silenced_at"].isoformat(),
            "until": rows[0]["until"].isoformat(),
            "author_id": str(rows[0]["author_id"]),
            "reason": rows[0]["reason"],
        }
        subject = _subject(expected, before, {"silenced": False})
        await record(AuditAction.ALARM_RESTORED, subject, by=by, now=now, reason=kept)
        return Changed()

    return await run_in_transaction(end)


def _subject(expected: Expectation, before: Mapping[str, Any], after: Mapping[str, Any]) -> AuditSubject:
    return AuditSubject(type=SubjectType.ALARM, id=expected.key, before=before, after=after)
