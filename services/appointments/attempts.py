"""The rows of `invitation_attempt`: begun before a call, one at a time for two people, and settled once after it.

The row is the lock. Held from the check to the commit, it costs no transaction while RDV-Insertion thinks, and it
outlives a process that dies in between: what is left behind is an attempt whose outcome is to be looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from clients.errors import PartnerError
from clients.rdv_insertion import InvitationAnswer, Invitee
from models import InvitationAttempt
from models.database import fetch_all, lock_for_transaction, run_in_transaction, write
from models.encryption import key_ring
from models.enums import InvitationAttemptState, Partner, WorkQueue
from services.appointments.invitees import Candidate
from services.appointments.requests import keep_request
from services.pauses import not_paused

# Longer than a call can take: two sign-ins, twice the wait for their lock, the invitation sent twice over.
ANSWER_DUE = timedelta(seconds=90)
# RDV-Insertion refuses a second message of the same kind for a day. Well within it, an employer who asks again after
# an outcome that nobody could find out is told so by RDV-Insertion, and nobody is invited twice.
HELD = timedelta(hours=1)
# Its own work may go on for a while after we gave up waiting.
FIRST_LOOK = timedelta(minutes=1)
REFUSALS_KEPT = timedelta(days=30)
FOUND = "found"
_LOOKED_AT_AGAIN = timedelta(minutes=5)

_STANDING = """
SELECT
    (SELECT max(created_at) FROM invitation_request
        WHERE job_seeker_id = $1 AND company_id = $2 AND created_at > $3) AS invited_at,
    (SELECT max(answer_due_at) FROM invitation_attempt
        WHERE job_seeker_id = $1 AND company_id = $2 AND settled_at IS NULL) AS answer_due_at,
    (SELECT max(held_until) FROM invitation_attempt
        WHERE job_seeker_id = $1 AND company_id = $2 AND settled_at IS NULL AND held_until > $4) AS held_until
"""
_INTERRUPT = """
UPDATE invitation_attempt SET state = 'unknown', answer_due_at = NULL, held_until = begun_at + $2::interval,
    next_look_at = $1, code = 'interrupted'
WHERE answer_due_at < clock_timestamp() {of_whom}
RETURNING id
"""
_INTERRUPT_ALL = _INTERRUPT.format(of_whom="")
_INTERRUPT_THEIRS = _INTERRUPT.format(of_whom="AND job_seeker_id = $3 AND company_id = $4")
_OPEN = """
SELECT job_seeker_id, company_id, reason_category, begun_at FROM invitation_attempt
WHERE id = $1 AND settled_at IS NULL FOR UPDATE
"""
_SETTLE = """
UPDATE invitation_attempt SET state = $2, settled_at = $3, code = $4, http_status = $5,
    refusal = coalesce($6, refusal), invitation_request_id = $7,
    rdv_insertion_user_id = coalesce($8, rdv_insertion_user_id),
    answer_due_at = NULL, held_until = NULL, next_look_at = NULL, sought = NULL
WHERE id = $1 AND settled_at IS NULL
RETURNING id
"""
_LEAVE_UNKNOWN = """
UPDATE invitation_attempt SET state = 'unknown', answer_due_at = NULL, held_until = begun_at + $2::interval,
    next_look_at = $3, code = $4, http_status = $5, refusal = coalesce($6, refusal)
WHERE id = $1 AND settled_at IS NULL
RETURNING id
"""
_LOOK_AGAIN = """
UPDATE invitation_attempt SET next_look_at = $2, looks = looks + 1, rdv_insertion_user_id = $3
WHERE id = $1 AND state = 'unknown'
RETURNING id
"""
_DUE = f"""
SELECT id, job_seeker_id, company_id, organisation_id, reason_category, begun_at, looks, sought, refusal IS NOT NULL
    AS is_refused, code, http_status, rdv_insertion_user_id
FROM invitation_attempt
WHERE {not_paused(WorkQueue.INVITATIONS, Partner.RDV_INSERTION)} AND next_look_at <= $1
ORDER BY next_look_at, id LIMIT $2
"""
_RECENTLY_FOUND = f"""
SELECT invitation_request_id AS id FROM invitation_attempt
WHERE code = '{FOUND}' AND settled_at > $1 AND invitation_request_id IS NOT NULL
"""
_FORGET_REFUSALS = """
UPDATE invitation_attempt SET refusal = NULL WHERE refusal IS NOT NULL AND begun_at < $1 RETURNING id
"""


@dataclass(frozen=True, slots=True)
class TooSoon:
    """The company invited this person less than the hold ago."""

    available_at: datetime


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Somebody else is inviting the same person for the same company right now; it is over by then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class StillUnknown:
    """Nobody knows yet whether the last invitation left."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAttempt:
    """An attempt whose outcome is to be found out. `is_refused`: RDV-Insertion said no, and may have sent half."""

    id: UUID
    job_seeker_id: UUID
    company_id: UUID
    organisation_id: int
    reason_category: str
    begun_at: datetime
    looks: int
    is_refused: bool
    code: str | None
    http_status: int | None
    rdv_insertion_user_id: int | None
    email: str = field(repr=False)
    first_name: str = field(repr=False)


