"""The types that the pages ask for, each made of a model, and resolvers that ask the dataloaders."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import strawberry
from strawberry.types import Info as StrawberryInfo

import models
from benchmarks.peers.stock.loaders import Context, today
from models.enums import ApprovalState, JobApplicationState, ParticipationStatus, SenderKind, Title
from resolvers.global_ids import decode_as, encode

T = TypeVar("T")
Info = StrawberryInfo[Context, None]

_DEFAULT_ROWS = 20
_MOST_ROWS = 100

for _enum in (ApprovalState, JobApplicationState, ParticipationStatus, SenderKind, Title):
    strawberry.enum(_enum)


@strawberry.type
class Edge(Generic[T]):
    node: T


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]]


@strawberry.type
class Approval:
    id: strawberry.ID
    number: str
    start_at: date
    end_at: date
    state: ApprovalState
    job_seeker_key: strawberry.Private[UUID]

    @strawberry.field
    async def job_seeker(self, info: Info) -> Annotated[JobSeeker, strawberry.lazy("benchmarks.peers.stock.schema")]:
        return JobSeeker.of(await info.context["loaders"].job_seeker.load(self.job_seeker_key))

    @classmethod
    def of(cls, model: models.Approval) -> Approval:
        return cls(
            id=_global_id("Approval", model.id),
            number=model.number,
            start_at=model.start_at,
            end_at=model.end_at,
            state=model.state_on(today()),
            job_seeker_key=model.job_seeker_id,
        )


@strawberry.type
class Appointment:
    id: strawberry.ID
    start_at: datetime
    reason: str


@strawberry.type
class Participation:
    id: strawberry.ID
    status: ParticipationStatus
    updated_at: datetime
    appointment_key: strawberry.Private[UUID]

    @strawberry.field
    async def appointment(self, info: Info) -> Appointment | None:
        model = await info.context["loaders"].appointment.load(self.appointment_key)
        if model is None:
            return None
        return Appointment(id=_global_id("Appointment", model.id), start_at=model.start_at, reason=model.reason)

    @classmethod
    def of(cls, model: models.Participation) -> Participation:
        return cls(
            id=_global_id("Participation", model.id),
            status=model.status,
            updated_at=model.updated_at,
            appointment_key=model.appointment_id,
        )


@strawberry.type
class JobApplication:
    id: strawberry.ID
    state: JobApplicationState
    created_at: datetime
    sender_kind: SenderKind
    next_appointment_start_at: datetime | None
    upcoming_participations_count: int
    job_seeker_key: strawberry.Private[UUID]
    approval_key: strawberry.Private[UUID | None]

    @strawberry.field
    async def job_seeker(self, info: Info) -> Annotated[JobSeeker, strawberry.lazy("benchmarks.peers.stock.schema")]:
        return JobSeeker.of(await info.context["loaders"].job_seeker.load(self.job_seeker_key))

    @strawberry.field
    async def approval(self, info: Info) -> Approval | None:
        if self.approval_key is None:
            return None
        model = await info.context["loaders"].approval.load(self.approval_key)
        return Approval.of(model) if model else None

    @classmethod
    def of(cls, model: Any) -> JobApplication:
        return cls(
            id=_global_id("JobApplication", model.id),
            state=model.state,
            created_at=model.created_at,
            sender_kind=model.sender_kind,
            next_appointment_start_at=model.next_appointment_start_at,
            upcoming_participations_count=model.upcoming_participations_count,
            job_seeker_key=model.job_seeker_id,
            approval_key=model.approval_id,
        )


@strawberry.type
class JobSeeker:
    id: strawberry.ID
    title: Title | None
    first_name: str
    last_name: str
    email: str | None
    birthdate: date | None
    key: strawberry.Private[UUID]

    @strawberry.field
    async def current_approval(self, info: Info) -> Approval | None:
        model = await info.context["loaders"].current_approval.load(self.key)
        return Approval.of(model) if model else None

    @strawberry.field
    async def approvals(self, info: Info, first: int = _DEFAULT_ROWS) -> Connection[Approval]:
        rows = await info.context["loaders"].approvals_of.load(self.key)
        return _connection([Approval.of(row) for row in rows[: _checked(first)]])

    @strawberry.field
    async def job_applications(self, info: Info, first: int = _DEFAULT_ROWS) -> Connection[JobApplication]:
        rows = await info.context["loaders"].applications_of.load(self.key)
        return _connection([JobApplication.of(row) for row in rows[: _checked(first)]])

    @strawberry.field
    async def participations(self, info: Info, first: int = _DEFAULT_ROWS) -> Connection[Participation]:
        rows = await info.context["loaders"].participations_of.load(self.key)
        return _connection([Participation.of(row) for row in rows[: _checked(first)]])

    @classmethod
    def of(cls, model: Any) -> JobSeeker:
        profile = model.job_seeker_profile
        return cls(
            id=_global_id("JobSeeker", model.id),
            title=model.title,
            first_name=model.first_name,
            last_name=model.last_name,
            email=model.email,
            birthdate=profile.birthdate if profile else None,
            key=model.id,
        )


@strawberry.type
class Query:
    @strawberry.field
    async def job_seeker(self, info: Info, id: strawberry.ID) -> JobSeeker | None:  # noqa: A002 (the API's own name)
        model = await info.context["loaders"].job_seeker.load(decode_as(id, "JobSeeker"))
        return JobSeeker.of(model) if model else None

    @strawberry.field
    async def job_applications(self, info: Info, first: int | None = None) -> Connection[JobApplication]:
        query = info.context["loaders"].applications().order_by("-created_at", "-id")
        return _connection([JobApplication.of(row) for row in await query.limit(_checked(first))])

    @strawberry.field
    async def approvals(self, info: Info, first: int | None = None) -> Connection[Approval]:
        query = info.context["loaders"].approvals().order_by("-start_at", "-id")
        return _connection([Approval.of(row) for row in await query.limit(_checked(first))])


def _connection(nodes: list[T]) -> Connection[T]:
    return Connection(edges=[Edge(node=node) for node in nodes])


def _checked(first: int | None) -> int:
    rows = _DEFAULT_ROWS if first is None else first
    if not 1 <= rows <= _MOST_ROWS:
        raise ValueError(f"first: {rows}, from 1 to {_MOST_ROWS} expected")
    return rows


def _global_id(type_name: str, key: UUID) -> strawberry.ID:
    return strawberry.ID(encode(type_name, key))
