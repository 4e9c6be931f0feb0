"""One notification tried again, one webhook processed again: by an operator, and recorded with what was before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models import Approval
from models.database import fetch_all, run_in_transaction
from models.enums import AuditAction, NotificationStatus, WebhookEventStatus
from services.approvals import retry_notification as rearm
from services.notification import Subject
from services.operations.audit import AuditSubject, SubjectType, record
from services.outcomes import ConflictFound, NotFound
from services.webhooks.replaying import Replay, replay

_STATE = """
SELECT pe_notification_status AS status, pe_notification_exit_code AS code, {approval_id} AS approval_id
FROM {table} WHERE id = $1 FOR UPDATE
"""
_APPROVAL_ID = {Subject.APPROVAL: "id", Subject.CANCELLATION: "approval_id"}
_EVENT = "SELECT status, error, attempts FROM webhook_event WHERE id = $1 FOR UPDATE"
_REFUSALS = {
    Replay.PURGED: ConflictFound("Le corps de ce webhook a été effacé : demandez au partenaire de le renvoyer."),
    Replay.UNKNOWN_MODEL: ConflictFound("Ce type de webhook n'est suivi par personne : il n'y a rien à traiter."),
    Replay.UNDER_WAY: ConflictFound("Ce webhook est en cours de traitement."),
}


@dataclass(frozen=True, slots=True)
class MadeDue:
    """It is due now, and recorded. `record_id`: what to ring for, so that a worker takes it up at once."""

    record_id: UUID


async def retry_notification(
    subject: Subject, row_id: UUID, *, by: UUID, reason: str = "", now: datetime
) -> MadeDue | ConflictFound | NotFound:
    """Have one announced again at once, whatever came of it; ring `notify_approval` for it after."""

    async def retry() -> MadeDue | ConflictFound | NotFound:
        rows = await fetch_all(_STATE.format(table=subject, approval_id=_APPROVAL_ID[subject]), row_id)
        if not rows:
            return NotFound()
        if rows[0]["approval_id"] is None:
            return ConflictFound("Le PASS IAE de cette annulation n'est plus conservé : elle ne peut être renvoyée.")
        outcome = await rearm(rows[0]["approval_id"])
        if not isinstance(outcome, Approval):
            return outcome if isinstance(outcome, ConflictFound) else NotFound()
        before = _notification(rows[0]["status"], rows[0]["code"])
        after = _notification(NotificationStatus.PENDING.value, rows[0]["code"])
        await record(
            AuditAction.NOTIFICATION_RETRIED,
            AuditSubject(type=SubjectType(subject.value), id=str(row_id), before=before, after=after),
            by=by,
            now=now,
            reason=reason,
        )
        return MadeDue(outcome.id)

    return await run_in_transaction(retry)


async def replay_webhook(
    event_id: UUID, *, by: UUID, reason: str = "", now: datetime
) -> MadeDue | ConflictFound | NotFound:
    """Have one event processed again; ring `process_webhooks` for the inbox after."""

    async def again() -> MadeDue | ConflictFound | NotFound:
        rows = await fetch_all(_EVENT, event_id)
        if not rows:
            return NotFound()
        outcome = await replay(event_id, by=by, now=now)
        if outcome is not Replay.DUE:
            return _REFUSALS.get(outcome, NotFound())
        await record(
            AuditAction.WEBHOOK_REPLAYED,
            AuditSubject(
                type=SubjectType.WEBHOOK_EVENT,
                id=str(event_id),
                before={"status": rows[0]["status"], "error": rows[0]["error"], "attempts": rows[0]["attempts"]},
                after={"status": WebhookEventStatus.RECEIVED.value, "error": None, "attempts": 0},
            ),
            by=by,
            now=now,
            reason=reason,
        )
        return MadeDue(event_id)

    return await run_in_transaction(again)


def _notification(status: str, code: str | None) -> dict[str, Any]:
    return {"status": status, "code": code}
