"""Job applications and the surveys that follow a hiring."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import orjson
import strawberry

from models.enums import (
    DiagorienteRecipient,
    DiagorienteStatus,
    JobApplicationState,
    SenderKind,
    SurveyKind,
    SurveyStatus,
)
from resolvers.context import context_of
from resolvers.entities.job_applications import JOB_APPLICATION
from resolvers.pages import read_child_page, read_children
from resolvers.windows import PageArguments
from schema.info import Info
from schema.scalars import URL
from schema.types.connections import After, Connection, First
from schema.types.node import Node
from services.surveys import survey_url

if TYPE_CHECKING:
    from schema.types.appointments import InvitationRequest
    from schema.types.approvals import Approval
    from schema.types.organizations import Company
    from schema.types.people import JobSeeker

_Approval = Annotated["Approval", strawberry.lazy("schema.types.approvals")]
_Company = Annotated["Company", strawberry.lazy("schema.types.organizations")]
_InvitationRequest = Annotated["InvitationRequest", strawberry.lazy("schema.types.appointments")]
_JobSeeker = Annotated["JobSeeker", strawberry.lazy("schema.types.people")]


@strawberry.type
class DiagorienteInvitation:
    status: DiagorienteStatus
    recipient: DiagorienteRecipient | None
    sent_at: datetime | None
    opened_at: datetime | None


@strawberry.type
class Survey(Node):
    kind: SurveyKind
    status: SurveyStatus
    sent_at: datetime | None
    answered_at: datetime | None

    # What the look-ahead read for the field below.
    link_parts: strawberry.Private[tuple[str, str, str]]

    @strawberry.field(description="Tally link with the context prefilled; null where no survey tool is configured.")
    def url(self, info: Info) -> URL | None:
        plan = context_of(info.raw).resources.surveys
        if plan is None:
            return None
        form_id, context, reference = self.link_parts
        return URL(survey_url(plan.forms, form_id, orjson.loads(context), reference))

    job_application: Annotated[JobApplication, strawberry.lazy("schema.types.job_applications")] | None


@strawberry.type
class JobApplication(Node):
    state: JobApplicationState
    created_at: datetime
    sender_kind: SenderKind
    job_seeker: _JobSeeker
    company: _Company
    approval: _Approval | None
    next_appointment_start_at: datetime | None = strawberry.field(
        description="Start of the next appointment of this job seeker with this company whose outcome is still unknown."
    )
    upcoming_participations_count: int
    can_invite: bool
    diagoriente_invitation: DiagorienteInvitation | None

    @strawberry.field
    def invitation_requests(
        self, info: Info, first: First = None, after: After = None
    ) -> Connection[_InvitationRequest]:
        arguments = PageArguments(first=first, after=after)
        return read_child_page(info.raw, JOB_APPLICATION, "invitationRequests", self.pk, arguments)  # pyright: ignore[reportReturnType]: a Page has the shape of a Connection

    @strawberry.field
    async def surveys(self, info: Info) -> list[Survey]:
        return await read_children(info.raw, JOB_APPLICATION, "surveys", self.pk)
