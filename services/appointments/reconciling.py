"""Invitations of unknown outcome: find out what became of them, without sending anything.

RDV-Insertion tells whether it knows the person, and its webhooks tell what it sent them. A person it does not know was
not invited. One that it knows may have been known before: without a message or a booking nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog

from clients.errors import ErrorCode, PartnerError, PartnerRateLimited
from clients.rdv_insertion import InvitationAnswer, RDVInsertionClient
from models.database import fetch_all
from models.enums import InvitationAttemptState
from services.appointments.attempts import (
    FOUND,
    HELD,
    UnknownAttempt,
    accept,
    due_attempts,
    forget_old_refusals,
    interrupt_overdue,
    look_again,
    recently_found,
    settle,
)
from services.appointments.evidence import has_booked_since, messages_since
from services.appointments.requests import look_at_events_again
from services.clock import Clock, utc_now

log = structlog.get_logger(__name__)

BATCH_SIZE = 100
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=4),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
    timedelta(days=1),
)
"""After the first look, the second, and so on; the last one from then on."""
# Whom they do not know by then they will not know: their own work on a call is long over.
ABSENT_AFTER = timedelta(minutes=5)
# An invitation lives ten days; who has not booked by then has not been invited, for all that matters.
GIVE_UP_AFTER = timedelta(days=14)

_IS_SUPERSEDED = "SELECT 1 FROM invitation_request WHERE job_seeker_id = $1 AND company_id = $2 AND created_at >= $3"


class LookOutcome(StrEnum):
    """What one look came to."""

    FOUND = "found"
    ABSENT = "absent"
    ABANDONED = "abandoned"
    POSTPONED = "postponed"
    PARTNER_IS_AWAY = "partner_is_away"


@dataclass(slots=True, kw_only=True)
class ReconcilingSummary:
    """What became of the attempts of one run. `interrupted`: left behind by a dead process, and looked for from now."""

    interrupted: int = 0
    found: int = 0
    absent: int = 0
    abandoned: int = 0
    postponed: int = 0
    forgotten_refusals: int = 0
    stopped: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def count(self, outcome: LookOutcome) -> None:
        match outcome:
            case LookOutcome.FOUND:
                self.found += 1
            case LookOutcome.ABSENT:
                self.absent += 1
            case LookOutcome.ABANDONED:
                self.abandoned += 1
            case LookOutcome.POSTPONED:
                self.postponed += 1
            case LookOutcome.PARTNER_IS_AWAY:
                self.postponed += 1
                self.stopped = True


async def reconcile_due_attempts(
    *,
    client: RDVInsertionClient,
    batch_size: int = BATCH_SIZE,
    clock: Clock = utc_now,
    keep_going: Callable[[], bool] = lambda: True,
) -> ReconcilingSummary:
    """Look for every outcome that is due, the longest waiting first. `keep_going` is asked before each."""
    summary = ReconcilingSummary(interrupted=await interrupt_overdue(now=clock()))
    if summary.interrupted:
        log.warning("invitations_interrupted", attempts=summary.interrupted)
    # Again is no mistake, and the sweep over events looks at requests by the time of the click only.
    for request_id in await recently_found(now=clock()):
        await look_at_events_again(request_id)
    for attempt in await due_attempts(clock(), limit=batch_size):
        if summary.stopped or not keep_going():
            break
        try:
            outcome = await reconcile(attempt, client=client, now=clock())
        except Exception as error:  # noqa: BLE001 - one attempt must not keep the others from their turn
            # The class alone: the text may hold whom it was about.
            log.error("invitation_look_broken", attempt_id=str(attempt.id), error_class=type(error).__name__)  # noqa: TRY400
            continue
        summary.count(outcome)
    summary.forgotten_refusals = await forget_old_refusals(now=clock())
    return summary


async def reconcile(attempt: UnknownAttempt, *, client: RDVInsertionClient, now: datetime) -> LookOutcome:
    """Look once for what became of an attempt. Never raises PartnerError."""
    if await fetch_all(_IS_SUPERSEDED, attempt.job_seeker_id, attempt.company_id, attempt.begun_at):
        return await _abandon(attempt, "superseded", now)
    user_id = attempt.rdv_insertion_user_id
    if user_id is None:
        if not attempt.email:
            return await _without_email(attempt, now)
        try:
            people = await _people_of(attempt, client)
        except PartnerError as error:
            return await _unanswered(attempt, error, now)
        if not people:
            return await _absent(attempt, now)
        if len(people) > 1:
            return await _abandon(attempt, "several_people", now)
        [user_id] = people
    return await _look_for_evidence(attempt, user_id, now)


async def _people_of(attempt: UnknownAttempt, client: RDVInsertionClient) -> set[int]:
    """By RDV-Insertion's own rule: the same address, and the same first word of the first name."""
    first_word = _first_word(attempt.first_name)
    found = await client.find_users(attempt.organisation_id, attempt.email)
    return {person.id for person in found if _first_word(person.first_name) == first_word}


