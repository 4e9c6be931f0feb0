"""What an attempt leaves behind: its own row, and the new state of what it announced, in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from models import CancelledApproval, NotificationAttempt
from models.database import fetch_all, run_in_transaction, write
from models.enums import Delivery, NotificationEndpoint, NotificationStatus
from models.states import next_notification_status
from services.notification.claims import Claim
from services.notification.verdicts import Verdict

# Only what was sent may be marked as sent: dates that changed during the call leave the row due for the new ones.
_SETTLE = """
UPDATE {table} SET pe_notification_status = $5, pe_notification_time = $6, pe_notification_endpoint = $7,
    pe_notification_exit_code = $8, next_attempt_at = $9, lease_token = NULL, lease_until = NULL
WHERE id = $1 AND lease_token = $2 AND start_at = $3 AND end_at = $4 RETURNING id
"""
_SENT_BEFORE = """
SELECT EXISTS (
    SELECT 1 FROM notification_attempt
    WHERE {subject_column} = $1 AND id <> $2 AND endpoint = $3 AND delivery = $4
        AND sent_start_at = $5 AND sent_end_at = $6
) AS sent_before
"""


class AttemptInProgress:
    """The row of one attempt: written before the first call with what is true if its worker dies then."""

    def __init__(self, claim: Claim, *, started_at: datetime, trace_id: str | None) -> None:
        self._claim = claim
        self._timer = monotonic()
        self.started_at = started_at
        self._row = NotificationAttempt(
            approval_id=None if claim.is_cancellation else claim.id,
            cancelled_approval_id=claim.id if claim.is_cancellation else None,
            started_at=started_at,
            outcome=NotificationStatus.SHOULD_RETRY,
            delivery=Delivery.UNKNOWN,
            trace_id=trace_id,
        )

    @property
    def endpoint(self) -> NotificationEndpoint | None:
        """The call that was reached; None before the first."""
        return self._row.endpoint

    async def begin(self) -> None:
        await self._row.save(force_create=True)

    async def reach_search(self) -> None:
        self._row.endpoint = NotificationEndpoint.RECHERCHE_INDIVIDU
        await self._row.save(update_fields=["endpoint"])

    async def reach_update(self) -> None:
        self._row.endpoint = NotificationEndpoint.MISE_A_JOUR_PASS_IAE
        self._row.sent_start_at = self._claim.start_at
        self._row.sent_end_at = self._claim.told_end_at
        await self._row.save(update_fields=["endpoint", "sent_start_at", "sent_end_at"])

    async def follows_lost_answer(self) -> bool:
        """Whether the same dates were sent by an earlier attempt that never learnt what became of them."""
        column = "cancelled_approval_id" if self._claim.is_cancellation else "approval_id"
        rows = await fetch_all(
            _SENT_BEFORE.format(subject_column=column),
            self._claim.id,
            self._row.id,
            NotificationEndpoint.MISE_A_JOUR_PASS_IAE.value,
            Delivery.UNKNOWN.value,
            self._claim.start_at,
            self._claim.told_end_at,
        )
        return rows[0]["sent_before"]

    async def finish(self, verdict: Verdict) -> NotificationStatus:
        """Record the verdict and give the row back. Returns where the notification stands now.

        PENDING whatever the verdict when the dates changed meanwhile: the attempt was for dates of yesterday.
        """
        status = next_notification_status(self._claim.status, verdict.event)
        if status is None:
            raise RuntimeError(f"notification of {self._claim.id}: {verdict.event} may not follow {self._claim.status}")
        self._complete(verdict, status)

        async def record() -> bool:
            await self._row.save()
            return await _settle(self._claim, verdict, status, at=self.started_at)

        if await run_in_transaction(record):
            return status
        await self._claim.lease.release()
        return NotificationStatus.PENDING

    async def abandon(self) -> None:
        """Somebody else holds the row by now: leave it to them."""
        self._row.delivery = Delivery.NOT_SENT
        self._end()
        await self._row.save()

    def _complete(self, verdict: Verdict, status: NotificationStatus) -> None:
        row = self._row
        row.endpoint = verdict.endpoint
        row.http_status = verdict.http_status
        row.exit_code = verdict.code  # pyright: ignore[reportAttributeAccessIssue]
        row.outcome = status
        row.delivery = verdict.delivery
        self._end()

    def _end(self) -> None:
        # By our own timer: a wall clock that was set back would end the attempt before its start.
        elapsed = timedelta(seconds=monotonic() - self._timer)
        self._row.finished_at = self.started_at + elapsed
        self._row.duration_ms = round(elapsed.total_seconds() * 1000)


async def keep_copied_identifier(cancellation_id: UUID, france_travail_id: str) -> None:
    """A cancellation keeps the identifier on its own row: the person's profile and certification are not touched."""
    await CancelledApproval.filter(id=cancellation_id).update(user_id_national_pe=france_travail_id)


async def _settle(claim: Claim, verdict: Verdict, status: NotificationStatus, *, at: datetime) -> bool:
    next_attempt_at: datetime | None = None
    if status is NotificationStatus.SHOULD_RETRY and verdict.retry_after_seconds is not None:
        next_attempt_at = at + timedelta(seconds=verdict.retry_after_seconds)
    rows = await write(
        _SETTLE.format(table=claim.subject),
        claim.id,
        claim.lease.token,
        claim.start_at,
        claim.end_at,
        status.value,
        at,
        verdict.kept_endpoint,
        verdict.kept_code,
        next_attempt_at,
    )
    return bool(rows)
