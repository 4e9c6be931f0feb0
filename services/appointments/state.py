"""An appointment as events make it, in memory: pure values, and how one event changes them.

The state after some events must depend on which they were, never on the order in which they came. Columns and who is
listed are those of the newest event. A person's status is that of the newest event that told it: an event may list
people and say nothing more of them. Source of the rules: RDV-Insertion's blueprints, whose events are whole states.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from clients.rdv_insertion import AppointmentSnapshot, Attendance
from models.enums import AppointmentEventKind, ParticipationStatus
from services.appointments.statuses import UNKNOWN, AttendanceOutcome, outcome_of
from services.event_log import AppointmentChanged, LogEntry, ParticipationStatusChanged

# When it happened, created < updated < destroyed, fingerprint: the total order of the events of one appointment.
EventOrder = tuple[datetime, int, str]


class UnlistedStatus(Exception):
    """An event with a status that nobody has listed. It changes nothing before somebody says what it means."""

    def __init__(self, word: str) -> None:
        super().__init__("appointment event: a status outside of RDV-Insertion's five; see clients/rdv_insertion/codes")
        self.word = word


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What a row of `appointment` says, but for its keys. The place is a number of RDV-Solidarités."""

    start_at: datetime
    duration: timedelta
    status: ParticipationStatus
    source_status: str
    cancelled_at: datetime | None
    address: str
    reason: str
    reason_category: str
    is_collective: bool
    total_participants: int | None
    max_participants: int | None
    place_number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One job seeker's part in the appointment. `order`: the event that told its status, None while none did."""

    id: UUID
    number: int | None
    outcome: AttendanceOutcome
    is_removed: bool
    order: EventOrder | None


Parts = Mapping[UUID, Part]  # by job seeker
Followed = Mapping[int, Collection[UUID]]  # job seekers by user of RDV-Insertion: two of ours may be one of theirs


def columns_of(snapshot: AppointmentSnapshot) -> Columns:
    """Raise UnlistedStatus where the appointment's own status says nothing to us."""
    outcome = _listed(snapshot.status)
    return Columns(
        start_at=snapshot.starts_at,
        duration=snapshot.duration,
        status=outcome.status,
        source_status=outcome.source,
        cancelled_at=snapshot.cancelled_at,
        address=snapshot.address,
        reason=snapshot.reason,
        reason_category=snapshot.category,
        is_collective=snapshot.is_collective,
        total_participants=snapshot.users_count,
        max_participants=snapshot.max_participants_count,
        place_number=snapshot.place.rdv_solidarites_id if snapshot.place else None,
    )


def with_people(parts: Parts, users: Iterable[int], followed: Followed) -> Parts:
    """Whoever of ours is listed takes part; whoever is not does not, any more."""
    listed = {job_seeker for user in users for job_seeker in followed.get(user, ())}
    changed = {job_seeker: replace(part, is_removed=job_seeker not in listed) for job_seeker, part in parts.items()}
    for job_seeker in sorted(listed - changed.keys()):
        changed[job_seeker] = Part(id=uuid4(), number=None, outcome=UNKNOWN, is_removed=False, order=None)
    return changed


def with_statuses(parts: Parts, attendances: Iterable[Attendance], order: EventOrder, followed: Followed) -> Parts:
    """Take the statuses that no newer event has told. Raise UnlistedStatus where one of a person of ours says nothing.

    Who is not listed by the newest event gets a removed part: it remembers the status until they are listed again.
    """
    changed = dict(parts)
    for job_seeker, attendance in _told_of(attendances, followed).items():
        outcome, known = _listed(attendance.status), changed.get(job_seeker)
        told = Part(
            id=known.id if known else uuid4(),
            number=attendance.id,
            outcome=outcome,
            is_removed=known is None or known.is_removed,
            order=order,
        )
        if known is None or known.order is None or order >= known.order:
            changed[job_seeker] = told
    return changed


def _told_of(attendances: Iterable[Attendance], followed: Followed) -> dict[UUID, Attendance]:
    """One each. Of several (a person of ours with two accounts there) the one that was made last."""
    by_number = sorted(attendances, key=lambda attendance: attendance.id)
    return {job_seeker: attendance for attendance in by_number for job_seeker in followed.get(attendance.user_id, ())}


def _listed(word: str) -> AttendanceOutcome:
    outcome = outcome_of(word)
    if outcome is None:
        raise UnlistedStatus(word)
    return outcome


def is_seen_to_change(before: Part | None, after: Part) -> bool:
    """Whether a reader notices: which event told a status, and the part's number, are ours alone."""
    if before is None or before.is_removed:
        return not after.is_removed
    return after.is_removed or before.outcome != after.outcome


def changes_to_tell(
    appointment_id: UUID,
    company_id: UUID,
    *,
    columns: tuple[Columns | None, Columns | None],
    parts: tuple[Parts, Parts],
) -> list[LogEntry]:
    """What subscribers hear, from before to after: of the appointment once, then of each person.

    A part that was removed has no entry of its own, since nobody can read it any more.
    """
    before, after = parts
    noticed = [job_seeker for job_seeker in after if is_seen_to_change(before.get(job_seeker), after[job_seeker])]
    kind = _kind(*columns, parts_change=bool(noticed))
    if kind is None:
        return []
    entries: list[LogEntry] = [AppointmentChanged(kind=kind, appointment_id=appointment_id, company_id=company_id)]
    for job_seeker in noticed:
        part = after[job_seeker]
        if not part.is_removed:
            entries.append(
                ParticipationStatusChanged(
                    participation_id=part.id,
                    appointment_id=appointment_id,
                    company_id=company_id,
                    previous_status=_visible_status(before.get(job_seeker)),
                    status=part.outcome.status,
                )
            )
    return entries


def _visible_status(part: Part | None) -> ParticipationStatus | None:
    return None if part is None or part.is_removed else part.outcome.status


def _kind(before: Columns | None, after: Columns | None, *, parts_change: bool) -> AppointmentEventKind | None:
    """One kind an event, the one that matters most. Both None: the columns stay as they are."""
    if after is not None and before is None:
        return AppointmentEventKind.CREATED
    if after is not None and before is not None and before != after:
        if before.status != after.status and after.status is ParticipationStatus.CANCELLED:
            return AppointmentEventKind.CANCELLED
        return AppointmentEventKind.MOVED if before.start_at != after.start_at else AppointmentEventKind.UPDATED
    return AppointmentEventKind.UPDATED if parts_change else None
