"""Certify the job seekers whom France Travail has not recognised yet, some at a time.

Source: the platform's rules for its hourly certification (200 persons, a week between two attempts, names that were
typed in the wrong order).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog

from clients.errors import ErrorCode, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.france_travail import FranceTravailClient, FranceTravailConfigurationError
from models import IdentityCertification
from models.database import fetch_all
from models.enums import CertificationAuthority, Partner, WorkQueue
from services.certification.person import Identity, Person, read_person
from services.certification.records import keep_certified_identity, note_failed_attempt
from services.clock import Clock, utc_now
from services.pauses import not_paused

log = structlog.get_logger(__name__)

BATCH_SIZE = 200
BETWEEN_ATTEMPTS = timedelta(days=7)
MAX_TRIES = 10  # of one call, with a wait between two that is as long as France Travail or the breaker asks
MAX_FAILURES_IN_A_ROW = 20
_SHORTEST_WAIT_SECONDS = 1.0

_IS_GOING = f"SELECT {not_paused(WorkQueue.CERTIFICATIONS, Partner.FRANCE_TRAVAIL)} AS is_going"
_CANDIDATES = f"""
SELECT profile.user_id AS id FROM job_seeker_profile profile JOIN "user" account ON account.id = profile.user_id
WHERE {not_paused(WorkQueue.CERTIFICATIONS, Partner.FRANCE_TRAVAIL)}
    AND account.kind = 'job_seeker' AND account.is_active
    AND trim(account.first_name) <> '' AND trim(account.last_name) <> ''
    AND profile.pe_obfuscated_nir IS NULL AND profile.nir IS NOT NULL AND profile.birthdate IS NOT NULL
    AND (profile.pe_last_certification_attempt_at IS NULL OR profile.pe_last_certification_attempt_at < $1)
ORDER BY profile.pe_last_certification_attempt_at NULLS FIRST, profile.user_id LIMIT $2
"""


class CampaignStop(StrEnum):
    """Why a run ended before its last candidate."""

    RATE_LIMITED = "rate_limited"
    CONFIGURATION = "configuration"
    UNAVAILABLE = "unavailable"
    INTERRUPTED = "interrupted"
    PAUSED = "paused"  # by an operator, in the middle of the run


@dataclass(slots=True, kw_only=True)
class CampaignSummary:
    """What became of the candidates of one run."""

    candidates: int
    certified: int = 0
    certified_with_swapped_names: int = 0
    not_recognised: int = 0
    unavailable: int = 0
    changed_meanwhile: int = 0
    stopped_by: CampaignStop | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class _Stopped(Exception):
    """Ends the run from the depth of one person. Never leaves this module."""

    def __init__(self, reason: CampaignStop) -> None:
        super().__init__(reason)
        self.reason = reason


async def certify_due_job_seekers(
    *,
    france_travail: FranceTravailClient,
    batch_size: int = BATCH_SIZE,
    clock: Clock = utc_now,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    keep_going: Callable[[], bool] = lambda: True,
) -> CampaignSummary:
    """Ask France Travail about the candidates: those never asked about first, then by oldest attempt.

    Every person is committed apart. Run it inside `exclusive_run`: it holds no person, and two runs at once would ask
    about the same ones. `keep_going` is asked before each person.
    """
    candidates = await _candidates(clock() - BETWEEN_ATTEMPTS, batch_size)
    campaign = _Campaign(france_travail, clock, sleep, CampaignSummary(candidates=len(candidates)))
    try:
        for job_seeker_id in candidates:
            if not keep_going():
                raise _Stopped(CampaignStop.INTERRUPTED)
            if not (await fetch_all(_IS_GOING))[0]["is_going"]:
                raise _Stopped(CampaignStop.PAUSED)
            await campaign.certify(job_seeker_id)
    except _Stopped as stop:
        campaign.summary.stopped_by = stop.reason
    log.info("certification_run_finished", **campaign.summary.as_json())
    return campaign.summary


async def _candidates(attempted_before: datetime, limit: int) -> list[UUID]:
    return [row["id"] for row in await fetch_all(_CANDIDATES, attempted_before, limit)]


@dataclass(slots=True)
class _Campaign:
    france_travail: FranceTravailClient
    clock: Clock
    sleep: Callable[[float], Awaitable[object]]
    summary: CampaignSummary
    failures_in_a_row: int = field(default=0)

    async def certify(self, job_seeker_id: UUID) -> None:
        try:
            await self._certify(job_seeker_id)
        except _Stopped:
            raise
        except FranceTravailConfigurationError as error:
            log.error("certification_alarm", reason=CampaignStop.CONFIGURATION.value, code=error.code)  # noqa: TRY400
            raise _Stopped(CampaignStop.CONFIGURATION) from None
        except PartnerUnavailable as error:
            self._count_failure(job_seeker_id, code=error.code)
        except Exception as error:  # noqa: BLE001 - one person must not keep the others from their turn
            self._count_failure(job_seeker_id, code=type(error).__name__)
        else:
            self.failures_in_a_row = 0

    async def _certify(self, job_seeker_id: UUID) -> None:
        person = await read_person(job_seeker_id)
        if person is None or person.france_travail_id is not None or not person.identity.is_complete:
            self.summary.changed_meanwhile += 1
        else:
            await self._recognise(person)

    async def _recognise(self, person: Person) -> None:
        at = self.clock()
        found = await self._search(person.identity)
        if found is not None:
            await self._keep(person, found, at, swapped=False)
        elif await _has_proven_names(person.job_seeker_id):
            await self._note_failure(person, at)
        elif (found := await self._search(person.identity.swapped)) is not None:
            await self._keep(person, found, at, swapped=True)
        else:
            await self._note_failure(person, at)

    async def _search(self, identity: Identity) -> str | None:
        """The identifier, or None when France Travail recognises nobody. Waits when it is asked to wait."""
        stop = CampaignStop.RATE_LIMITED
        for tries_left in reversed(range(MAX_TRIES)):
            try:
                return await self.france_travail.search_identity(identity.query())
            except PartnerRejected:
                return None
            except PartnerRateLimited as error:
                stop, seconds = CampaignStop.RATE_LIMITED, error.retry_after
            except PartnerUnavailable as error:
                if error.code != ErrorCode.BREAKER_OPEN:
                    raise
                stop, seconds = CampaignStop.UNAVAILABLE, error.retry_after
            if tries_left:
                await self.sleep(max(seconds or 0.0, _SHORTEST_WAIT_SECONDS))
        raise _Stopped(stop)

    async def _keep(self, person: Person, france_travail_id: str, at: datetime, *, swapped: bool) -> None:
        if await keep_certified_identity(person, france_travail_id, at=at, with_swapped_names=swapped) is None:
            self.summary.changed_meanwhile += 1
        elif swapped:
            self.summary.certified_with_swapped_names += 1
        else:
            self.summary.certified += 1

    async def _note_failure(self, person: Person, at: datetime) -> None:
        await note_failed_attempt(person, at=at)
        self.summary.not_recognised += 1

    def _count_failure(self, job_seeker_id: UUID, *, code: str | None) -> None:
        log.warning("certification_unavailable", job_seeker_id=str(job_seeker_id), code=code)
        self.summary.unavailable += 1
        self.failures_in_a_row += 1
        if self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
            raise _Stopped(CampaignStop.UNAVAILABLE)


async def _has_proven_names(job_seeker_id: UUID) -> bool:
    """Names that API Particulier certified are in the right order, and locked."""
    return await IdentityCertification.filter(
        jobseeker_profile_id=job_seeker_id, certifier=CertificationAuthority.API_PARTICULIER
    ).exists()
