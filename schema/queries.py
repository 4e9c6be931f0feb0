"""The root of every read."""

from __future__ import annotations

import strawberry

from models.departments import DEPARTMENTS, department_code_of
from models.enums import UserKind
from resolvers.context import OperationContext, context_of
from resolvers.entities.appointments import APPOINTMENT, PARTICIPATION
from resolvers.entities.approvals import APPROVAL
from resolvers.entities.job_applications import JOB_APPLICATION
from resolvers.entities.orderings import (
    APPOINTMENT_BY_START,
    COMPANY_BY_NAME,
    NEWEST_APPLICATION,
    NEWEST_APPROVAL,
    NEWEST_JOB_SEEKER,
    NEWEST_SURVEY,
    PARTICIPATION_BY_START,
)
from resolvers.entities.organizations import COMPANY
from resolvers.entities.people import JOB_SEEKER
from resolvers.entities.surveys import SURVEY
from resolvers.errors import BadUserInput
from resolvers.global_ids import decode, decode_as
from resolvers.loaders import read_by_key, read_one_by
from resolvers.pages import read_page
from resolvers.reading import entity_names
from resolvers.viewer import Permission
from resolvers.windows import PageArguments
from schema.access import FIELD_RULES
from schema.dashboard_queries import DashboardQueries
from schema.establishment_queries import EstablishmentQueries
from schema.filters import (
    AppointmentFilter,
    ApprovalFilter,
    JobApplicationFilter,
    JobSeekerFilter,
    ParticipationFilter,
    SurveyFilter,
    appointment_filter,
    approval_filter,
    approval_number,
    company_filter,
    job_application_filter,
    job_seeker_filter,
    participation_filter,
    survey_filter,
)
from schema.inclusion_structure_queries import InclusionStructureQueries
from schema.info import Info
from schema.partner_queries import PartnerQueries
from schema.place_queries import PlaceQueries
from schema.scalars import SIRET
from schema.survey_queries import SurveyQueries
from schema.types.appointments import Appointment, Participation
from schema.types.approvals import Approval
from schema.types.connections import After, Before, Connection, First, Last, page_arguments
from schema.types.geography import Department
from schema.types.job_applications import JobApplication, Survey
from schema.types.node import Node
from schema.types.organizations import Company, Organization
from schema.types.people import JobSeeker, User
from schema.webhook_queries import WebhookQueries

_MAX_NODES = 100


@strawberry.type(description="Who is asking, on behalf of which organisation, and what they may do.")
class Viewer:
    kind: UserKind
    permissions: list[Permission]

    @strawberry.field
    async def user(self, info: Info) -> User | None:
        viewer = context_of(info.raw).viewer
        if viewer.user_id is None or viewer.kind is UserKind.PARTNER:
            return None
        return await read_by_key(info.raw, "User", viewer.user_id)

    @strawberry.field
    async def organization(self, info: Info) -> Organization | None:
        viewer = context_of(info.raw).viewer
        if viewer.organization_id is None or viewer.organization_type is None:
            return None
        return await read_by_key(info.raw, viewer.organization_type.value, viewer.organization_id)


def _signed_in(info: Info) -> OperationContext:
    context = context_of(info.raw)
    context.signed_in()
    return context


