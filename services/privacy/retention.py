"""What is deleted by its age, beside what its own subject forgets (appointments, events, bodies of webhooks).

Traces of access: CNIL, délibération 2021-122 of 14 October 2021 on logging (six months to a year). The rest: GDPR,
article 5(1)(e); how long, and why, is in docs/explanation/privacy.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models.approvals import DURATION_DAYS
from models.database import fetch_all, write
from services.clock import paris_day

KEPT_AFTER_END = timedelta(days=DURATION_DAYS)
"""How long an approval, and what announced its cancellation, is kept after its last day."""

_BATCH_SIZE = 1_000

# In steps, so that no lock is held for long. What somebody is at work on is left for the next night.
_FORGET_TRACES = 'DELETE FROM access_log WHERE id IN (SELECT id FROM access_log WHERE "at" < $1 ORDER BY "at" LIMIT $2)'
_FORGET_VISITS = (
    'DELETE FROM dashboard_visit WHERE id IN (SELECT id FROM dashboard_visit WHERE "at" < $1 ORDER BY "at" LIMIT $2)'
)
# The last attempt of each announcement stays as long as what it announced: it says what France Travail knows.
_FORGET_ATTEMPTS = """
DELETE FROM notification_attempt WHERE id IN (
    SELECT attempt.id FROM notification_attempt attempt
    WHERE attempt.started_at < $1 AND EXISTS (
        SELECT FROM notification_attempt later
        WHERE later.started_at > attempt.started_at
            AND (later.approval_id = attempt.approval_id OR later.cancelled_approval_id = attempt.cancelled_approval_id)
    )
    ORDER BY attempt.started_at LIMIT $2
)
"""
_FORGET_INVITATION_ATTEMPTS = """
DELETE FROM invitation_attempt WHERE id IN (
    SELECT id FROM invitation_attempt WHERE settled_at < $1 ORDER BY settled_at LIMIT $2
)
"""
# The order of events stays (`appointment_version`): an older one that comes late is still known to be older.
_FORGET_WEBHOOKS = """
DELETE FROM webhook_event WHERE id IN (
    SELECT id FROM webhook_event WHERE received_at < $1 AND body IS NULL AND status <> 'received'
    ORDER BY received_at LIMIT $2
) AND status <> 'received'
"""
_FORGET_ACTIONS = (
    'DELETE FROM audit_entry WHERE id IN (SELECT id FROM audit_entry WHERE "at" < $1 ORDER BY "at" LIMIT $2)'
)
_FORGET_RUNS = """
DELETE FROM operation_run WHERE id IN (
    SELECT id FROM operation_run WHERE finished_at < $1 ORDER BY finished_at LIMIT $2
)
"""
# A pause stands until somebody ends it; a silence ends by itself, and its row stays.
_FORGET_SILENCES = """
DELETE FROM silenced_alarm WHERE target IN (SELECT target FROM silenced_alarm WHERE until < $1 ORDER BY until LIMIT $2)
"""
_COUNT_CANCELLATIONS = """
WITH old AS (
    SELECT id FROM cancelled_approval
    WHERE end_at <= $1 AND (lease_until IS NULL OR lease_until < clock_timestamp())
    ORDER BY end_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM cancelled_approval WHERE id IN (SELECT id FROM old) RETURNING *
), counted AS (
    INSERT INTO cancelled_approval_statistic AS known (id, cancelled_month, start_month, end_month, origin_siae_kind,
        origin_sender_kind, origin_prescriber_organization_kind, was_announced, number)
    SELECT gen_random_uuid(), date_trunc('month', created_at AT TIME ZONE 'Europe/Paris')::date,
        date_trunc('month', start_at)::date, date_trunc('month', end_at)::date, origin_siae_kind, origin_sender_kind,
        origin_prescriber_organization_kind, pe_notification_status = 'notification_success', count(*)
    FROM gone GROUP BY 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT ON CONSTRAINT cancelled_approval_statistic_once
    DO UPDATE SET number = known.number + excluded.number
)
SELECT count(*) AS number FROM gone
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRetention:
    """`traces`: who read what of whom. `attempts`: to announce, to invite. `webhooks`: their rows, bodies long gone.

    `actions`: what operators did.
    """

    traces: timedelta = timedelta(days=365)
    visits: timedelta = timedelta(days=365)
    attempts: timedelta = timedelta(days=730)
    webhooks: timedelta = timedelta(days=730)
    actions: timedelta = timedelta(days=365)


async def forget_traces(
    retention: TraceRetention,
    *,
    now: datetime,
    batch_size: int = _BATCH_SIZE,
    keep_going: Callable[[], bool] = lambda: True,
) -> dict[str, int]:
    """Delete the traces whose time is over; return how many rows of each table that was."""
    rules = {
        "access_log": (_FORGET_TRACES, retention.traces),
        "dashboard_visit": (_FORGET_VISITS, retention.visits),
        "notification_attempt": (_FORGET_ATTEMPTS, retention.attempts),
        "invitation_attempt": (_FORGET_INVITATION_ATTEMPTS, retention.attempts),
        "webhook_event": (_FORGET_WEBHOOKS, retention.webhooks),
        "audit_entry": (_FORGET_ACTIONS, retention.actions),
        "operation_run": (_FORGET_RUNS, retention.actions),
        "silenced_alarm": (_FORGET_SILENCES, retention.actions),
    }
    return {table: await _delete(sql, now - kept, batch_size, keep_going) for table, (sql, kept) in rules.items()}


async def count_old_cancellations(
    *, now: datetime, batch_size: int = _BATCH_SIZE, keep_going: Callable[[], bool] = lambda: True
) -> int:
    """Replace the cancelled approvals that ended 730 days ago or earlier by statistics; return how many there were."""
    counted = 0
    while keep_going():
        rows = await fetch_all(_COUNT_CANCELLATIONS, last_day_over(now), batch_size)
        counted += rows[0]["number"]
        if rows[0]["number"] < batch_size:
            break
    return counted


def last_day_over(now: datetime) -> date:
    """Return the latest last day of validity for which an approval need not be kept any longer."""
    return paris_day(now) - KEPT_AFTER_END


async def _delete(sql: str, before: datetime, batch_size: int, keep_going: Callable[[], bool]) -> int:
    deleted = 0
    while keep_going():
        rows = await write(f"{sql} RETURNING 1 AS deleted", before, batch_size)
        deleted += len(rows)
        if len(rows) < batch_size:
            break
    return deleted
