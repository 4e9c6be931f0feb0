"""What changed, as it changes: over a WebSocket (graphql-transport-ws) or an event stream (SSE).

Every event object offers `key`, its place in its log, by which equal subscribers share its answer, and `extensions`,
which go into the answer: the cursor is there for every field, whatever is selected.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable
from copy import copy
from datetime import datetime
from typing import Any

import strawberry

from models.enums import AppointmentEventKind, ParticipationStatus
from resolvers.context import OperationContext, ResolveInfo, context_of
from resolvers.events import Feed, Seen, follow
from resolvers.selection import Selection, selection_of
from resolvers.sights import Sights
from schema.access import check
from schema.info import Info
from schema.types.appointments import Appointment, Participation
from schema.types.approvals import Approval
from services.event_log import (
    AppointmentChanged,
    ApprovalNotificationChanged,
    ParticipationStatusChanged,
    Stream,
)

_AFTER = "Give the last cursor back as `after` when you reconnect: nothing in between is missed, nothing comes twice."


@strawberry.type
class ParticipationStatusChange:
    cursor: str = strawberry.field(description=_AFTER)
    participation: Participation
    previous_status: ParticipationStatus | None
    status: ParticipationStatus
    occurred_at: datetime
    key: strawberry.Private[Hashable]
    extensions: strawberry.Private[dict[str, Any]]


@strawberry.type
class AppointmentChange:
    cursor: str = strawberry.field(description=_AFTER)
    kind: AppointmentEventKind
    appointment: Appointment | None = strawberry.field(description="Null once it was deleted.")
    occurred_at: datetime
    key: strawberry.Private[Hashable]
    extensions: strawberry.Private[dict[str, Any]]


@strawberry.type
class Subscription:
    @strawberry.subscription(description="A participation got another status, or is new.")
    async def participation_status_changed(
        self, info: Info, company_ids: list[strawberry.ID] | None = None, after: str | None = None
    ) -> AsyncGenerator[ParticipationStatusChange, None]:
        return await follow(info.raw, _participations(info.raw), company_ids=company_ids, after=after)

    @strawberry.subscription(description="An appointment was made, changed, moved, cancelled or deleted.")
    async def appointment_changed(
        self, info: Info, company_ids: list[strawberry.ID] | None = None, after: str | None = None
    ) -> AsyncGenerator[AppointmentChange, None]:
        return await follow(info.raw, _appointments(info.raw), company_ids=company_ids, after=after)

    @strawberry.subscription(
        description=(
            "The notification of an approval has another status. Its cursor is in the response's `extensions.cursor`."
        )
    )
    async def approval_notification_changed(
        self, info: Info, after: str | None = None
    ) -> AsyncGenerator[Approval, None]:
        check("Approval.notification", _signed_in(info.raw))
        return await follow(info.raw, _approvals(info.raw), company_ids=None, after=after)


def _signed_in(info: ResolveInfo) -> OperationContext:
    context = context_of(info)
    context.signed_in()
    return context


def _participations(info: ResolveInfo) -> Feed[ParticipationStatusChanged, ParticipationStatusChange]:
    selection = selection_of(info).below("participation")

    async def show(seen: Seen[ParticipationStatusChanged], sights: Sights) -> ParticipationStatusChange | None:
        entry = seen.entry
        row = await sights.row(seen.context, seen.key, "Participation", entry.participation_id, selection)
        if row is None:
            return None
        return ParticipationStatusChange(
            cursor=seen.cursor,
            participation=row,
            previous_status=entry.previous_status,
            status=entry.status,
            occurred_at=seen.event.occurred_at,
            key=seen.key,
            extensions={"cursor": seen.cursor},
        )

    return Feed(
        name="participationStatusChanged",
        stream=Stream.APPOINTMENTS,
        entry_type=ParticipationStatusChanged,
        about="Participation",
        selection=selection,
        show=show,
    )


def _appointments(info: ResolveInfo) -> Feed[AppointmentChanged, AppointmentChange]:
    selection = selection_of(info).below("appointment")

    async def show(seen: Seen[AppointmentChanged], sights: Sights) -> AppointmentChange | None:
        entry = seen.entry
        row = await _appointment(seen, sights, selection)
        if row is None and not await sights.saw_destroyed_appointment(seen.context, entry.appointment_id):
            return None
        return AppointmentChange(
            cursor=seen.cursor,
            kind=entry.kind,
            appointment=row,
            occurred_at=seen.event.occurred_at,
            key=seen.key,
            extensions={"cursor": seen.cursor},
        )

    return Feed(
        name="appointmentChanged",
        stream=Stream.APPOINTMENTS,
        entry_type=AppointmentChanged,
        about="Appointment",
        selection=selection,
        show=show,
    )


async def _appointment(seen: Seen[AppointmentChanged], sights: Sights, selection: Selection) -> Any | None:
    # Once deleted, it never comes back: there is nothing to look for.
    if seen.entry.kind is AppointmentEventKind.DELETED:
        return None
    return await sights.row(seen.context, seen.key, "Appointment", seen.entry.appointment_id, selection)


def _approvals(info: ResolveInfo) -> Feed[ApprovalNotificationChanged, Approval]:
    selection = selection_of(info)
    # Who may not read the status of a notification may not learn that it changed either.
    condition = None if context_of(info).viewer.is_staff else "{t}.origin_company_id = :organization_id"

    async def show(seen: Seen[ApprovalNotificationChanged], sights: Sights) -> Approval | None:
        row = await sights.row(
            seen.context, seen.key, "Approval", seen.entry.approval_id, selection, condition=condition
        )
        if row is None:
            return None
        shown = copy(row)  # the row itself is shared with viewers of other rights who see the same of it
        shown.__dict__.update(key=seen.key, extensions={"cursor": seen.cursor})
        return shown

    return Feed(
        name="approvalNotificationChanged",
        stream=Stream.APPROVALS,
        entry_type=ApprovalNotificationChanged,
        about="Approval",
        selection=selection,
        show=show,
    )
