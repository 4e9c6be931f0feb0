"""The end of what is held about a person (GDPR, article 17): deleted, but for approvals that the law has us keep.

What is kept names nobody: number, days and origin of an approval, the hiring that it was for, and what France Travail
was told of it. Once that time is over as well, the nightly retention deletes the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import structlog

from models.database import fetch_all, run_in_transaction, write
from models.enums import UserKind
from services.access_log import record_reads
from services.clock import paris_day
from services.privacy import statements
from services.privacy.retention import KEPT_AFTER_END, last_day_over

log = structlog.get_logger(__name__)

ERASED = "erasure"
"""What the access log calls an erasure."""


@dataclass(frozen=True, slots=True)
class Erased:
    """`kept_approvals`: they stay without a name, the last of them until `kept_until`."""

    kept_approvals: int
    kept_until: date | None


@dataclass(frozen=True, slots=True)
class NotYet:
    """Nothing was erased; each reason is a sentence that says what to do."""

    reasons: tuple[str, ...]


async def erase_person(
    person_id: UUID, *, erased_by: UUID, request_id: str, now: datetime, without_announcing: bool = False
) -> Erased | NotYet | None:
    """Erase somebody, for good and in one transaction. None: there is nobody. May be repeated: nothing more happens.

    `without_announcing`: although France Travail has still to hear of a cancellation, which it then never will.
    """

    async def erase() -> Erased | NotYet | None:
        # Nothing that points at the person can be added by anybody until the end.
        if not await fetch_all(statements.LOCK_PERSON, person_id):
            return None
        if reasons := await _reasons_to_wait(person_id, now, without_announcing=without_announcing):
            return NotYet(reasons)
        await record_reads(
            [(person_id, ERASED)],
            viewer_kind=UserKind.STAFF,
            viewer_id=erased_by,
            organization_id=None,
            request_id=request_id,
            now=now,
        )
        return await _erase(person_id, now)

    outcome = await run_in_transaction(erase)
    if isinstance(outcome, Erased):
        log.info("person_erased", person_id=str(person_id), by=str(erased_by), kept_approvals=outcome.kept_approvals)
    return outcome


async def finish_erasures(*, now: datetime, limit: int = 500) -> int:
    """Delete what was kept of erased people once its time is over; return of how many."""
    finished = 0
    for row in await fetch_all(statements.FINISHED, last_day_over(now), limit):

        async def finish(person_id: UUID = row["id"]) -> Erased:
            await fetch_all(statements.LOCK_PERSON, person_id)
            return await _erase(person_id, now)

        await run_in_transaction(finish)
        finished += 1
    return finished


async def _reasons_to_wait(person_id: UUID, now: datetime, *, without_announcing: bool) -> tuple[str, ...]:
    [found] = await fetch_all(statements.OBSTACLES, person_id, paris_day(now))
    reasons: list[str] = []
    if found["standing_until"] is not None:
        reasons.append(
            f"an approval stands until {found['standing_until']}: the right to be employed rests on it"
            " (GDPR, article 17(3)(b)); wait for its end, or cancel it first"
        )
    if found["unannounced"] and not without_announcing:
        reasons.append(
            f"{found['unannounced']} cancellation(s) still to be announced to France Travail: wait for the worker,"
            " or give them up with --without-announcing"
        )
    if found["is_worked_on"]:
        reasons.append("a worker or an invitation is at work on this person: try again in two minutes")
    return tuple(reasons)


async def _erase(person_id: UUID, now: datetime) -> Erased:
    """Inside a transaction that holds the person's row."""
    over = last_day_over(now)
    # What finds rows in other tables goes after what it finds.
    await write(statements.FORGET_WEBHOOKS, person_id)
    for statement in statements.DELETE_IN_ORDER:
        await write(statement, person_id)
    await write(statements.DELETE_CANCELLATIONS, person_id, over)
    await write(statements.EMPTY_CANCELLATIONS, person_id)
    await write(statements.DELETE_APPROVALS, person_id, over)
    await write(statements.DELETE_APPLICATIONS, person_id)
    await write(statements.EMPTY_APPLICATIONS, person_id)
    [kept] = await fetch_all(statements.KEPT, person_id)
    if kept["number"] == 0:
        await write(statements.DELETE_PERSON, person_id)
        return Erased(0, None)
    await write(statements.DELETE_PROFILE, person_id)
    await write(statements.EMPTY_PERSON, person_id, now)
    return Erased(kept["number"], kept["last_day"] + KEPT_AFTER_END)
