"""Appointments of RDV-Insertion: who is invited, who takes part, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from models.enums import CancelledBy, InvitationKind, InvitationStatus, ParticipationStatus
from resolvers.entities.appointments import APPOINTMENT, INVITATION_REQUEST
from resolvers.pages import read_child_page, read_children
from resolvers.windows import PageArguments
from schema.access import guarded
from schema.info import Info
from schema.types.connections import After, Connection, First
from schema.types.node import Node

if TYPE_CHECKING:
    from schema.types.organizations import Company
    from schema.types.people import JobSeeker

_Appointment = Annotated["Appointment", strawberry.lazy("schema.types.appointments")]
_Company = Annotated["Company", strawberry.lazy("schema.types.organizations")]
_JobSeeker = Annotated["JobSeeker", strawberry.lazy("schema.types.people")]


@strawberry.type
class Location(Node):
    name: str
    address: str
    phone_number: str | None


@strawberry.type
class Participation(Node):
    job_seeker: _JobSeeker
    appointment: _Appointment | None = guarded("Participation.appointment", _Appointment | None, "appointment")
    status: ParticipationStatus
    cancelled_by: CancelledBy | None
    status_label: str = strawberry.field(
        description="French label for display; an UNKNOWN participation reads differently before and after its start."
    )
    updated_at: datetime


@strawberry.type
class Appointment(Node):
    company: _Company
    start_at: datetime
    end_at: datetime
    duration_minutes: int
    status: ParticipationStatus
    reason_category: str
    reason: str
    is_collective: bool
    address: str | None
    location: Location | None
    total_participants: int | None
    max_participants: int | None
    cancelled_at: datetime | None

    @strawberry.field
    def participations(self, info: Info, first: First = None, after: After = None) -> Connection[Participation]:
        arguments = PageArguments(first=first, after=after)
        return read_child_page(info.raw, APPOINTMENT, "participations", self.pk, arguments)  # pyright: ignore[reportReturnType]: a Page has the shape of a Connection


@strawberry.type
class Invitation(Node):
    kind: InvitationKind
    status: InvitationStatus
    delivered_at: datetime | None


@strawberry.type
class InvitationRequest(Node):
    created_at: datetime
    reason_category: str
    company: _Company
    job_seeker: _JobSeeker

    @strawberry.field
    async def invitations(self, info: Info) -> list[Invitation]:
        return await read_children(info.raw, INVITATION_REQUEST, "invitations", self.pk)
