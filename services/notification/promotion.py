"""What a run does before its first call: errors that healed come back, and what can be sent now is made ready."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from models.database import run_in_transaction, write
from models.enums import JobApplicationState, NotificationEndpoint
from models.enums import NotificationStatus as Status
from models.states import NotificationEvent, next_notification_status

# More than any batch can send; bounded so that the first run over years of approvals stays one short statement.
_MOST_AT_ONCE = 10_000

# SKIP LOCKED in all three: a row that somebody is changing waits for the next run, and no two runs wait for each other.
_REVIVE = f"""
UPDATE approval SET pe_notification_status = $1 WHERE id IN (
    SELECT approval.id FROM approval JOIN job_seeker_profile profile ON profile.user_id = approval.job_seeker_id
    WHERE pe_notification_status = $2 AND pe_notification_endpoint = $3 AND cancelled_at IS NULL
        AND profile.pe_obfuscated_nir IS NOT NULL
    LIMIT {_MOST_AT_ONCE} FOR UPDATE OF approval SKIP LOCKED)
RETURNING id
"""
_PROMOTE_APPROVALS = f"""
UPDATE approval SET pe_notification_status = $1 WHERE id IN (
    SELECT approval.id FROM approval
        JOIN "user" account ON account.id = approval.job_seeker_id
        JOIN job_seeker_profile profile ON profile.user_id = approval.job_seeker_id
    WHERE pe_notification_status = $2 AND cancelled_at IS NULL AND start_at <= $3
        AND trim(account.first_name) <> '' AND trim(account.last_name) <> ''
        AND profile.birthdate IS NOT NULL AND profile.nir IS NOT NULL
        AND EXISTS (SELECT 1 FROM job_application WHERE approval_id = approval.id AND state = $4)
    ORDER BY start_at DESC, approval.id DESC LIMIT {_MOST_AT_ONCE} FOR UPDATE OF approval SKIP LOCKED)
RETURNING id
"""
_PROMOTE_CANCELLATIONS = f"""
UPDATE cancelled_approval SET pe_notification_status = $1 WHERE id IN (
    SELECT id FROM cancelled_approval
    WHERE pe_notification_status = $2 AND start_at <= $3
        AND trim(user_first_name) <> '' AND trim(user_last_name) <> ''
        AND user_birthdate IS NOT NULL AND user_nir IS NOT NULL
    ORDER BY start_at DESC, id DESC LIMIT {_MOST_AT_ONCE} FOR UPDATE SKIP LOCKED)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Promoted:
    """How many rows moved: out of ERROR, and to READY."""

    revived: int
    ready: int


async def revive_and_promote(*, today: date) -> Promoted:
    """Bring refused approvals of people certified since back to PENDING, then make READY what passes the checks.

    The kind of structure is not looked at: an approval that fails on it must be tried once, to end in ERROR.
    """

    async def move() -> Promoted:
        revived = await write(
            _REVIVE,
            _after(Status.ERROR, NotificationEvent.REVIVED),
            Status.ERROR.value,
            NotificationEndpoint.RECHERCHE_INDIVIDU.value,
        )
        ready, pending = _after(Status.PENDING, NotificationEvent.PROMOTED), Status.PENDING.value
        accepted = JobApplicationState.ACCEPTED.value
        approvals = await write(_PROMOTE_APPROVALS, ready, pending, today, accepted)
        cancellations = await write(_PROMOTE_CANCELLATIONS, ready, pending, today)
        return Promoted(revived=len(revived), ready=len(approvals) + len(cancellations))

    return await run_in_transaction(move)


def _after(status: Status, event: NotificationEvent) -> str:
    following = next_notification_status(status, event)
    if following is None:
        raise RuntimeError(f"the table of transitions does not know {event} of {status}")
    return following.value
