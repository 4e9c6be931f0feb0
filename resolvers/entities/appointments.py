"""Appointments, who takes part in them and who was invited, as they lie in the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from models.appointments import participation_status_label
from models.enums import CancelledBy, InvitationKind, InvitationStatus, ParticipationStatus
from resolvers.entities.orderings import PARTICIPATION_BY_START
from resolvers.entities.values import or_none
from resolvers.sources import Children, Column, Computed, Entity, OnDemand, Ordering, ToOne


def _minutes(duration: int) -> int:
    return duration // 60_000_000  # Tortoise keeps durations as microseconds


def _end_at(start_at: datetime, duration: int) -> datetime:
    return start_at + timedelta(microseconds=duration)


APPOINTMENT = Entity(
    "Appointment",
    "appointment",
    fields={
        "company": ToOne("Company", "{other}.id = {t}.company_id", implied=True),
        "startAt": Column("{t}.start_at"),
        "endAt": Computed(("{t}.start_at", "{t}.duration"), _end_at),
        "durationMinutes": Column("{t}.duration", _minutes),
        "status": Column("{t}.status", ParticipationStatus),
        "reasonCategory": Column("{t}.reason_category"),
        "reason": Column("{t}.reason"),
        "isCollective": Column("{t}.is_collective"),
        "address": Column("{t}.address", or_none),
        "location": ToOne("Location", "{other}.id = {t}.location_id", implied=True),
        "totalParticipants": Column("{t}.total_participants"),
        "maxParticipants": Column("{t}.max_participants"),
        "cancelledAt": Column("{t}.cancelled_at"),
        "participations": OnDemand(),
    },
    children={
        "participations": Children("Participation", "{t}.appointment_id = {parent}", PARTICIPATION_BY_START),
    },
)


LOCATION = Entity(
    "Location",
    "location",
    fields={
        "name": Column("{t}.name"),
        "address": Column("{t}.address"),
        "phoneNumber": Column("{t}.phone_number", or_none),
    },
)


def _status_label(status: str, cancelled_by: str | None, start_at: datetime, now: datetime) -> str:
    return participation_status_label(
        ParticipationStatus(status), CancelledBy(cancelled_by) if cancelled_by else None, start_at=start_at, now=now
    )


PARTICIPATION = Entity(
    "Participation",
    "participation",
    joins={"appointment": "JOIN appointment {appointment} ON {appointment}.id = {t}.appointment_id"},
    fields={
        "jobSeeker": ToOne("JobSeeker", "{other}.id = {t}.job_seeker_id", implied=True),
        "appointment": ToOne("Appointment", "{other}.id = {t}.appointment_id", implied=True),
        "status": Column("{t}.status", ParticipationStatus),
        "cancelledBy": Column("{t}.cancelled_by", CancelledBy),
        "statusLabel": Computed(
            ("{t}.status", "{t}.cancelled_by", "{appointment}.start_at", ":now::timestamptz"), _status_label
        ),
        "updatedAt": Column("{t}.updated_at"),
    },
)


INVITATION_REQUEST = Entity(
    "InvitationRequest",
    "invitation_request",
    fields={
        "createdAt": Column("{t}.created_at"),
        "reasonCategory": Column("{t}.reason_category"),
        "company": ToOne("Company", "{other}.id = {t}.company_id", implied=True),
        "jobSeeker": ToOne("JobSeeker", "{other}.id = {t}.job_seeker_id", implied=True),
        "invitations": OnDemand(),
    },
    children={
        "invitations": Children(
            "Invitation",
            "{t}.invitation_request_id = {parent}",
            Ordering("Invitation:kind", ("{t}.kind", "{t}.id"), (str, UUID), descending=False),
        )
    },
)


INVITATION = Entity(
    "Invitation",
    "invitation",
    fields={
        "kind": Column("{t}.kind", InvitationKind),
        "status": Column("{t}.status", InvitationStatus),
        "deliveredAt": Column("{t}.delivered_at"),
    },
)
