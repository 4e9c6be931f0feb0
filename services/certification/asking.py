"""Ask API Particulier about one person whose question was claimed, and write what came of it.

Source: API Particulier v3, by civil status. Which answer means what is the client's business
(clients/api_particulier/reading.py); here stands what each is worth to us and when it is asked again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog

from clients.api_particulier import (
    ApiParticulierClient,
    ApiParticulierMisconfigured,
    ApiParticulierUnavailable,
    Certification,
    Criterion,
    Outcome,
)
from clients.errors import PartnerRejected, PartnerUnavailable
from models import IdentityCertification
from models.database import run_in_transaction
from models.enums import CertificationAuthority, CertificationResult, Partner
from services.certification.civil_status import Citizen, is_unchanged, read_citizen
from services.certification.records import certify
from services.certification.requests import Claim, settle
from services.clock import Clock, utc_now
from services.pauses import pause_partner

log = structlog.get_logger(__name__)

# One benefit is enough to learn whether the State knows the person, and this one has an increase to tell.
CRITERION = Criterion.RSA
# Where API Particulier names no delay. After the last one the question is left to the nightly run.
TIMETABLE = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=12))
# Delays that API Particulier names do not use up the timetable; this keeps them from going on for ever.
LONGEST_SERIES = timedelta(days=1)
# What is wrong with the access itself is wrong for everybody: token, rights, address.
_REFUSED_ACCESS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a question ended. `certification`: with a recognised identity only. None as result: the person has changed.

    `code` is the partner's own; `retry_after` in seconds, if the partner said so.
    """

    result: CertificationResult | None
    certification: IdentityCertification | None = None
    code: str | None = None
    retry_after: float | None = None


async def ask(
    claim: Claim,
    citizen: Citizen,
    *,
    api_particulier: ApiParticulierClient,
    clock: Clock = utc_now,
    deadline: timedelta | None = None,
) -> Verdict:
    """Ask about a complete person who agreed. Never raises PartnerError: here an answer is an outcome."""
    try:
        async with asyncio.timeout(deadline.total_seconds() if deadline else None):
            answer = await api_particulier.certify(CRITERION, citizen.civil_status)
    except TimeoutError:
        return await note_failure(claim, clock(), code="deadline")
    except PartnerUnavailable as error:
        return await note_failure(claim, clock(), error=error)
    except PartnerRejected as error:
        return await _note_refused_access(claim, error, access=api_particulier.access, at=clock())
    return await _keep(claim, citizen, answer, at=clock())


async def _keep(claim: Claim, citizen: Citizen, answer: Certification, *, at: datetime) -> Verdict:
    result = CertificationResult(answer.outcome.value)

    async def keep() -> Verdict:
        if not await is_unchanged(citizen):
            now = await read_citizen(claim.job_seeker_id)
            is_due = now is not None and now.has_consent
            await settle(claim, None, next_attempt_at=at if is_due else None)
            return Verdict(result=None)
        answered_at = None if answer.outcome is Outcome.PROVIDER_UNKNOWN else at
        if not await settle(claim, result, answered_at=answered_at, answer=answer):
            return Verdict(result=None)
        certification = None
        if answer.proves_identity:
            certification = await certify(claim.job_seeker_id, CertificationAuthority.API_PARTICULIER, at=at)
        return Verdict(result=result, certification=certification, code=answer.code)

    verdict = await run_in_transaction(keep)
    log.info(
        "identity_asked",
        job_seeker_id=str(claim.job_seeker_id),
        outcome=verdict.result.value if verdict.result else "changed_meanwhile",
        code=answer.code,
        partner_request_id=answer.request_id,
    )
    return verdict


async def note_failure(
    claim: Claim, at: datetime, *, error: PartnerUnavailable | None = None, code: str | None = None
) -> Verdict:
    """Write that there is no usable answer, and when to ask again."""
    retry_after = error.retry_after if error else None
    next_attempt_at, retries = next_attempt(claim, at, retry_after=retry_after)
    detailed = error if isinstance(error, ApiParticulierUnavailable) else None
    code = error.code if error else code
    await settle(
        claim,
        CertificationResult.RETRYABLE,
        next_attempt_at=next_attempt_at,
        retries=retries,
        http_status=error.http_status if error else None,
        code=code,
        provider=detailed.provider if detailed else None,
        partner_request_id=detailed.request_id if detailed else None,
    )
    log.warning("identity_not_asked", job_seeker_id=str(claim.job_seeker_id), code=code, retry_after=retry_after)
    return Verdict(result=CertificationResult.RETRYABLE, code=code, retry_after=retry_after)


def next_attempt(claim: Claim, at: datetime, *, retry_after: float | None) -> tuple[datetime | None, int]:
    """Return when to ask again (None: the nightly run will) and how many steps of the timetable are then used."""
    if retry_after is not None:
        asked = at + timedelta(seconds=retry_after)
        is_too_late = asked - claim.series_began_at > LONGEST_SERIES
        return None if is_too_late else asked, claim.retries
    if claim.retries >= len(TIMETABLE):
        return None, claim.retries
    return at + TIMETABLE[claim.retries], claim.retries + 1


async def _note_refused_access(claim: Claim, error: PartnerRejected, *, access: str, at: datetime) -> Verdict:
    """Our access or our request is wrong: a person must act. A refused access keeps everybody's question waiting."""
    detailed = error if isinstance(error, ApiParticulierMisconfigured) else None
    concerns_all = error.http_status in _REFUSED_ACCESS
    if concerns_all:
        # Before the question is given back: no other process takes it up in between.
        await pause_partner(Partner.API_PARTICULIER, access=access, reason=error.code or "refused", now=at)
    await settle(
        claim,
        CertificationResult.CONFIG_ERROR,
        next_attempt_at=at if concerns_all else None,
        http_status=error.http_status,
        code=error.code,
        provider=detailed.provider if detailed else None,
        partner_request_id=detailed.request_id if detailed else None,
    )
    log.error(
        "certification_alarm",
        partner=Partner.API_PARTICULIER.value,
        reason="configuration",
        code=error.code,
        http_status=error.http_status,
        partner_request_id=detailed.request_id if detailed else None,
        paused=concerns_all,
    )
    return Verdict(result=CertificationResult.CONFIG_ERROR, code=error.code)
