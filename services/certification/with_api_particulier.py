"""Certify identities with API Particulier: one now because somebody asked, and those whose question is due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

import structlog

from clients.api_particulier import ApiParticulierClient
from models.enums import CertificationResult, Partner
from services.certification.asking import Verdict, ask, note_failure
from services.certification.civil_status import read_citizen
from services.certification.on_demand import (
    DEADLINE,
    CertificationOutcome,
    Certified,
    IdentityNotFound,
    Rejected,
    Unavailable,
)
from services.certification.requests import Claim, begin_request, claim_due_request, settle, take_up_again
from services.clock import Clock, paris_day, utc_now
from services.outcomes import ConflictFound, Invalid, NotFound
from services.pauses import is_paused

log = structlog.get_logger(__name__)

MAX_A_RUN = 500
MAX_FAILURES_IN_A_ROW = 20


@dataclass(frozen=True, slots=True)
class ConsentMissing:
    """The person did not agree, or no longer does: nothing was asked."""


ParticulierOutcome = CertificationOutcome | ConsentMissing


@dataclass(slots=True, kw_only=True)
class RetrySummary:
    """What became of the questions of one run."""

    asked: int = 0
    certified: int = 0
    not_recognised: int = 0
    unavailable: int = 0
    changed_meanwhile: int = 0
    incomplete: int = 0
    is_paused: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def certify_with_api_particulier(
    job_seeker_id: UUID,
    *,
    api_particulier: ApiParticulierClient,
    requested_by: UUID | None,
    clock: Clock = utc_now,
    deadline: timedelta = DEADLINE,
) -> ParticulierOutcome:
    """Ask API Particulier whether it knows the person. Asked is only about who agreed, and whose civil status is whole.

    Without a usable answer the question stays due, and the worker asks again by itself.
    """
    citizen = await read_citizen(job_seeker_id)
    if citizen is None:
        return NotFound()
    if not citizen.has_consent:
        return ConsentMissing()
    if problems := citizen.problems:
        log.info("identity_incomplete", job_seeker_id=str(job_seeker_id))
        return Invalid(problems)
    now = clock()
    if await is_paused(Partner.API_PARTICULIER, access=api_particulier.access, now=now):
        return Unavailable(None)
    claim = await begin_request(job_seeker_id, requested_by=requested_by, now=now)
    if claim is None:
        return ConflictFound("La certification de ce candidat est déjà en cours.")
    return _outcome(await ask(claim, citizen, api_particulier=api_particulier, clock=clock, deadline=deadline))


def _outcome(verdict: Verdict) -> ParticulierOutcome:
    if verdict.certification is not None:
        return Certified(verdict.certification)
    match verdict.result:
        case None:
            return ConflictFound("L'identité a été modifiée pendant sa certification : relancez la certification.")
        case CertificationResult.IDENTITY_NOT_FOUND:
            return IdentityNotFound(verdict.code)
        case CertificationResult.PROVIDER_UNKNOWN:
            return Rejected(verdict.code)
        case CertificationResult.RETRYABLE:
            return Unavailable(verdict.retry_after)
        case CertificationResult.CONFIG_ERROR:
            return Unavailable(None)
        case CertificationResult.CERTIFIED | CertificationResult.IDENTITY_ONLY:
            raise TypeError("a recognised identity without its certification")
        case _:
            assert_never(verdict.result)


async def ask_due_questions(
    *,
    api_particulier: ApiParticulierClient,
    clock: Clock = utc_now,
    limit: int = MAX_A_RUN,
    keep_going: Callable[[], bool] = lambda: True,
) -> RetrySummary:
    """Ask again what is due, longest first, each person at most once. Every answer is committed apart."""
    since, summary, failures_in_a_row = clock(), RetrySummary(), 0
    while summary.asked < limit and failures_in_a_row < MAX_FAILURES_IN_A_ROW and keep_going():
        if await is_paused(Partner.API_PARTICULIER, access=api_particulier.access, now=clock()):
            summary.is_paused = True
            break
        claim = await claim_due_request(since=since, now=clock())
        if claim is None:
            break
        verdict = await _ask_claimed(claim, api_particulier, clock)
        _count(summary, verdict)
        has_failed = verdict is not None and verdict.result is CertificationResult.RETRYABLE
        failures_in_a_row = failures_in_a_row + 1 if has_failed else 0
    if summary.asked or summary.incomplete:
        log.info("identity_questions_asked", **summary.as_json())
    return summary


async def _ask_claimed(claim: Claim, api_particulier: ApiParticulierClient, clock: Clock) -> Verdict | None:
    """None: too little is known of the person by now, and nothing was asked."""
    try:
        citizen = await read_citizen(claim.job_seeker_id)
        if citizen is None or not citizen.has_consent or citizen.problems:
            await settle(claim, None)
            log.info("identity_incomplete", job_seeker_id=str(claim.job_seeker_id))
            return None
        return await ask(claim, citizen, api_particulier=api_particulier, clock=clock)
    except Exception as error:  # noqa: BLE001 - one person must not keep the others from their turn
        return await note_failure(claim, clock(), code=type(error).__name__[:32])


def _count(summary: RetrySummary, verdict: Verdict | None) -> None:
    if verdict is None:
        summary.incomplete += 1
        return
    summary.asked += 1
    match verdict.result:
        case None:
            summary.changed_meanwhile += 1
        case CertificationResult.CERTIFIED | CertificationResult.IDENTITY_ONLY:
            summary.certified += 1
        case CertificationResult.IDENTITY_NOT_FOUND:
            summary.not_recognised += 1
        case CertificationResult.PROVIDER_UNKNOWN | CertificationResult.RETRYABLE | CertificationResult.CONFIG_ERROR:
            summary.unavailable += 1
        case _:
            assert_never(verdict.result)


async def take_up_unanswered(now: datetime) -> int:
    """Make due again what had no answer a week ago. Returns how many questions that are."""
    return await take_up_again(now, today=paris_day(now))
