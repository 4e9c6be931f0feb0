"""Appointments booked through RDV-Insertion: invitations, places, appointments, who takes part, and their event log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model as TortoiseModel

from models.base import Model, enum_field
from models.enums import (
    AppointmentEventKind,
    CancelledBy,
    InvitationKind,
    InvitationStatus,
    ParticipationStatus,
)
from models.organizations import Company
from models.people import User


class SourceVersionMixin:
    """The event of the partner that was last applied to a row. Kept for ever: an older event must never win."""

    applied_event_at: datetime | None = fields.DatetimeField(null=True)
    applied_event_rank: int | None = fields.SmallIntField(null=True, description="created 0, updated 1, destroyed 2")
    applied_event_fingerprint = fields.CharField(max_length=64, null=True)


class InvitationRequest(Model):
    """An employer asked RDV-Insertion to invite a job seeker."""

    job_seeker: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name="invitation_requests", on_delete=fields.CASCADE
    )
    job_seeker_id: UUID
    company: fields.ForeignKeyRelation[Company] = fields.ForeignKeyField(
        "models.Company", related_name="invitation_requests", on_delete=fields.CASCADE
    )
    company_id: UUID
    reason_category = fields.CharField(max_length=64)
    rdv_insertion_user_id: int = fields.BigIntField()
    api_response: dict[str, Any] = fields.JSONField[dict[str, Any]](
        default=dict, description="ids, formats, statuses, dates; no person"
    )
    created_at: datetime = fields.DatetimeField()

    class Meta:
        table = "invitation_request"


class Invitation(SourceVersionMixin, Model):
    """One message of an invitation request: an SMS, an e-mail or a letter."""

    invitation_request: fields.ForeignKeyRelation[InvitationRequest] = fields.ForeignKeyField(
        "models.InvitationRequest", related_name="invitations", on_delete=fields.CASCADE
    )
    invitation_request_id: UUID
    kind: InvitationKind = enum_field(InvitationKind)
    status: InvitationStatus = enum_field(InvitationStatus, default=InvitationStatus.SENT)
    rdv_insertion_id: int = fields.BigIntField(unique=True)
    delivered_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "invitation"


class Location(SourceVersionMixin, Model):
    """A place where appointments are held."""

    rdv_solidarites_id: int = fields.BigIntField(unique=True)
    name = fields.CharField(max_length=255)
    address = fields.CharField(max_length=512)
    phone_number = fields.CharField(max_length=32, default="")

    class Meta:
        table = "location"


class AppointmentVersion(SourceVersionMixin, Model):
    """The newest event known of an appointment at RDV-Insertion, whether or not we follow it. Kept for ever.

    It has a row where `appointment` has none: nobody of ours takes part, or it was destroyed before we heard of
    anything else. Without that, an older event that arrives later would bring back what is over.
    """

    rdv_insertion_id: int = fields.BigIntField(unique=True)
    organisation_id: int | None = fields.BigIntField(null=True, description="at RDV-Solidarités, once an event told it")
    destroyed_at: datetime | None = fields.DatetimeField(null=True, description="final")

    class Meta:
        table = "appointment_version"


class Appointment(SourceVersionMixin, Model):
    """An interview or a collective session of one company. A destroyed one stays as a tombstone, out of every list."""

    rdv_insertion_id: int = fields.BigIntField(unique=True)
    company: fields.ForeignKeyRelation[Company] = fields.ForeignKeyField(
        "models.Company", related_name="appointments", on_delete=fields.CASCADE
    )
    company_id: UUID
    location: fields.ForeignKeyNullableRelation[Location] = fields.ForeignKeyField(
        "models.Location", null=True, related_name="appointments", on_delete=fields.SET_NULL
    )
    location_id: UUID | None
    start_at: datetime = fields.DatetimeField()
    duration = fields.TimeDeltaField()
    status: ParticipationStatus = enum_field(ParticipationStatus, default=ParticipationStatus.UNKNOWN)
    source_status = fields.CharField(max_length=32, default="unknown", description="as RDV-Insertion says it")
    reason_category = fields.CharField(max_length=64, default="")
    reason = fields.CharField(max_length=255, default="")
    is_collective = fields.BooleanField(default=False)
    address = fields.CharField(max_length=512, default="")
    total_participants: int | None = fields.IntField(null=True)
    max_participants: int | None = fields.IntField(null=True)
    cancelled_at: datetime | None = fields.DatetimeField(null=True)
    destroyed_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "appointment"

    @property
    def end_at(self) -> datetime:
        return self.start_at + self.duration


class Participation(SourceVersionMixin, Model):
    """A job seeker takes part in an appointment. A removed one stays, out of every list.

    Its version is that of the newest event that told its status: an event may name the people and say no more of them.
    """

    job_seeker: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name="participations", on_delete=fields.CASCADE
    )
    job_seeker_id: UUID
    appointment: fields.ForeignKeyRelation[Appointment] = fields.ForeignKeyField(
        "models.Appointment", related_name="participations", on_delete=fields.CASCADE
    )
    appointment_id: UUID
    # Not unique: two accounts of the platform may be one user of RDV-Insertion.
    rdv_insertion_id: int | None = fields.BigIntField(null=True)
    status: ParticipationStatus = enum_field(ParticipationStatus, default=ParticipationStatus.UNKNOWN)
    source_status = fields.CharField(max_length=32, default="unknown")
    cancelled_by: CancelledBy | None = enum_field(CancelledBy, null=True)
    removed_at: datetime | None = fields.DatetimeField(null=True)
    updated_at: datetime = fields.DatetimeField()

    class Meta:
        table = "participation"

    def status_label(self, *, start_at: datetime, now: datetime) -> str:
        """Return the French label; what is still unknown reads differently before and after the start."""
        return participation_status_label(self.status, self.cancelled_by, start_at=start_at, now=now)


def participation_status_label(
    status: ParticipationStatus, cancelled_by: CancelledBy | None, *, start_at: datetime, now: datetime
) -> str:
    if status is ParticipationStatus.UNKNOWN:
        return "RDV à venir" if start_at > now else "Statut du RDV à préciser"
    return cancelled_by.label if cancelled_by is not None else status.label


class AppointmentEvent(TortoiseModel):
    """The log that subscriptions read: what changed, in the order in which it was committed."""

    position: int = fields.BigIntField(primary_key=True)
    occurred_at: datetime = fields.DatetimeField()
    kind: AppointmentEventKind | None = enum_field(AppointmentEventKind, null=True)
    appointment: fields.ForeignKeyRelation[Appointment] = fields.ForeignKeyField(
        "models.Appointment", related_name="events", on_delete=fields.CASCADE
    )
    appointment_id: UUID
    participation: fields.ForeignKeyNullableRelation[Participation] = fields.ForeignKeyField(
        "models.Participation", null=True, related_name="events", on_delete=fields.CASCADE
    )
    participation_id: UUID | None
    company: fields.ForeignKeyRelation[Company] = fields.ForeignKeyField(
        "models.Company", related_name="appointment_events", on_delete=fields.CASCADE
    )
    company_id: UUID
    previous_status: ParticipationStatus | None = enum_field(ParticipationStatus, null=True)
    status: ParticipationStatus | None = enum_field(ParticipationStatus, null=True)

    class Meta:
        table = "appointment_event"

    def __str__(self) -> str:
        return f"AppointmentEvent({self.position})"
