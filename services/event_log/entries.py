"""What the logs hold: which row changed, never what it holds. Readers see the row as it is by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from models.enums import AppointmentEventKind, ParticipationStatus


class Stream(StrEnum):
    """A log with an order of its own. The value is the table of its entries, and the name of its lock."""

    APPOINTMENTS = "appointment_event"
    APPROVALS = "approval_event"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalNotificationChanged:
    """The announcement of an approval, or that of its cancellation, has another status. The database writes these."""

    approval_id: UUID


# What services append themselves.
LogEntry = AppointmentChanged | ParticipationStatusChanged
AnyEntry = LogEntry | ApprovalNotificationChanged


@dataclass(frozen=True, slots=True)
class LogEvent:
    """An entry at its place in the log. Positions grow with the commits; they are not without holes."""

    stream: Stream
    position: int
    occurred_at: datetime
    entry: AnyEntry
