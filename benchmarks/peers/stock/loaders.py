"""Who asks, and the dataloaders of one request: each gathers the keys of a list into one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.dataloader import DataLoader
from tortoise.expressions import Subquery
from tortoise.queryset import QuerySet

from models import Appointment, Approval, JobApplication, Participation, User
from models.upcoming import JobApplicationQuerySet

_PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, slots=True)
class Viewer:
    """`company_id` of an employer; None: staff, who see everything."""

    company_id: UUID | None


class Loaders:
    """Made for each request, with its viewer: nothing out of sight is ever loaded."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self.job_seeker = DataLoader(load_fn=self._job_seekers)
        self.approval = DataLoader(load_fn=self._approvals)
        self.current_approval = DataLoader(load_fn=self._current_approvals)
        self.appointment = DataLoader(load_fn=self._appointments)
        self.approvals_of = DataLoader(load_fn=self._approvals_of)
        self.applications_of = DataLoader(load_fn=self._applications_of)
        self.participations_of = DataLoader(load_fn=self._participations_of)

    # -- what the viewer may see

    def job_seekers(self) -> QuerySet[User]:
        seekers = User.filter(kind="job_seeker", erased_at=None)
        if self._viewer.company_id is None:
            return seekers
        return seekers.filter(id__in=self._applicants())

    def approvals(self) -> QuerySet[Approval]:
        if self._viewer.company_id is None:
            return Approval.all()
        return Approval.filter(job_seeker_id__in=self._applicants())

    def applications(self) -> JobApplicationQuerySet:
        applications = JobApplicationQuerySet(JobApplication)
        shown = applications.with_next_appointment_start_at().with_upcoming_participations_count()
        if self._viewer.company_id is None:
            return shown
        return shown.filter(company_id=self._viewer.company_id)  # pyright: ignore[reportReturnType]: of the same class

    def participations(self) -> QuerySet[Participation]:
        seen = Participation.filter(removed_at=None, appointment__destroyed_at=None)
        if self._viewer.company_id is None:
            return seen
        return seen.filter(appointment__company_id=self._viewer.company_id, job_seeker_id__in=self._applicants())

    def _applicants(self) -> Subquery:
        return Subquery(JobApplication.filter(company_id=self._viewer.company_id).values("job_seeker_id"))

    # -- one row a key

    async def _job_seekers(self, keys: list[UUID]) -> Sequence[User | None]:
        found = await self.job_seekers().filter(id__in=keys).select_related("job_seeker_profile")
        return _in_order({seeker.id: seeker for seeker in found}, keys)

    async def _approvals(self, keys: list[UUID]) -> Sequence[Approval | None]:
        return _in_order({each.id: each for each in await self.approvals().filter(id__in=keys)}, keys)

    async def _current_approvals(self, keys: list[UUID]) -> Sequence[Approval | None]:
        day = today()
        found = await self.approvals().filter(
            job_seeker_id__in=keys, cancelled_at=None, start_at__lte=day, end_at__gte=day
        )
        return _in_order({approval.job_seeker_id: approval for approval in found}, keys)

    async def _appointments(self, keys: list[UUID]) -> Sequence[Appointment | None]:
        seen = Appointment.filter(id__in=keys, destroyed_at=None)
        if self._viewer.company_id is not None:
            seen = seen.filter(company_id=self._viewer.company_id)
        return _in_order({appointment.id: appointment for appointment in await seen}, keys)

    # -- many rows a key

    async def _approvals_of(self, keys: list[UUID]) -> Sequence[list[Approval]]:
        found = await self.approvals().filter(job_seeker_id__in=keys).order_by("-start_at", "-id")
        return _grouped(found, keys)

    async def _applications_of(self, keys: list[UUID]) -> Sequence[list[JobApplication]]:
        found = await self.applications().filter(job_seeker_id__in=keys).order_by("-created_at", "-id")
        return _grouped(found, keys)

    async def _participations_of(self, keys: list[UUID]) -> Sequence[list[Participation]]:
        found = await self.participations().filter(job_seeker_id__in=keys).order_by("-appointment__start_at", "-id")
        return _grouped(found, keys)


class Context(TypedDict):
    viewer: Viewer
    loaders: Loaders
    request: Request | WebSocket
    response: Response | WebSocket


def today() -> date:
    return datetime.now(UTC).astimezone(_PARIS).date()


def _in_order(found: dict[UUID, Any], keys: list[UUID]) -> list[Any]:
    return [found.get(key) for key in keys]


def _grouped(rows: Sequence[Any], keys: list[UUID]) -> list[list[Any]]:
    groups: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.job_seeker_id].append(row)
    return [groups[key] for key in keys]
