"""Which approval or cancellation is next, and the lease under which one worker announces it.

One row a claim: a call takes about a second and is paced at one a second, a claim a millisecond. Holding more would
only delay the rows of a worker that dies, and let one worker keep what another could send.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from models.database import fetch_all, write
from models.encryption import key_ring
from models.enums import JobApplicationState, NotificationStatus, Partner, WorkQueue
from models.states import SENDABLE
from services.certification.person import Identity, Person, read_person
from services.leases import Lease, LeasedTable
from services.notification.checks import NotificationFacts
from services.pauses import not_paused


class Subject(StrEnum):
    """What is announced. The value is its table."""

    APPROVAL = LeasedTable.APPROVAL.value
    CANCELLATION = LeasedTable.CANCELLED_APPROVAL.value


class Order(StrEnum):
    """Which of the due rows comes first. The value is the SQL."""

    NEWEST_START = "start_at DESC, id DESC"
    OLDEST_ATTEMPT = "pe_notification_time NULLS FIRST, id"


# A cancelled approval is announced by its cancellation only; and that one waits for an announcement of the approval
# that is still under way, or France Travail might hear the two in the wrong order.
_ALIVE = {
    Subject.APPROVAL: "cancelled_at IS NULL",
    Subject.CANCELLATION: "NOT EXISTS (SELECT 1 FROM approval WHERE approval.id = cancelled_approval.approval_id"
    " AND approval.lease_until >= clock_timestamp())",
}
_FREE = "(lease_until IS NULL OR lease_until < clock_timestamp())"
_NOT_PAUSED = not_paused(WorkQueue.NOTIFICATIONS, Partner.FRANCE_TRAVAIL)
# $1, $2: token and length of the lease.
_CLAIM = """
WITH due AS (SELECT id FROM {table} WHERE {condition} LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE {table} AS claimed SET lease_token = $1, lease_until = clock_timestamp() + $2::interval
FROM due WHERE claimed.id = due.id
RETURNING claimed.id, claimed.number, claimed.start_at, claimed.end_at, claimed.pe_notification_status,
    claimed.origin_siae_siret, claimed.origin_siae_kind, claimed.origin_sender_kind,
    claimed.origin_prescriber_organization_kind, {job_seeker_id} AS job_seeker_id
"""
_JOB_SEEKER_ID = {Subject.APPROVAL: "claimed.job_seeker_id", Subject.CANCELLATION: "NULL::uuid"}
_READ_CANCELLED = """
SELECT user_first_name, user_last_name, user_birthdate, user_nir, user_id_national_pe
FROM cancelled_approval WHERE id = $1
"""
_HAS_ACCEPTED_APPLICATION = (
    "SELECT EXISTS (SELECT 1 FROM job_application WHERE approval_id = $1 AND state = $2) AS accepted"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A row that is ours to announce, as it was when we took it."""

    subject: Subject
    id: UUID
    lease: Lease
    status: NotificationStatus
    number: str
    start_at: date
    end_at: date
    siae_siret: str
    siae_kind: str
    sender_kind: str
    prescriber_kind: str
    job_seeker_id: UUID | None  # None: a cancellation, which holds its own copy of the person

    @property
    def is_cancellation(self) -> bool:
        return self.subject is Subject.CANCELLATION

    @property
    def told_end_at(self) -> date:
        """The end that France Travail is told: of a cancellation, the day of its start."""
        return self.start_at if self.is_cancellation else self.end_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedPerson:
    """Whom a claim is about. `person` is None for a cancellation."""

    identity: Identity
    france_travail_id: str | None
    person: Person | None
    has_accepted_application: bool

    def facts(self, claim: Claim) -> NotificationFacts:
        return NotificationFacts(
            start_at=claim.start_at,
            siae_kind=claim.siae_kind,
            is_cancellation=claim.is_cancellation,
            has_accepted_application=self.has_accepted_application,
            has_complete_identity=self.identity.is_complete,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Which rows of a status a run may take: each once (`run_started_at`), and none before its `next_attempt_at`."""

    status: NotificationStatus
    now: datetime
    run_started_at: datetime

    def condition(self, subject: Subject, first_parameter: int) -> str:
        status, now, started = (f"${first_parameter + offset}" for offset in range(3))
        return (
            f"{_NOT_PAUSED} AND pe_notification_status = {status} AND {_FREE} AND {_ALIVE[subject]}"
            f" AND (next_attempt_at IS NULL OR next_attempt_at <= {now})"
            f" AND (pe_notification_time IS NULL OR pe_notification_time < {started})"
        )

    @property
    def parameters(self) -> tuple[Any, ...]:
        return self.status.value, self.now, self.run_started_at


async def claim_next(subject: Subject, due: Due, order: Order, *, lease: timedelta) -> Claim | None:
    """Take the first due row that nobody holds. None: there is none."""
    condition = f"{due.condition(subject, 3)} ORDER BY {order}"
    return await _claim(subject, condition, due.parameters, lease)


async def claim_one(subject: Subject, row_id: UUID, *, lease: timedelta) -> Claim | None:
    """Take this row, whenever it was to be tried next. None: not to be sent, paused, or somebody is at it."""
    condition = f"{_NOT_PAUSED} AND id = $3 AND pe_notification_status = ANY ($4) AND {_FREE} AND {_ALIVE[subject]}"
    return await _claim(subject, condition, (row_id, [status.value for status in SENDABLE]), lease)


async def count_due(subject: Subject, due: Due) -> int:
    rows = await fetch_all(f"SELECT count(*) AS due FROM {subject} WHERE {due.condition(subject, 1)}", *due.parameters)
    return rows[0]["due"]


async def list_due(subject: Subject, due: Due, order: Order, limit: int) -> list[UUID]:
    """The rows that as many calls of `claim_next` would take, in their order."""
    rows = await fetch_all(
        f"SELECT id FROM {subject} WHERE {due.condition(subject, 1)} ORDER BY {order} LIMIT $4",
        *due.parameters,
        limit,
    )
    return [row["id"] for row in rows]


async def read_claimed_person(claim: Claim) -> ClaimedPerson:
    """Read who the claim is about. Raises EncryptionError when the NIR cannot be opened."""
    if claim.job_seeker_id is None:
        return await _read_copy(claim.id)
    person = await read_person(claim.job_seeker_id)
    if person is None:
        raise LookupError(f"approval {claim.id}: its job seeker is not one; check the kind of that account")
    accepted = await fetch_all(_HAS_ACCEPTED_APPLICATION, claim.id, JobApplicationState.ACCEPTED.value)
    return ClaimedPerson(
        identity=person.identity,
        france_travail_id=person.france_travail_id,
        person=person,
        has_accepted_application=accepted[0]["accepted"],
    )


async def _claim(subject: Subject, condition: str, parameters: tuple[Any, ...], lease: timedelta) -> Claim | None:
    token = uuid4()
    sql = _CLAIM.format(table=subject, condition=condition, job_seeker_id=_JOB_SEEKER_ID[subject])
    rows = await write(sql, token, lease, *parameters)
    if not rows:
        return None
    row = rows[0]
    return Claim(
        subject=subject,
        id=row["id"],
        lease=Lease(table=LeasedTable(subject.value), key=row["id"], token=token, duration=lease),
        status=NotificationStatus(row["pe_notification_status"]),
        number=row["number"],
        start_at=row["start_at"],
        end_at=row["end_at"],
        siae_siret=row["origin_siae_siret"],
        siae_kind=row["origin_siae_kind"],
        sender_kind=row["origin_sender_kind"],
        prescriber_kind=row["origin_prescriber_organization_kind"],
        job_seeker_id=row["job_seeker_id"],
    )


async def _read_copy(cancellation_id: UUID) -> ClaimedPerson:
    row = (await fetch_all(_READ_CANCELLED, cancellation_id))[0]
    return ClaimedPerson(
        identity=Identity(
            first_name=row["user_first_name"],
            last_name=row["user_last_name"],
            birthdate=row["user_birthdate"],
            nir=key_ring().open(row["user_nir"]) if row["user_nir"] is not None else None,
        ),
        france_travail_id=row["user_id_national_pe"],
        person=None,
        has_accepted_application=False,
    )
