"""Mails as operators look for them: to whom and with what is sealed, and not shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.enums import MailState, MailTemplate
from services.operations.paging import FIRST_PAGE, Conditions, Count, Page, PageRequest, Source, count, read_page

_SOURCE = Source(
    columns="id, template, subject_id, state, attempts, code, created_at, next_attempt_at, handed_over_at, sent_at",
    table="mail",
    at="created_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFilter:
    """What narrows the list; None: does not. `since` and `until` (excluded) compare the creation."""

    state: MailState | None = None
    template: MailTemplate | None = None
    code: str | None = None
    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRow:
    """One mail. `subject_id`: the row that it is about. `code`: the relay's reply, or ours, to the last attempt."""

    id: UUID
    template: MailTemplate
    subject_id: UUID
    state: MailState
    attempts: int
    code: str | None
    created_at: datetime
    next_attempt_at: datetime | None
    handed_over_at: datetime | None
    sent_at: datetime | None


async def list_mails(narrowed: MailFilter | None = None, page: PageRequest = FIRST_PAGE) -> Page[MailRow]:
    """Return a page by creation; one statement. Raises BadCursor."""
    return await read_page(_SOURCE, _conditions(narrowed or MailFilter()), page, _row)


async def count_mails(narrowed: MailFilter | None = None) -> Count:
    return await count(_SOURCE, _conditions(narrowed or MailFilter()))


def _conditions(narrowed: MailFilter) -> Conditions:
    conditions = Conditions()
    conditions.add_given("state = {}", narrowed.state)
    conditions.add_given("template = {}", narrowed.template)
    conditions.add_given("code = {}", narrowed.code)
    conditions.add_given("subject_id = {}", narrowed.subject_id)
    conditions.add_given("created_at >= {}", narrowed.since)
    conditions.add_given("created_at < {}", narrowed.until)
    return conditions


def _row(row: Any) -> MailRow:
    return MailRow(
        id=row["id"],
        template=MailTemplate(row["template"]),
        subject_id=row["subject_id"],
        state=MailState(row["state"]),
        attempts=row["attempts"],
        code=row["code"],
        created_at=row["created_at"],
        next_attempt_at=row["next_attempt_at"],
        handed_over_at=row["handed_over_at"],
        sent_at=row["sent_at"],
    )
