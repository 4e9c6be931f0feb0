"""Writing what an event changed: fixed statements, each sent only where there is something to write."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from clients.rdv_insertion import Place
from models.database import write
from models.enums import CancelledBy
from services.appointments.state import Columns, EventOrder, Part, Parts, is_seen_to_change

# The organisation stays what it was first said to be: an appointment does not change hands.
_REMEMBER = """
INSERT INTO appointment_version AS known (id, rdv_insertion_id, organisation_id, applied_event_at, applied_event_rank,
    applied_event_fingerprint, destroyed_at)
VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6)
ON CONFLICT (rdv_insertion_id) DO UPDATE SET
    organisation_id = coalesce(known.organisation_id, excluded.organisation_id),
    applied_event_at = excluded.applied_event_at, applied_event_rank = excluded.applied_event_rank,
    applied_event_fingerprint = excluded.applied_event_fingerprint, destroyed_at = excluded.destroyed_at
"""
# Appointments share places, and each is locked on its own. The newest event that names a place says what it is like.
_KEEP_PLACE = """
INSERT INTO location AS known (id, rdv_solidarites_id, name, address, phone_number,
    applied_event_at, applied_event_rank, applied_event_fingerprint)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (rdv_solidarites_id) DO UPDATE SET (name, address, phone_number, applied_event_at, applied_event_rank,
    applied_event_fingerprint) = (SELECT newest.* FROM (VALUES
        (excluded.name, excluded.address, excluded.phone_number, excluded.applied_event_at,
            excluded.applied_event_rank, excluded.applied_event_fingerprint),
        (known.name, known.address, known.phone_number, known.applied_event_at,
            known.applied_event_rank, known.applied_event_fingerprint)
    ) AS newest (name, address, phone_number, at, rank, fingerprint)
    ORDER BY at DESC NULLS LAST, rank DESC, fingerprint COLLATE "C" DESC LIMIT 1)
RETURNING id
"""
_KEEP_APPOINTMENT = """
INSERT INTO appointment (id, rdv_insertion_id, company_id, location_id, start_at, duration, status, source_status,
    cancelled_at, address, reason, reason_category, is_collective, total_participants, max_participants,
    applied_event_at, applied_event_rank, applied_event_fingerprint)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (rdv_insertion_id) DO UPDATE SET location_id = excluded.location_id, start_at = excluded.start_at,
    duration = excluded.duration, status = excluded.status, source_status = excluded.source_status,
    cancelled_at = excluded.cancelled_at, address = excluded.address, reason = excluded.reason,
    reason_category = excluded.reason_category, is_collective = excluded.is_collective,
    total_participants = excluded.total_participants, max_participants = excluded.max_participants,
    applied_event_at = excluded.applied_event_at, applied_event_rank = excluded.applied_event_rank,
    applied_event_fingerprint = excluded.applied_event_fingerprint
"""
_KEEP_PARTS = """
INSERT INTO participation AS known (id, job_seeker_id, appointment_id, rdv_insertion_id, status, source_status,
    cancelled_by, removed_at, updated_at, applied_event_at, applied_event_rank, applied_event_fingerprint)
SELECT part.id, part.job_seeker_id, $1, part.number, part.status, part.source, part.cancelled_by,
    CASE WHEN part.is_removed THEN $2::timestamptz END, $2, part.at, part.rank, part.fingerprint
FROM unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::bool[],
        $10::timestamptz[], $11::smallint[], $12::text[])
    AS part (id, job_seeker_id, number, status, source, cancelled_by, is_removed, at, rank, fingerprint)
ON CONFLICT (appointment_id, job_seeker_id) DO UPDATE SET rdv_insertion_id = excluded.rdv_insertion_id,
    status = excluded.status, source_status = excluded.source_status, cancelled_by = excluded.cancelled_by,
    removed_at = CASE WHEN excluded.removed_at IS NOT NULL THEN coalesce(known.removed_at, excluded.removed_at) END,
    updated_at = CASE WHEN known.id = ANY($13::uuid[]) THEN excluded.updated_at ELSE known.updated_at END,
    applied_event_at = excluded.applied_event_at, applied_event_rank = excluded.applied_event_rank,
    applied_event_fingerprint = excluded.applied_event_fingerprint
"""
_DESTROY = "UPDATE appointment SET destroyed_at = $2 WHERE id = $1 AND destroyed_at IS NULL"


async def remember_version(
    number: int, order: EventOrder, *, organisation_id: int | None, destroyed_at: datetime | None = None
) -> None:
    """Keep the newest event's place in the order of the appointment's events, whether or not there is a row of it."""
    await write(_REMEMBER, number, organisation_id, *order, destroyed_at)


async def keep_place(place: Place, order: EventOrder) -> UUID:
    rows = await write(
        _KEEP_PLACE, uuid4(), place.rdv_solidarites_id, place.name, place.address, place.phone_number, *order
    )
    return rows[0]["id"]


async def keep_appointment(
    appointment_id: UUID, number: int, company_id: UUID, location_id: UUID | None, columns: Columns, order: EventOrder
) -> None:
    await write(
        _KEEP_APPOINTMENT,
        appointment_id,
        number,
        company_id,
        location_id,
        columns.start_at,
        columns.duration // timedelta(microseconds=1),
        columns.status.value,
        columns.source_status,
        columns.cancelled_at,
        columns.address,
        columns.reason,
        columns.reason_category,
        columns.is_collective,
        columns.total_participants,
        columns.max_participants,
        *order,
    )


async def keep_parts(appointment_id: UUID, before: Parts, after: Parts, *, now: datetime) -> None:
    """One statement for all parts that differ; none where none does."""
    changed = [(job_seeker, part) for job_seeker, part in after.items() if before.get(job_seeker) != part]
    if not changed:
        return
    noticed = [part.id for job_seeker, part in changed if is_seen_to_change(before.get(job_seeker), part)]
    columns = zip(*(_row(job_seeker, part) for job_seeker, part in changed), strict=True)
    await write(_KEEP_PARTS, appointment_id, now, *(list(column) for column in columns), noticed)


async def destroy(appointment_id: UUID, *, now: datetime) -> None:
    """Leave a tombstone. Parts stay as they are: with the appointment they leave every list and count."""
    await write(_DESTROY, appointment_id, now)


def _row(job_seeker: UUID, part: Part) -> Iterable[object]:
    outcome = part.outcome
    cancelled_by: CancelledBy | None = outcome.cancelled_by
    return (
        part.id,
        job_seeker,
        part.number,
        outcome.status.value,
        outcome.source,
        None if cancelled_by is None else cancelled_by.value,
        part.is_removed,
        *(part.order or (None, None, None)),
    )
