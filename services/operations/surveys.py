"""Surveys as operators look for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.enums import SurveyKind, SurveyStatus
from services.operations.paging import FIRST_PAGE, Conditions, Count, Page, PageRequest, Source, count, read_page

_SOURCE = Source(
    columns="id, kind, status, form_id, job_application_id, created_at, mail_due_at, sent_at, answered_at",
    table="survey",
    at="created_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFilter:
    """What narrows the list; None: does not. `since` and `until` (excluded) compare the creation."""

    kind: SurveyKind | None = None
    status: SurveyStatus | None = None
    job_application_id: UUID | None = None
    is_due: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRow:
    """One survey. `mail_due_at`: from when on it is mailed unasked; None: it is not."""

    id: UUID
    kind: SurveyKind
    status: SurveyStatus
    form_id: str
    job_application_id: UUID | None
    created_at: datetime
    mail_due_at: datetime | None
    sent_at: datetime | None
    answered_at: datetime | None


async def list_surveys(narrowed: SurveyFilter | None = None, page: PageRequest = FIRST_PAGE) -> Page[SurveyRow]:
    """Return a page by creation; one statement. Raises BadCursor."""
    return await read_page(_SOURCE, _conditions(narrowed or SurveyFilter()), page, _row)


async def count_surveys(narrowed: SurveyFilter | None = None) -> Count:
    return await count(_SOURCE, _conditions(narrowed or SurveyFilter()))


def _conditions(narrowed: SurveyFilter) -> Conditions:
    conditions = Conditions()
    conditions.add_given("kind = {}", narrowed.kind)
    conditions.add_given("status = {}", narrowed.status)
    conditions.add_given("job_application_id = {}", narrowed.job_application_id)
    if narrowed.is_due:
        conditions.add("mail_due_at <= clock_timestamp()")
    conditions.add_given("created_at >= {}", narrowed.since)
    conditions.add_given("created_at < {}", narrowed.until)
    return conditions


def _row(row: Any) -> SurveyRow:
    return SurveyRow(
        id=row["id"],
        kind=SurveyKind(row["kind"]),
        status=SurveyStatus(row["status"]),
        form_id=row["form_id"],
        job_application_id=row["job_application_id"],
        created_at=row["created_at"],
        mail_due_at=row["mail_due_at"],
        sent_at=row["sent_at"],
        answered_at=row["answered_at"],
    )
