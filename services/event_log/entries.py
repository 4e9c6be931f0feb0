"""What writers put into the log: which row changed, never what it holds. Readers see the row as it is by then."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from models.enums import AppointmentEventKind, ParticipationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentChanged:
    """An appointment was created, updated, moved, cancelled or deleted."""

    kind: AppointmentEventKind
    appointment_id: UUID
    company_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipationStatusChanged:
    """A participation has another status. `previous_status` is None where the participation is new."""

    participation_id: UUID
    appointment_id: UUID
    company_id: UUID
    previous_status: ParticipationStatus | None
    status: ParticipationStatus


LogEntry = AppointmentChanged | ParticipationStatusChanged
