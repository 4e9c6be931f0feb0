"""What the database holds about an appointment of RDV-Insertion: one statement before an event is applied."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from clients.rdv_insertion import Place
from models.database import fetch_all
from models.enums import CancelledBy, ParticipationStatus
from services.appointments.state import Columns, EventOrder, Followed, Part, Parts
from services.appointments.statuses import AttendanceOutcome

# $1: number of the appointment, $2: organisation that the event tells or null, $3: users, $4: place or null.
# An appointment that is known keeps its company; any other is found by its organisation, told now or before.
_READ = """
SELECT version.applied_event_at, version.applied_event_rank, version.applied_event_fingerprint,
    version.organisation_id, version.destroyed_at IS NOT NULL AS is_destroyed,
    company.id AS company_id,
    appointment.id AS appointment_id, appointment.start_at, appointment.duration, appointment.status,
    appointment.source_status, appointment.cancelled_at, appointment.address, appointment.reason,
    appointment.reason_category, appointment.is_collective, appointment.total_participants,
    appointment.max_participants, held_at.rdv_solidarites_id AS place_number,
    place.id AS place_id, place.name AS place_name, place.address AS place_address,
    place.phone_number AS place_phone_number,
    ARRAY(
        SELECT DISTINCT (request.rdv_insertion_user_id, request.job_seeker_id) FROM invitation_request request
        WHERE request.company_id = company.id AND request.rdv_insertion_user_id = ANY($3::bigint[])
    ) AS followed,
    ARRAY(
        SELECT (part.job_seeker_id, part.id, part.rdv_insertion_id, part.status, part.source_status,
            part.cancelled_by, part.removed_at IS NOT NULL,
            part.applied_event_at, part.applied_event_rank, part.applied_event_fingerprint)
        FROM participation part WHERE part.appointment_id = appointment.id
    ) AS parts
FROM (SELECT $1::bigint AS number) asked
LEFT JOIN appointment_version version ON version.rdv_insertion_id = asked.number
LEFT JOIN appointment ON appointment.rdv_insertion_id = asked.number
LEFT JOIN location held_at ON held_at.id = appointment.location_id
LEFT JOIN location place ON place.rdv_solidarites_id = $4
LEFT JOIN company ON company.id = coalesce(
    appointment.company_id,
    (SELECT id FROM company WHERE rdv_solidarites_id = coalesce(version.organisation_id, $2::bigint))
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAppointment:
    """The row of an appointment, destroyed ones included."""

    id: UUID
    columns: Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Everything that applying an event depends on."""

    number: int
    order: EventOrder | None  # of the newest event that was understood; None: this is the first
    is_destroyed: bool
    organisation_id: int | None  # at RDV-Solidarités, once an event told it
    company_id: UUID | None
    appointment: KnownAppointment | None
    parts: Parts
    followed: Followed
    place_id: UUID | None
    place: Place | None  # as stored under the number that the event names


async def read_stored(number: int, *, organisation_id: int | None, users: Collection[int], place: int | None) -> Stored:
    """One statement. Whoever calls holds the lock of the appointment, so that it stays true until the commit."""
    rows = await fetch_all(_READ, number, organisation_id, sorted(users), place)
    row = rows[0]
    followed: dict[int, list[UUID]] = {}
    for user, job_seeker in row["followed"]:
        followed.setdefault(user, []).append(job_seeker)
    return Stored(
        number=number,
        order=_order(row["applied_event_at"], row["applied_event_rank"], row["applied_event_fingerprint"]),
        is_destroyed=row["is_destroyed"],
        organisation_id=row["organisation_id"],
        company_id=row["company_id"],
        appointment=_appointment(row) if row["appointment_id"] is not None else None,
        parts={part[0]: _part(part) for part in row["parts"]},
        followed=followed,
        place_id=row["place_id"],
        place=_place(place, row) if place is not None and row["place_id"] is not None else None,
    )


def _place(number: int, row: Any) -> Place:
    return Place(
        rdv_solidarites_id=number,
        name=row["place_name"],
        address=row["place_address"],
        phone_number=row["place_phone_number"],
    )


def _appointment(row: Any) -> KnownAppointment:
    return KnownAppointment(
        id=row["appointment_id"],
        columns=Columns(
            start_at=row["start_at"],
            duration=timedelta(microseconds=row["duration"]),  # as Tortoise keeps durations
            status=ParticipationStatus(row["status"]),
            source_status=row["source_status"],
            cancelled_at=row["cancelled_at"],
            address=row["address"],
            reason=row["reason"],
            reason_category=row["reason_category"],
            is_collective=row["is_collective"],
            total_participants=row["total_participants"],
            max_participants=row["max_participants"],
            place_number=row["place_number"],
        ),
    )


def _part(values: Sequence[Any]) -> Part:
    _, part_id, number, status, source, cancelled_by, is_removed, *order = values
    return Part(
        id=part_id,
        number=number,
        outcome=AttendanceOutcome(
            source, ParticipationStatus(status), None if cancelled_by is None else CancelledBy(cancelled_by)
        ),
        is_removed=is_removed,
        order=_order(*order),
    )


def _order(at: Any, rank: Any, fingerprint: Any) -> EventOrder | None:
    return None if at is None else (at, rank, fingerprint)
