"""Operators pause a kind of work, or all work with a partner, and resume it: shown with who did it, and why.

What a pause stops is said in services/pauses.py, which every claim reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.database import fetch_all, run_in_transaction, write
from models.enums import AuditAction, Partner, WorkQueue
from services.operations.audit import AuditSubject, SubjectType, checked_reason, record
from services.outcomes import ConflictFound, Invalid, invalid
from services.pauses import PAUSABLE_PARTNERS, PauseTarget, target_key

_PAUSE = """
INSERT INTO manual_pause (target, paused_at, author_id, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT (target) DO NOTHING RETURNING target
"""
_RESUME = "DELETE FROM manual_pause WHERE target = $1 RETURNING paused_at, author_id, reason"
_END_AUTOMATIC = 'DELETE FROM partner_pause WHERE partner = $1 AND "until" > $2 RETURNING paused_at, "until", reason'
_MANUAL = """
SELECT target, paused_at, author_id, reason, (
    SELECT trim(first_name || ' ' || last_name) FROM "user" WHERE "user".id = author_id) AS author_name
FROM manual_pause ORDER BY paused_at DESC, target
"""
_AUTOMATIC = 'SELECT partner, paused_at, "until", reason FROM partner_pause WHERE "until" > $1 ORDER BY partner'


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualPauseView:
    """A pause that somebody declared, until somebody ends it. `author_name` None: that account is gone."""

    target: PauseTarget
    paused_at: datetime
    author_id: UUID
    author_name: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomaticPauseView:
    """A pause because the partner refused our access. `code`: its own. It ends by itself, or with other settings."""

    partner: Partner
    paused_at: datetime
    until: datetime
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """What is paused. `pausable`: everything that an operator may pause, in the order to show."""

    manual: tuple[ManualPauseView, ...]
    automatic: tuple[AutomaticPauseView, ...]
    pausable: tuple[PauseTarget, ...] = (*WorkQueue, *PAUSABLE_PARTNERS)

    def of(self, target: PauseTarget) -> ManualPauseView | None:
        return next((pause for pause in self.manual if target_key(pause.target) == target_key(target)), None)


@dataclass(frozen=True, slots=True)
class Changed:
    """The action was done, and is recorded."""


async def read_pauses(*, now: datetime) -> Pauses:
    """Return all pauses of now, the latest first. Two statements."""
    manual = await fetch_all(_MANUAL)
    automatic = await fetch_all(_AUTOMATIC, now)
    return Pauses(
        manual=tuple(pause for row in manual if (pause := _manual(row)) is not None),
        automatic=tuple(
            AutomaticPauseView(
                partner=Partner(row["partner"]), paused_at=row["paused_at"], until=row["until"], code=row["reason"]
            )
            for row in automatic
        ),
    )


async def pause(target: PauseTarget, *, by: UUID, reason: str, now: datetime) -> Changed | Invalid | ConflictFound:
    """Let no worker begin anything of it from now on. What is under way ends."""
    kept = checked_reason(reason)
    if isinstance(kept, Invalid):
        return kept
    if isinstance(target, Partner) and target not in PAUSABLE_PARTNERS:
        return invalid("target", f"Aucun traitement de fond n'appelle {target.label} : il n'y a rien à suspendre.")

    async def declare() -> Changed | ConflictFound:
        if not await write(_PAUSE, target_key(target), now, by, kept):
            return ConflictFound("Une pause est déjà en cours.")
        after = {"paused": True}
        await record(AuditAction.PAUSED, _subject(target, {"paused": False}, after), by=by, now=now, reason=kept)
        return Changed()

    return await run_in_transaction(declare)


async def resume(target: PauseTarget, *, by: UUID, reason: str, now: datetime) -> Changed | Invalid | ConflictFound:
    """End a pause that somebody declared. What waited is begun at the next look of a worker, within a minute or so."""
    kept = checked_reason(reason)
    if isinstance(kept, Invalid):
        return kept

    async def end() -> Changed | ConflictFound:
        rows = await write(_RESUME, target_key(target))
        if not rows:
            return ConflictFound("Aucune pause n'est en cours.")
        before = {
            "paused": True,
            "since": rows[0]["paused_at"].isoformat(),
            "author_id": str(rows[0]["author_id"]),
            "reason": rows[0]["reason"],
        }
        await record(AuditAction.RESUMED, _subject(target, before, {"paused": False}), by=by, now=now, reason=kept)
        return Changed()

    return await run_in_transaction(end)


async def end_automatic_pause(
    partner: Partner, *, by: UUID, reason: str, now: datetime
) -> Changed | Invalid | ConflictFound:
    """Call a partner again that had refused our access: whoever corrected it there need not wait for a day."""
    kept = checked_reason(reason)
    if isinstance(kept, Invalid):
        return kept

    async def end() -> Changed | ConflictFound:
        rows = await write(_END_AUTOMATIC, partner.value, now)
        if not rows:
            return ConflictFound("Aucune pause automatique n'est en cours.")
        before = {
            "paused": True,
            "since": rows[0]["paused_at"].isoformat(),
            "until": rows[0]["until"].isoformat(),
            "code": rows[0]["reason"],
        }
        subject = _subject(partner, before, {"paused": False})
        await record(AuditAction.PARTNER_RETRIED, subject, by=by, now=now, reason=kept)
        return Changed()

    return await run_in_transaction(end)


def _subject(target: PauseTarget, before: Mapping[str, Any], after: Mapping[str, Any]) -> AuditSubject:
    kind = SubjectType.PARTNER if isinstance(target, Partner) else SubjectType.QUEUE
    return AuditSubject(type=kind, id=target.value, before=before, after=after)


def _manual(row: Any) -> ManualPauseView | None:
    """None: of a kind of work that this version does not know."""
    kind, _, name = row["target"].partition(":")
    values: type[Partner] | type[WorkQueue] = Partner if kind == "partner" else WorkQueue
    if name not in {member.value for member in values}:
        return None
    return ManualPauseView(
        target=values(name),  # pyright: ignore[reportCallIssue]: members are made of a value and a label
        paused_at=row["paused_at"],
        author_id=row["author_id"],
        author_name=row["author_name"] or None,
        reason=row["reason"],
    )
