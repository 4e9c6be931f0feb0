"""Questions to API Particulier as operators look for them: what came of each, never what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.enums import CertificationResult
from services.operations.paging import FIRST_PAGE, Conditions, Count, Page, PageRequest, Source, count, read_page

_SOURCE = Source(
    columns="id, job_seeker_id, created_at, outcome, http_status, code, provider, partner_request_id, retries,"
    " last_attempt_at, next_attempt_at, answered_at",
    table="certification_request",
    at="created_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationFilter:
    """What narrows the list; None: does not. `is_due`: only what waits for its turn, or has had it.

    `since` and `until` (excluded) compare the creation.
    """

    outcome: CertificationResult | None = None
    code: str | None = None
    job_seeker_id: UUID | None = None
    is_due: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationRow:
    """One question about one person. `outcome` None: never asked. `partner_request_id`: what their support asks for."""

    id: UUID
    job_seeker_id: UUID
    created_at: datetime
    outcome: CertificationResult | None
    http_status: int | None
    code: str | None
    provider: str | None
    partner_request_id: str | None
    retries: int
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    answered_at: datetime | None


async def list_certifications(
    narrowed: CertificationFilter | None = None, page: PageRequest = FIRST_PAGE
) -> Page[CertificationRow]:
    """Return a page by creation; one statement. Raises BadCursor."""
    return await read_page(_SOURCE, _conditions(narrowed or CertificationFilter()), page, _row)


async def count_certifications(narrowed: CertificationFilter | None = None) -> Count:
    return await count(_SOURCE, _conditions(narrowed or CertificationFilter()))


def _conditions(narrowed: CertificationFilter) -> Conditions:
    conditions = Conditions()
    conditions.add_given("outcome = {}", narrowed.outcome)
    conditions.add_given("code = {}", narrowed.code)
    conditions.add_given("job_seeker_id = {}", narrowed.job_seeker_id)
    if narrowed.is_due:
        conditions.add("next_attempt_at IS NOT NULL")
    conditions.add_given("created_at >= {}", narrowed.since)
    conditions.add_given("created_at < {}", narrowed.until)
    return conditions


def _row(row: Any) -> CertificationRow:
    return CertificationRow(
        id=row["id"],
        job_seeker_id=row["job_seeker_id"],
        created_at=row["created_at"],
        outcome=CertificationResult(row["outcome"]) if row["outcome"] else None,
        http_status=row["http_status"],
        code=row["code"],
        provider=row["provider"],
        partner_request_id=row["partner_request_id"],
        retries=row["retries"],
        last_attempt_at=row["last_attempt_at"],
        next_attempt_at=row["next_attempt_at"],
        answered_at=row["answered_at"],
    )
