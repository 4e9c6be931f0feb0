"""Notifications of France Travail as operators look for them: lists, groups of failures, one with its attempts.

A cancelled approval is announced by its cancellation alone: it is that row which is listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from clients.france_travail import exit_label, labelled_with
from models.database import fetch_all
from models.enums import Delivery, NotificationEndpoint, NotificationStatus, PreliminaryCheck
from services.notification import Subject
from services.operations.paging import (
    COUNTED_UP_TO,
    FIRST_PAGE,
    Conditions,
    Count,
    Page,
    PageRequest,
    Source,
    capped,
    page_of,
    page_statement,
)

ATTEMPTS_SHOWN = 200

_COLUMNS = """
    '{subject}' AS subject, id, number, pe_notification_status AS status, pe_notification_endpoint AS endpoint,
    pe_notification_exit_code AS code, pe_notification_time AS last_attempt_at, next_attempt_at, start_at, end_at,
    lease_until IS NOT NULL AND lease_until >= clock_timestamp() AS is_under_way, {approval_id} AS approval_id,
    {job_seeker_id} AS job_seeker_id
"""
# When something last happened to it. An index of both tables is on this very expression.
ACTIVITY = "coalesce(pe_notification_time, created_at)"
SOURCES: Mapping[Subject, Source] = {
    Subject.APPROVAL: Source(
        columns=_COLUMNS.format(subject="approval", approval_id="id", job_seeker_id="job_seeker_id"),
        table="approval",
        at=ACTIVITY,
    ),
    Subject.CANCELLATION: Source(
        columns=_COLUMNS.format(
            subject="cancelled_approval",
            approval_id="approval_id",
            job_seeker_id="(SELECT job_seeker_id FROM approval WHERE approval.id = cancelled_approval.approval_id)",
        ),
        table="cancelled_approval",
        at=ACTIVITY,
    ),
}
_ATTEMPTS = f"""
SELECT id, started_at, finished_at, duration_ms, endpoint, http_status, exit_code, outcome, delivery,
    sent_start_at, sent_end_at, trace_id