async def begin(
    candidate: Candidate,
    invitee: Invitee,
    *,
    organisation_id: int,
    reason_category: str,
    requested_by: UUID | None,
    hold: timedelta,
    now: datetime,
) -> UUID | TooSoon | UnderWay | StillUnknown:
    """Write down that somebody is about to be invited, unless something stands against it. Returns the attempt's id."""
    pair = (candidate.job_seeker_id, candidate.company_id)

    async def check_and_write() -> UUID | TooSoon | UnderWay | StillUnknown:
        await lock_for_transaction(f"invitation:{pair[0]}:{pair[1]}")
        await write(_INTERRUPT_THEIRS, now, HELD, *pair)
        [standing] = await fetch_all(_STANDING, *pair, now - hold, now)
        if standing["invited_at"] is not None:
            return TooSoon(standing["invited_at"] + hold)
        if standing["answer_due_at"] is not None:
            return UnderWay(standing["answer_due_at"])
        if standing["held_until"] is not None:
            return StillUnknown(standing["held_until"])
        [clock] = await fetch_all("SELECT clock_timestamp() AS at")
        attempt = await InvitationAttempt.create(
            job_seeker_id=pair[0],
            company_id=pair[1],
            requested_by_id=requested_by,
            organisation_id=organisation_id,
            reason_category=reason_category,
            begun_at=now,
            answer_due_at=clock["at"] + ANSWER_DUE,
            sought=orjson.dumps({"email": invitee.email, "first_name": invitee.first_name}).decode(),
        )
        return attempt.id

    return await run_in_transaction(check_and_write)


async def accept(attempt_id: UUID, answer: InvitationAnswer, *, code: str | None = None, now: datetime) -> UUID | None:
    """Write the request with its messages, and settle. None: the attempt was settled by somebody else meanwhile."""

    async def keep() -> UUID | None:
        found = await fetch_all(_OPEN, attempt_id)
        if not found:
            return None
        [attempt] = found
        request_id = await keep_request(
            job_seeker_id=attempt["job_seeker_id"],
            company_id=attempt["company_id"],
            reason_category=attempt["reason_category"],
            rdv_insertion_user_id=answer.user_id,
            invitations=answer.invitations,
            api_response=answer.as_json(),
            created_at=attempt["begun_at"],
        )
        state = InvitationAttemptState.ACCEPTED.value
        await write(_SETTLE, attempt_id, state, now, code, None, None, request_id, answer.user_id)
        return request_id

    return await run_in_transaction(keep)


async def settle(
    attempt_id: UUID,
    state: InvitationAttemptState,
    *,
    code: str | None,
    http_status: int | None = None,
    texts: Sequence[str] = (),
    now: datetime,
) -> None:
    """It surely came to nothing, or nobody will ever know. `texts`: RDV-Insertion's own, which are sealed."""
    await write(_SETTLE, attempt_id, state.value, now, code, http_status, _sealed(texts), None, None)


async def leave_unknown(
    attempt_id: UUID, error: PartnerError, *, texts: Sequence[str] = (), is_held: bool, now: datetime
) -> None:
    """It may have taken effect: have it looked for. `is_held`: no other attempt before `HELD` is over."""
    held = HELD if is_held else None
    look_at = now + FIRST_LOOK
    await write(_LEAVE_UNKNOWN, attempt_id, held, look_at, error.code, error.http_status, _sealed(texts))


async def interrupt_overdue(*, now: datetime) -> int:
    """Have looked for what dead processes left behind; return how many those are."""
    return len(await write(_INTERRUPT_ALL, now, HELD))


async def due_attempts(now: datetime, *, limit: int) -> list[UnknownAttempt]:
    """Those of unknown outcome that have waited the longest first."""
    ring = key_ring()
    attempts: list[UnknownAttempt] = []
    for row in await fetch_all(_DUE, now, limit):
        values = dict(row)
        sought = orjson.loads(ring.open(bytes(values.pop("sought"))))
        attempts.append(UnknownAttempt(**values, email=sought["email"], first_name=sought["first_name"]))
    return attempts


async def look_again(attempt_id: UUID, at: datetime, *, rdv_insertion_user_id: int | None) -> None:
    await write(_LOOK_AGAIN, attempt_id, at, rdv_insertion_user_id)


async def recently_found(*, now: datetime) -> list[UUID]:
    """Requests that were written late. Who wrote them may have died before the events that came earlier were told."""
    return [row["id"] for row in await fetch_all(_RECENTLY_FOUND, now - _LOOKED_AT_AGAIN)]


async def forget_old_refusals(*, now: datetime) -> int:
    """Erase what RDV-Insertion said about people, once nobody asks any more; return how often."""
    return len(await write(_FORGET_REFUSALS, now - REFUSALS_KEPT))


def _sealed(texts: Sequence[str]) -> bytes | None:
    return key_ring().seal(orjson.dumps(list(texts)).decode()) if texts else None
