"""Surveys come to be when an application is accepted: one row for each kind that concerns it, never two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from asyncpg import Record

from models import JobApplication
from models.database import fetch_all, write
from models.enums import CompanyKind, JobApplicationState, SenderKind, SurveyKind
from services.surveys.links import company_context, new_reference, organization_context
from services.surveys.plan import SurveyPlan

_BATCH_SIZE = 200

_CONCERNED = f"""
SELECT a.id, wanted.kind AS survey_kind, a.processed_at, c.number AS company_number, c.kind AS company_kind,
    c.department AS company_department, o.number AS organization_number, o.department AS organization_department
FROM job_application a
JOIN company c ON c.id = a.company_id
LEFT JOIN prescriber_organization o
    ON o.id = a.sender_prescriber_organization_id AND a.sender_kind = '{SenderKind.PRESCRIBER.value}'
CROSS JOIN unnest($1::text[]) AS wanted(kind)
WHERE (wanted.kind <> '{SurveyKind.PRESCRIBER_SATISFACTION.value}' OR o.id IS NOT NULL)
    AND a.state = '{JobApplicationState.ACCEPTED.value}'
"""
_RECENT = f"""{_CONCERNED}
    AND a.processed_at BETWEEN $2 AND $3
    AND NOT EXISTS (SELECT 1 FROM survey s WHERE s.job_application_id = a.id AND s.kind = wanted.kind)
ORDER BY a.processed_at, a.id
LIMIT $4
"""
_ONE = f"{_CONCERNED} AND a.id = $2"
_INSERT = """
INSERT INTO survey (id, kind, status, reference, form_id, context, job_application_id, mail_due_at, created_at)
SELECT id, kind, 'available', reference, form_id, context, job_application_id, mail_due_at, $8
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::uuid[], $7::timestamptz[])
    AS new(id, kind, reference, form_id, context, job_application_id, mail_due_at)
ON CONFLICT (job_application_id, kind) DO NOTHING
RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    kind: SurveyKind
    job_application_id: UUID
    context: dict[str, str]
    mail_due_at: datetime | None


async def offer_surveys(plan: SurveyPlan, *, now: datetime) -> int:
    """Make the surveys that recent hirings lack, and say when each is to be mailed. Returns how many were made.

    Safe at any time and any number of times: who comes second finds nothing to do.
    """
    kinds = [kind.value for kind in plan.form_ids]
    made = 0
    while rows := await fetch_all(_RECENT, kinds, now - plan.lookback, now, _BATCH_SIZE):
        made += await _insert([_offer(row, plan) for row in rows], plan, now=now)
        if len(rows) < _BATCH_SIZE:
            break
    return made


async def offer_survey(application: JobApplication, kind: SurveyKind, plan: SurveyPlan, *, now: datetime) -> bool:
    """See to it that an application has its survey of one kind. False: the kind does not concern it.

    For an accepted application that the caller's transaction holds locked, and a kind that has a form.
    """
    rows = await fetch_all(_ONE, [kind.value], application.id)
    if not rows:
        return False
    await _insert([_offer(rows[0], plan)], plan, now=now)
    return True


def _offer(row: Record, plan: SurveyPlan) -> _Offer:
    kind = SurveyKind(row["survey_kind"])
    if kind is SurveyKind.PRESCRIBER_SATISFACTION:
        context = organization_context(number=row["organization_number"], department=row["organization_department"])
    else:
        context = company_context(
            number=row["company_number"],
            kind=CompanyKind(row["company_kind"]),
            department=row["company_department"],
        )
    accepted_at: datetime | None = row["processed_at"]
    return _Offer(
        kind=kind,
        job_application_id=row["id"],
        context=context,
        mail_due_at=accepted_at + plan.delay(kind) if accepted_at is not None else None,
    )


async def _insert(offers: Iterable[_Offer], plan: SurveyPlan, *, now: datetime) -> int:
    columns: list[tuple[Any, ...]] = [
        (
            uuid4(),
            offer.kind.value,
            new_reference(),
            plan.form_ids[offer.kind],
            orjson.dumps(offer.context).decode(),
            offer.job_application_id,
            offer.mail_due_at,
        )
        for offer in offers
    ]
    return len(await write(_INSERT, *map(list, zip(*columns, strict=True)), now))
