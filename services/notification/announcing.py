"""One attempt to announce one approval or cancellation, from its preliminary checks to its record.

Source: the platform's rules for announcing a PASS IAE to France Travail; `docs/explanation` walks through the steps.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import structlog

from clients.errors import PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.france_travail import FranceTravailClient, PassIaeUpdate
from models.enums import NotificationEndpoint, NotificationStatus
from services.certification.records import keep_certified_identity
from services.clock import Clock, paris_day, utc_now
from services.leases import DEFAULT_LEASE
from services.notification import verdicts
from services.notification.checks import blocking_checks
from services.notification.claims import Claim, ClaimedPerson, read_claimed_person
from services.notification.recording import AttemptInProgress, keep_copied_identifier
from services.notification.verdicts import ALREADY_THERE, BatchStop, Verdict

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """`status` is where the notification stands now; None: it was lost to another worker, which will say."""

    status: NotificationStatus | None
    stops_batch: BatchStop | None = None


@dataclass(slots=True)
class Patience:
    """How often one attempt may wait for France Travail and repeat its call after a 429."""

    replays_left: int
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    async def call(self, send: Callable[[], Awaitable[T]]) -> T:
        try:
            return await send()
        except PartnerRateLimited as error:
            if not self.replays_left:
                raise
            self.replays_left -= 1
            seconds = error.retry_after or 0.0
        await self.sleep(seconds)
        return await self.call(send)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcer:
    """What every attempt needs. `deadline`: an attempt that takes longer is given up, its fate unknown."""

    france_travail: FranceTravailClient
    lease: timedelta = DEFAULT_LEASE
    clock: Clock = utc_now
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    replays: int = 0
    deadline: timedelta | None = None
    trace_id: str | None = None

    async def announce(self, claim: Claim) -> Announced:
        """Make one attempt and record it. No partner error comes out: here an answer is an outcome."""
        attempt = AttemptInProgress(claim, started_at=self.clock(), trace_id=self.trace_id)
        await attempt.begin()
        async with claim.lease.kept():
            verdict = await self._verdict(claim, attempt)
        if verdict is None:
            await attempt.abandon()
            log.warning("notification_lost_to_another_worker", subject=claim.subject.value, id=str(claim.id))
            return Announced(status=None)
        status = await attempt.finish(verdict)
        log.info(
            "notification_attempted",
            subject=claim.subject.value,
            id=str(claim.id),
            status=status.value,
            endpoint=verdict.endpoint,
            code=verdict.code,
            trace_id=self.trace_id,
        )
        return Announced(status=status, stops_batch=verdict.stops_batch)

    async def _verdict(self, claim: Claim, attempt: AttemptInProgress) -> Verdict | None:
        deadline = asyncio.timeout(self.deadline.total_seconds() if self.deadline else None)
        try:
            async with deadline:
                return await self._try(claim, attempt)
        except Exception as error:  # noqa: BLE001 - one broken record must not keep the others from their turn
            if deadline.expired():
                return verdicts.failed(attempt.endpoint, code="deadline")
            # Neither message nor locals: both may repeat what was being sent.
            where = traceback.extract_tb(error.__traceback__)[-1]
            log.error(  # noqa: TRY400
                "notification_attempt_crashed",
                subject=claim.subject.value,
                id=str(claim.id),
                error_class=type(error).__name__,
                where=f"{where.filename.rpartition('/')[2]}:{where.lineno}",
            )
            return verdicts.failed(attempt.endpoint, code=type(error).__name__[:64])

    async def _try(self, claim: Claim, attempt: AttemptInProgress) -> Verdict | None:
        person = await read_claimed_person(claim)
        checks = blocking_checks(person.facts(claim), today=paris_day(attempt.started_at))
        if checks:
            return verdicts.blocked(checks[0])
        patience = Patience(self.replays, self.sleep)
        try:
            france_travail_id = person.france_travail_id or await self._search(claim, person, attempt, patience)
            if france_travail_id is None:
                return verdicts.failed(attempt.endpoint, code="identity_changed")
            return await self._update(claim, france_travail_id, attempt, patience)
        except PartnerUnavailable as error:
            return verdicts.unavailable(error, _reached(attempt))
        except PartnerRejected as error:
            if await _had_arrived_before(error, attempt):
                return verdicts.accepted(code=error.code)
            return verdicts.rejected(error, _reached(attempt))

    async def _search(
        self, claim: Claim, person: ClaimedPerson, attempt: AttemptInProgress, patience: Patience
    ) -> str | None:
        """The identifier, kept before anything else is done with it. None: it is for an identity that has changed."""
        await attempt.reach_search()
        france_travail_id = await patience.call(lambda: self.france_travail.search_identity(person.identity.query()))
        if person.person is None:
            await keep_copied_identifier(claim.id, france_travail_id)
        elif await keep_certified_identity(person.person, france_travail_id, at=attempt.started_at) is None:
            return None
        return france_travail_id

    async def _update(
        self, claim: Claim, france_travail_id: str, attempt: AttemptInProgress, patience: Patience
    ) -> Verdict | None:
        """None: the lease was lost before anything was sent."""
        if not await claim.lease.renew():
            return None
        await attempt.reach_update()
        update = PassIaeUpdate(
            id_national=france_travail_id,
            approval_number=claim.number,
            start_at=claim.start_at,
            end_at=claim.end_at,
            siae_siret=claim.siae_siret,
            siae_kind=claim.siae_kind,
            sender_kind=claim.sender_kind,
            prescriber_kind=claim.prescriber_kind,
            is_cancelled=claim.is_cancellation,
        )
        await patience.call(lambda: self.france_travail.update_pass_iae(update))
        return verdicts.accepted()


async def _had_arrived_before(error: PartnerRejected, attempt: AttemptInProgress) -> bool:
    """ "Already there" is a success if we sent the same before and its answer was lost; else a refusal."""
    return (
        attempt.endpoint is NotificationEndpoint.MISE_A_JOUR_PASS_IAE
        and error.code == ALREADY_THERE
        and await attempt.follows_lost_answer()
    )


def _reached(attempt: AttemptInProgress) -> NotificationEndpoint:
    """The call that a partner error came from: one was begun, or there would be no such error."""
    if attempt.endpoint is None:
        raise RuntimeError("a partner answered an attempt that had called nobody")
    return attempt.endpoint