@strawberry.type
class Query(
    DashboardQueries,
    EstablishmentQueries,
    InclusionStructureQueries,
    PartnerQueries,
    PlaceQueries,
    SurveyQueries,
    WebhookQueries,
):
    @strawberry.field
    def viewer(self, info: Info) -> Viewer:
        viewer = _signed_in(info).signed_in()
        return Viewer(kind=viewer.kind or UserKind.STAFF, permissions=list(viewer.permissions))

    @strawberry.field
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        _signed_in(info)
        return await _node(info, id)

    @strawberry.field
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        _signed_in(info)
        if len(ids) > _MAX_NODES:
            raise BadUserInput(f"ids: {len(ids)} given, at most {_MAX_NODES} expected")
        # The loaders gather these: one statement a type.
        return [_node(info, id) for id in ids]  # pyright: ignore[reportReturnType]  # noqa: A001

    @strawberry.field
    async def job_seeker(self, info: Info, id: strawberry.ID) -> JobSeeker | None:
        _signed_in(info)
        return await read_by_key(info.raw, "JobSeeker", decode_as(id, "JobSeeker"))

    @strawberry.field
    async def job_seekers(
        self,
        info: Info,
        filter: JobSeekerFilter | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[JobSeeker]:
        context = _signed_in(info)
        narrowed = job_seeker_filter(
            filter, may_ask_profile=context.viewer.scope in FIELD_RULES["JobSeeker.isCertified"]
        )
        arguments = page_arguments(first, after, last, before)
        return await read_page(info.raw, JOB_SEEKER, NEWEST_JOB_SEEKER, arguments, narrowed)  # pyright: ignore[reportReturnType]

    @strawberry.field
    async def job_application(self, info: Info, id: strawberry.ID) -> JobApplication | None:
        _signed_in(info)
        return await read_by_key(info.raw, "JobApplication", decode_as(id, "JobApplication"))

    @strawberry.field
    async def job_applications(
        self,
        info: Info,
        filter: JobApplicationFilter | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[JobApplication]:
        _signed_in(info)
        arguments = page_arguments(first, after, last, before)
        return await read_page(info.raw, JOB_APPLICATION, NEWEST_APPLICATION, arguments, job_application_filter(filter))  # pyright: ignore[reportReturnType]

    @strawberry.field
    async def approval(self, info: Info, number: str) -> Approval | None:
        _signed_in(info)
        return await read_one_by(info.raw, APPROVAL, "{t}.number = :number", {"number": approval_number(number)})

    @strawberry.field
    async def approvals(
        self,
        info: Info,
        filter: ApprovalFilter | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Approval]:
        context = _signed_in(info)
        narrowed = approval_filter(
            filter,
            may_ask_status=context.viewer.scope in FIELD_RULES["Approval.notification"],
            is_staff=context.viewer.is_staff,
        )
        return await read_page(
            info.raw, APPROVAL, NEWEST_APPROVAL, page_arguments(first, after, last, before), narrowed
        )  # pyright: ignore[reportReturnType]

    @strawberry.field
    async def appointments(
        self,
        info: Info,
        filter: AppointmentFilter | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Appointment]:
        _signed_in(info)
        arguments = page_arguments(first, after, last, before)
        return await read_page(info.raw, APPOINTMENT, APPOINTMENT_BY_START, arguments, appointment_filter(filter))  # pyright: ignore[reportReturnType]

    @strawberry.field
    async def participations(
        self,
        info: Info,
        filter: ParticipationFilter | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Participation]:
        _signed_in(info)
        arguments = page_arguments(first, after, last, before)
        return await read_page(info.raw, PARTICIPATION, PARTICIPATION_BY_START, arguments, participation_filter(filter))  # pyright: ignore[reportReturnType]

    @strawberry.field
    async def surveys(
        self,
        info: Info,
        filter: SurveyFilter | None = None,
        first: First = None,
        after: After = None,
    ) -> Connection[Survey]:
        _signed_in(info)
        arguments = PageArguments(first=first, after=after)
        return await read_page(info.raw, SURVEY, NEWEST_SURVEY, arguments, survey_filter(filter))  # pyright: ignore[reportReturnType]

    @strawberry.field
    async def company(self, info: Info, siret: SIRET) -> Company | None:
        _signed_in(info)
        return await read_one_by(info.raw, COMPANY, "{t}.siret = :siret", {"siret": siret})

    @strawberry.field
    async def companies(
        self,
        info: Info,
        search: str | None = None,
        department_code: str | None = None,
        first: First = None,
        after: After = None,
    ) -> Connection[Company]:
        _signed_in(info)
        arguments = PageArguments(first=first, after=after)
        return await read_page(info.raw, COMPANY, COMPANY_BY_NAME, arguments, company_filter(search, department_code))  # pyright: ignore[reportReturnType]

    @strawberry.field(description="By its code, or of a post code. No sign-in needed.")
    def department(self, code: str | None = None, post_code: str | None = None) -> Department | None:
        if (code is None) == (post_code is None):
            raise BadUserInput("department: give either `code` or `postCode`")
        wanted = code.upper() if code is not None else department_code_of(post_code=post_code)
        return DEPARTMENTS.get(wanted or "")  # pyright: ignore[reportReturnType]

    @strawberry.field(description="All of them, by code. No sign-in needed.")
    def departments(self) -> list[Department]:
        return list(DEPARTMENTS.values())  # pyright: ignore[reportReturnType]


async def _node(info: Info, text: str) -> Node | None:
    wanted = decode(text)
    if wanted.type_name not in entity_names():
        raise BadUserInput("id: not an id of this API; pass ids exactly as they were received")
    return await read_by_key(info.raw, wanted.type_name, wanted.key)
