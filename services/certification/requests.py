"""The rows of `certification_request`: who is asked about next, under a lease, and what is written when an answer came.

Whoever claims a row makes it due: a process that dies with it leaves a question that the sweep asks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from clients.api_particulier import Certification
from models.database import write
from models.enums import CertificationResult, JobApplicationState, Partner, WorkQueue
from services.consents import HAS_CONSENT
from services.pauses import not_paused

# Longer than the client's own deadline: nobody takes over a question that is still being asked.
LEASE = timedelta(seconds=60)
BETWEEN_RUNS = timedelta(days=7)
_SETTLED_IN = timedelta(days=1)

_FREE = "({row}.lease_until IS NULL OR {row}.lease_until < clock_timestamp())"
_CONSENTED = HAS_CONSENT.format(person="{row}.job_seeker_id")
_BEGIN = f"""
INSERT INTO certification_request AS request (id, job_seeker_id, requested_by_id, created_at, series_began_at, retries,
    last_attempt_at, next_attempt_at, lease_token, lease_until)
SELECT $1::uuid, $2::uuid, $3::uuid, $4::timestamptz, $4, 0, $4, $4, $5::uuid, clock_timestamp() + $6::interval
WHERE {HAS_CONSENT.format(person="$2::uuid")}
ON CONFLICT (job_seeker_id) DO UPDATE
SET requested_by_id = excluded.requested_by_id, series_began_at = excluded.series_began_at, retries = 0,
    last_attempt_at = excluded.last_attempt_at, next_attempt_at = excluded.next_attempt_at, answered_at = NULL,
    lease_token = excluded.lease_token, lease_until = excluded.lease_until
WHERE {_FREE.format(row="request")}
RETURNING id, job_seeker_id, retries, series_began_at
"""
_CLAIM_DUE = f"""
UPDATE certification_request AS request
SET last_attempt_at = $1, lease_token = $2, lease_until = clock_timestamp() + $3::interval
WHERE id = (
    SELECT id FROM certification_request due
    WHERE {not_paused(WorkQueue.CERTIFICATION_REQUESTS, Partner.API_PARTICULIER)}
        AND next_attempt_at <= $4 AND (last_attempt_at IS NULL OR last_attempt_at < $4)
        AND {_FREE.format(row="due")} AND {_CONSENTED.format(row="due")}
    ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, job_seeker_id, retries, series_began_at
"""
_SETTLE = """
UPDATE certification_request SET outcome = $3, answered_at = $4, next_attempt_at = $5, retries = $6, http_status = $7,
    code = $8, provider = $9, partner_request_id = $10, is_beneficiary = $11, has_increase = $12,
    benefit_started_on = $13, lease_token = NULL, lease_until = NULL
WHERE id = $1 AND lease_token = $2
RETURNING id
"""
_TAKE_UP_AGAIN = f"""
UPDATE certification_request AS request SET next_attempt_at = $1, series_began_at = $1, retries = 0
WHERE answered_at IS NULL AND next_attempt_at IS NULL AND created_at <= $2 AND last_attempt_at < $3
    AND {_CONSENTED.format(row="request")}
    AND NOT EXISTS (SELECT 1 FROM job_application hired WHERE hired.job_seeker_id = request.job_seeker_id
        AND hired.state = '{JobApplicationState.ACCEPTED.value}' AND hired.hiring_start_on <= $4)
RETURNING id
"""
_ASK_AGAIN = f"""
UPDATE certification_request AS request
SET next_attempt_at = $2, series_began_at = $2, retries = 0, answered_at = NULL
WHERE job_seeker_id = $1 AND outcome = '{CertificationResult.IDENTITY_NOT_FOUND.value}'
    AND {_CONSENTED.format(row="request")}
RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to ask about one person, until the lease runs out."""

    id: UUID
    token: UUID
    job_seeker_id: UUID
    retries: int
    series_began_at: datetime


async def begin_request(job_seeker_id: UUID, *, requested_by: UUID | None, now: datetime) -> Claim | None:
    """Ask anew because somebody wants to know. None: the question is being asked already, or consent is missing."""
    token = uuid4()
    return _claimed(await write(_BEGIN, uuid4(), job_seeker_id, requested_by, now, token, LEASE), token)


async def claim_due_request(*, since: datetime, now: datetime) -> Claim | None:
    """Claim the question that is due the longest. `since`: when this run began, which asks about nobody twice."""
    token = uuid4()
    return _claimed(await write(_CLAIM_DUE, now, token, LEASE, since), token)


async def settle(
    claim: Claim,
    outcome: CertificationResult | None,
    *,
    answered_at: datetime | None = None,
    next_attempt_at: datetime | None = None,
    retries: int = 0,
    http_status: int | None = None,
    code: str | None = None,
    provider: str | None = None,
    partner_request_id: str | None = None,
    answer: Certification | None = None,
) -> bool:
    """Write how the question ended and give the row back. False: the lease was lost, and nothing is written."""
    benefit = answer.benefit if answer else None
    rows = await write(
        _SETTLE,
        claim.id,
        claim.token,
        outcome.value if outcome else None,
        answered_at,
        next_attempt_at,
        retries,
        answer.http_status if answer else http_status,
        answer.code if answer else code,
        answer.provider if answer else provider,
        answer.request_id if answer else partner_request_id,
        answer.is_beneficiary if answer else None,
        benefit.has_increase if benefit else None,
        benefit.started_on if benefit else None,
    )
    return bool(rows)


async def take_up_again(now: datetime, *, today: date) -> int:
    """Make due again what was given up a week ago, of people who are not hired yet. Returns how many."""
    return len(await write(_TAKE_UP_AGAIN, now, now - _SETTLED_IN, now - BETWEEN_RUNS, today))


async def ask_again(job_seeker_id: UUID, *, now: datetime) -> None:
    """The identity has changed: ask again about a person who was not recognised under the old one."""
    await write(_ASK_AGAIN, job_seeker_id, now)


def _claimed(rows: list[dict[str, Any]], token: UUID) -> Claim | None:
    return Claim(token=token, **rows[0]) if rows else None