async def _look_for_evidence(attempt: UnknownAttempt, user_id: int, now: datetime) -> LookOutcome:
    messages = await messages_since(user_id, attempt.begun_at, reason_category=attempt.reason_category)
    if not messages and not await has_booked_since(user_id, attempt.begun_at, organisation_id=attempt.organisation_id):
        if now - attempt.begun_at >= GIVE_UP_AFTER:
            return await _abandon(attempt, "no_evidence", now)
        return await _postpone(attempt, now, user_id=user_id)
    request_id = await accept(attempt.id, InvitationAnswer(user_id=user_id, invitations=messages), code=FOUND, now=now)
    log.info(
        "invitation_found", attempt_id=str(attempt.id), invitation_request_id=str(request_id), messages=len(messages)
    )
    if request_id is not None:
        await look_at_events_again(request_id)
    return LookOutcome.FOUND


async def _absent(attempt: UnknownAttempt, now: datetime) -> LookOutcome:
    if now - attempt.begun_at < ABSENT_AFTER:
        return await _postpone(attempt, now)
    state = InvitationAttemptState.REFUSED if attempt.is_refused else InvitationAttemptState.NOT_SENT
    await settle(attempt.id, state, code=attempt.code, http_status=attempt.http_status, now=now)
    log.info("invitation_absent", attempt_id=str(attempt.id))
    return LookOutcome.ABSENT


async def _without_email(attempt: UnknownAttempt, now: datetime) -> LookOutcome:
    """They can be searched for by address only: the attempt holds the employer back for a while, and that is all."""
    if now - attempt.begun_at >= HELD:
        return await _abandon(attempt, "no_email", now)
    await look_again(attempt.id, attempt.begun_at + HELD, rdv_insertion_user_id=None)
    return LookOutcome.POSTPONED


async def _unanswered(attempt: UnknownAttempt, error: PartnerError, now: datetime) -> LookOutcome:
    log.warning("invitation_not_looked_for", attempt_id=str(attempt.id), code=error.code)
    if now - attempt.begun_at >= GIVE_UP_AFTER:
        return await _abandon(attempt, "unanswered", now)
    await _postpone(attempt, now, at_least=timedelta(seconds=error.retry_after or 0))
    is_away = isinstance(error, PartnerRateLimited) or error.code == ErrorCode.BREAKER_OPEN
    return LookOutcome.PARTNER_IS_AWAY if is_away else LookOutcome.POSTPONED


async def _postpone(
    attempt: UnknownAttempt, now: datetime, *, user_id: int | None = None, at_least: timedelta = timedelta(0)
) -> LookOutcome:
    pause = max(PAUSES[min(attempt.looks, len(PAUSES) - 1)], at_least)
    await look_again(attempt.id, now + pause, rdv_insertion_user_id=user_id)
    return LookOutcome.POSTPONED


async def _abandon(attempt: UnknownAttempt, code: str, now: datetime) -> LookOutcome:
    await settle(attempt.id, InvitationAttemptState.ABANDONED, code=code, http_status=attempt.http_status, now=now)
    log.warning("invitation_abandoned", attempt_id=str(attempt.id), code=code)
    return LookOutcome.ABANDONED


def _first_word(name: str) -> str:
    return next(iter(name.casefold().split()), "")
