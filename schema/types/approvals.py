"""Approvals (PASS IAE) and how far France Travail knows of them."""

from __future__ import annotations

from datetime import date, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from execution.plans import Read, read_field
from models.enums import ApprovalState, NotificationEndpoint, NotificationStatus, PreliminaryCheck
from resolvers.context import OperationContext, context_of
from resolvers.entities.approvals import APPROVAL
from resolvers.pages import read_child_page
from resolvers.windows import PageArguments
from schema.access import check, forbidden, guarded
from schema.info import Info
from schema.types.connections import After, Connection, First
from schema.types.node import Node

if TYPE_CHECKING:
    from schema.types.organizations import Company
    from schema.types.people import JobSeeker

_Company = Annotated["Company", strawberry.lazy("schema.types.organizations")]
_JobSeeker = Annotated["JobSeeker", strawberry.lazy("schema.types.people")]


@strawberry.type
class NotificationAttempt(Node):
    started_at: datetime
    duration_ms: int
    endpoint: NotificationEndpoint | None
    http_status: int | None
    exit_code: str | None
    outcome: NotificationStatus
    trace_id: str | None


@strawberry.type(description="Where the approval stands in France Travail's eyes.")
class ApprovalNotification:
    status: NotificationStatus
    last_attempt_at: datetime | None = guarded("ApprovalNotification.lastAttemptAt", datetime | None, "last_attempt_at")
    next_attempt_at: datetime | None = guarded("ApprovalNotification.nextAttemptAt", datetime | None, "next_attempt_at")
    endpoint: NotificationEndpoint | None = guarded(
        "ApprovalNotification.endpoint", NotificationEndpoint | None, "endpoint"
    )
    exit_code: str | None = guarded("ApprovalNotification.exitCode", str | None, "exit_code")
    exit_label: str | None = guarded(
        "ApprovalNotification.exitLabel",
        str | None,
        "exit_label",
        description="France Travail's own French label for the exit code.",
    )
    blocked_by: list[PreliminaryCheck] | None = guarded(
        "ApprovalNotification.blockedBy",
        list[PreliminaryCheck] | None,
        "blocked_by",
        description="Checks that would hold the notification back if it were tried now.",
    )
    approval_pk: strawberry.Private[UUID]

    @strawberry.field
    def attempts(self, info: Info, first: First = None, after: After = None) -> Connection[NotificationAttempt] | None:
        check("ApprovalNotification.attempts", context_of(info.raw))
        arguments = PageArguments(first=first, after=after)
        return read_child_page(info.raw, APPROVAL, "attempts", self.approval_pk, arguments)  # pyright: ignore[reportReturnType]: a Page has the shape of a Connection


def _notification(context: OperationContext) -> Read:
    """Employers are told of the approvals that their own company obtained."""
    check("Approval.notification", context)
    viewer = context.viewer
    if viewer.is_staff:
        return attrgetter("notification_value")

    def read(approval: Approval) -> ApprovalNotification:
        if approval.origin_company_pk != viewer.organization_id:
            raise forbidden("Approval.notification")
        return approval.notification_value

    return read


@strawberry.type
class Approval(Node):
    number: str
    start_at: date
    end_at: date
    state: ApprovalState
    job_seeker: _JobSeeker
    origin_company: _Company | None = guarded(
        "Approval.originCompany", _Company | None, "origin_company", description="The company that obtained it."
    )
    notification: ApprovalNotification | None = read_field(_notification, ApprovalNotification | None)

    notification_value: strawberry.Private[ApprovalNotification]
    origin_company_pk: strawberry.Private[UUID | None]