FROM notification_attempt WHERE {{column}} = $1 ORDER BY started_at DESC, id DESC LIMIT {ATTEMPTS_SHOWN + 1}
"""
_ATTEMPT_COLUMNS = {Subject.APPROVAL: "approval_id", Subject.CANCELLATION: "cancelled_approval_id"}
_STATUSES = """
SELECT status, sum(number)::int AS number FROM (
    SELECT pe_notification_status AS status, count(*) AS number FROM approval WHERE cancelled_at IS NULL GROUP BY 1
    UNION ALL
    SELECT pe_notification_status, count(*) FROM cancelled_approval GROUP BY 1
) AS counted GROUP BY status
"""
# The bound is written out: a LIMIT that is a parameter is planned for as a tenth of the table.
_STATUSES_UP_TO = """
SELECT status, (
    SELECT count(*) FROM (
        SELECT 1 FROM approval WHERE cancelled_at IS NULL AND pe_notification_status = status LIMIT {limit}
    ) AS counted
) + (
    SELECT count(*) FROM (
        SELECT 1 FROM cancelled_approval WHERE pe_notification_status = status LIMIT {limit}
    ) AS counted
) AS number
FROM unnest($1::text[]) AS status
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFilter:
    """What narrows the list; None: does not. Dates are days in Europe/Paris turned into instants by the caller.

    `code` is the code that the notification keeps; `label` a piece of its French label, without regard to case.
    `since` and `until` (excluded) compare the last attempt, or the creation of what was never tried.
    """

    status: NotificationStatus | None = None
    code: str | None = None
    endpoint: NotificationEndpoint | None = None
    label: str | None = None
    number: str | None = None
    job_seeker_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRow:
    """One approval, or one cancellation, in France Travail's eyes. `id` is of that row; see `subject`.

    `approval_id`: None for the cancellation of an approval that is gone. `label`: French, None for an unknown code.
    """

    subject: Subject
    id: UUID
    approval_id: UUID | None
    job_seeker_id: UUID | None
    number: str
    start_at: date
    end_at: date
    status: NotificationStatus
    endpoint: NotificationEndpoint | None
    code: str | None
    label: str | None
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    is_under_way: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt. `finished_at` None: under way, or its worker died."""

    id: UUID
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int
    endpoint: NotificationEndpoint | None
    http_status: int | None
    code: str | None
    label: str | None
    outcome: NotificationStatus
    delivery: Delivery
    sent_start_at: date | None
    sent_end_at: date | None
    trace_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDetail:
    """A notification with its attempts, newest first. `has_older_attempts`: more than are shown."""

    notification: NotificationRow
    attempts: tuple[AttemptView, ...]
    has_older_attempts: bool


async def list_notifications(
    narrowed: NotificationFilter | None = None, page: PageRequest = FIRST_PAGE
) -> Page[NotificationRow]:
    """Return a page by the last activity; one statement. Raises BadCursor."""
    narrowed = narrowed or NotificationFilter()
    parts = [page_statement(SOURCES[subject], conditions_of(narrowed, subject), page) for subject in Subject]
    union = " UNION ALL ".join(f"({text})" for text, *_ in parts)
    values = parts[0][1:]  # the same for both parts
    direction = "DESC" if page.descends else "ASC"
    rows = await fetch_all(
        f"{union} ORDER BY position_at {direction}, position_id {direction} LIMIT {page.limit + 1}",
        *values,
    )
    return page_of(rows, page, _row)


async def count_notifications(narrowed: NotificationFilter | None = None) -> Count:
    """Count what the filter finds, up to a bound; one statement."""
    narrowed = narrowed or NotificationFilter()
    parts = {subject: conditions_of(narrowed, subject) for subject in Subject}
    union = " UNION ALL ".join(
        f"(SELECT 1 FROM {SOURCES[subject].table} WHERE {part.where} LIMIT {COUNTED_UP_TO + 1})"
        for subject, part in parts.items()
    )
    rows = await fetch_all(f"SELECT count(*) AS number FROM ({union}) AS counted", *parts[Subject.APPROVAL].values)
    return capped(rows[0]["number"])


async def count_by_status() -> dict[NotificationStatus, int]:
    """Return how many notifications stand where; every status is there. One statement, which reads a whole index."""
    found = {row["status"]: row["number"] for row in await fetch_all(_STATUSES)}
    return {status: found.get(status.value, 0) for status in NotificationStatus}


async def count_by_status_up_to(bound: int) -> dict[NotificationStatus, Count]:
    """The same for whoever looks: of each status no more than the bound are counted. One statement."""
    rows = await fetch_all(_STATUSES_UP_TO.format(limit=bound + 1), [status.value for status in NotificationStatus])
    found = {row["status"]: capped(row["number"], bound) for row in rows}
    return {status: found[status.value] for status in NotificationStatus}


async def read_notification(subject: Subject, row_id: UUID) -> NotificationDetail | None:
    """Return one with its attempts; None: there is none. Two statements."""
    source = SOURCES[subject]
    rows = await fetch_all(f"SELECT {source.columns} FROM {source.table} WHERE id = $1", row_id)
    if not rows:
        return None
    attempts = await fetch_all(_ATTEMPTS.format(column=_ATTEMPT_COLUMNS[subject]), row_id)
    return NotificationDetail(
        notification=_row(rows[0]),
        attempts=tuple(_attempt(row) for row in attempts[:ATTEMPTS_SHOWN]),
        has_older_attempts=len(attempts) > ATTEMPTS_SHOWN,
    )


def conditions_of(narrowed: NotificationFilter, subject: Subject) -> Conditions:
    """The filter as SQL on the table of the subject. The same values, in the same order, for both."""
    conditions = Conditions()
    if subject is Subject.APPROVAL:
        conditions.add("cancelled_at IS NULL")
    conditions.add_given("pe_notification_status = {}", narrowed.status)
    conditions.add_given("pe_notification_exit_code = {}", narrowed.code)
    conditions.add_given("pe_notification_endpoint = {}", narrowed.endpoint)
    if narrowed.label:
        conditions.add(
            "(coalesce(pe_notification_endpoint, ''), pe_notification_exit_code)"
            " IN (SELECT * FROM unnest({}::text[], {}::text[]))",
            *_codes_labelled(narrowed.label),
        )
    conditions.add_given("number = {}", "".join((narrowed.number or "").split()))
    if narrowed.job_seeker_id is not None:
        conditions.add(
            "job_seeker_id = {}"
            if subject is Subject.APPROVAL
            else "approval_id IN (SELECT id FROM approval WHERE job_seeker_id = {})",
            narrowed.job_seeker_id,
        )
    conditions.add_given(f"{ACTIVITY} >= {{}}", narrowed.since)
    conditions.add_given(f"{ACTIVITY} < {{}}", narrowed.until)
    return conditions


def label_of(endpoint: str | None, code: str | None) -> str | None:
    """The French label of the code that a notification keeps: a check's own, or France Travail's."""
    if code is None:
        return None
    if code in PreliminaryCheck.__members__:
        return PreliminaryCheck[code].label
    return exit_label(endpoint, code) if endpoint else None


def _codes_labelled(text: str) -> tuple[list[str], list[str]]:
    """Endpoints and codes, side by side; checks are made before any call, and have no endpoint."""
    checks = [("", check.value) for check in PreliminaryCheck if text.casefold() in check.label.casefold()]
    found = [*labelled_with(text), *checks]
    return [endpoint for endpoint, _ in found], [code for _, code in found]


def _row(row: Any) -> NotificationRow:
    return NotificationRow(
        subject=Subject(row["subject"]),
        id=row["id"],
        approval_id=row["approval_id"],
        job_seeker_id=row["job_seeker_id"],
        number=row["number"],
        start_at=row["start_at"],
        end_at=row["end_at"],
        status=NotificationStatus(row["status"]),
        endpoint=NotificationEndpoint(row["endpoint"]) if row["endpoint"] else None,
        code=row["code"],
        label=label_of(row["endpoint"], row["code"]),
        last_attempt_at=row["last_attempt_at"],
        next_attempt_at=row["next_attempt_at"],
        is_under_way=bool(row["is_under_way"]),
    )


def _attempt(row: Any) -> AttemptView:
    return AttemptView(
        id=row["id"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        duration_ms=row["duration_ms"],
        endpoint=NotificationEndpoint(row["endpoint"]) if row["endpoint"] else None,
        http_status=row["http_status"],
        code=row["exit_code"],
        label=label_of(row["endpoint"], row["exit_code"]),
        outcome=NotificationStatus(row["outcome"]),
        delivery=Delivery(row["delivery"]),
        sent_start_at=row["sent_start_at"],
        sent_end_at=row["sent_end_at"],
        trace_id=row["trace_id"],
    )
