"""The record of what operators do: written in the transaction of each action, read by those who look into it later.

It holds ids, states and codes. What is typed as a reason is refused where it looks like personal data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from models.database import write
from models.enums import AuditAction
from services.operations.paging import FIRST_PAGE, Conditions, Count, Page, PageRequest, Source, count, read_page
from services.outcomes import Invalid, invalid
from services.webhooks.deliveries import has_nir

SHORTEST_REASON = 3
LONGEST_REASON = 300

# At least nine digits in a row or in groups: a phone number, and more. Numbers of approvals are none of a person.
_PHONE = re.compile(r"(?:\+|\b0)\d(?:[ .-]?\d){8,}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")

_RECORD = """
INSERT INTO audit_entry (id, "at", actor_id, action, subject_type, subject_id, before, after, reason, run_id)
SELECT gen_random_uuid(), $1, $2, $3, subject.type, subject.id, subject.before::jsonb, subject.after::jsonb, $4, $5
FROM unnest($6::text[], $7::text[], $8::text[], $9::text[]) AS subject (type, id, before, after)
RETURNING id
"""
_SOURCE = Source(
    columns='id, "at", actor_id, action, subject_type, subject_id, before, after, reason, run_id, ('
    'SELECT trim(first_name || \' \' || last_name) FROM "user" WHERE "user".id = actor_id) AS actor_name',
    table="audit_entry",
    at='"at"',
)


class SubjectType(StrEnum):
    """What an action was about. The value is stored."""

    APPROVAL = "approval"
    CANCELLATION = "cancelled_approval"
    WEBHOOK_EVENT = "webhook_event"
    QUEUE = "queue"
    PARTNER = "partner"
    RUN = "operation_run"
    SESSION = "session"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSubject:
    """One row that an action changed, with what it was and is: states and codes, nothing personal."""

    type: SubjectType
    id: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What narrows the list; None: does not. `since` and `until` (excluded) compare the time of the action."""

    action: AuditAction | None = None
    actor_id: UUID | None = None
    subject_id: str | None = None
    run_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntryView:
    """One action. `actor_name` None: that account is gone. `subject_type` may be one that is no longer made."""

    id: UUID
    at: datetime
    actor_id: UUID
    actor_name: str | None
    action: AuditAction
    subject_type: str
    subject_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str
    run_id: UUID | None


async def record(
    action: AuditAction,
    *subjects: AuditSubject,
    by: UUID,
    now: datetime,
    reason: str = "",
    run_id: UUID | None = None,
) -> None:
    """Record an action on each subject, in one statement, inside the transaction of the action itself."""
    await write(
        _RECORD,
        now,
        by,
        action.value,
        reason,
        run_id,
        [subject.type.value for subject in subjects],
        [subject.id for subject in subjects],
        [_json(subject.before) for subject in subjects],
        [_json(subject.after) for subject in subjects],
    )


async def list_audit(narrowed: AuditFilter | None = None, page: PageRequest = FIRST_PAGE) -> Page[AuditEntryView]:
    """Return a page by time; one statement. Raises BadCursor."""
    return await read_page(_SOURCE, _conditions(narrowed or AuditFilter()), page, _entry)


async def count_audit(narrowed: AuditFilter | None = None) -> Count:
    return await count(_SOURCE, _conditions(narrowed or AuditFilter()))


def checked_reason(text: str) -> str | Invalid:
    """The reason as it is kept; Invalid (`reason`) where it says too little, too much, or names somebody."""
    reason = " ".join(text.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        return invalid("reason", f"Indiquez un motif de {SHORTEST_REASON} à {LONGEST_REASON} caractères.")
    if has_nir(reason) or _EMAIL.search(reason) or _PHONE.search(reason):
        return invalid(
            "reason",
            "Le motif est conservé dans le journal : il ne doit contenir ni numéro de sécurité sociale, ni adresse"
            " e-mail, ni numéro de téléphone.",
        )
    return reason


def _conditions(narrowed: AuditFilter) -> Conditions:
    conditions = Conditions()
    conditions.add_given("action = {}", narrowed.action)
    conditions.add_given("actor_id = {}", narrowed.actor_id)
    conditions.add_given("subject_id = {}", narrowed.subject_id)
    conditions.add_given("run_id = {}", narrowed.run_id)
    conditions.add_given('"at" >= {}', narrowed.since)
    conditions.add_given('"at" < {}', narrowed.until)
    return conditions


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(dict(value)).decode()


def _entry(row: Any) -> AuditEntryView:
    return AuditEntryView(
        id=row["id"],
        at=row["at"],
        actor_id=row["actor_id"],
        actor_name=row["actor_name"] or None,
        action=AuditAction(row["action"]),
        subject_type=row["subject_type"],
        subject_id=row["subject_id"],
        before=orjson.loads(row["before"]) if row["before"] else None,
        after=orjson.loads(row["after"]) if row["after"] else None,
        reason=row["reason"],
        run_id=row["run_id"],
    )
