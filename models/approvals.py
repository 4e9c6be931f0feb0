"""Approvals (PASS IAE), their cancellations, and every attempt to announce them to France Travail."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields

from models.base import Model, enum_field
from models.encryption import EncryptedTextField
from models.enums import ApprovalState, Delivery, NotificationEndpoint, NotificationStatus
from models.organizations import Company
from models.people import User

NUMBER_PREFIX = "99999"
DURATION_DAYS = 730  # two years of 365 days, the last day included


class NotificationMixin:
    """Where a row stands in France Travail's eyes, and who is telling it now."""

    pe_notification_status: NotificationStatus = enum_field(NotificationStatus, default=NotificationStatus.PENDING)
    pe_notification_time: datetime | None = fields.DatetimeField(
        null=True, description="last attempt, even without a call"
    )
    pe_notification_endpoint: NotificationEndpoint | None = enum_field(NotificationEndpoint, null=True)
    pe_notification_exit_code = fields.CharField(max_length=64, null=True)
    next_attempt_at: datetime | None = fields.DatetimeField(null=True, description="not before; null: at once")
    due_since: datetime | None = fields.DatetimeField(
        null=True, description="it became due again then; null: not since it was made"
    )
    lease_token: UUID | None = fields.UUIDField(null=True)
    lease_until: datetime | None = fields.DatetimeField(null=True, description="a worker holds the row until then")


class OriginMixin:
    """The job application that led to an approval, frozen at that time: later moves of the company change nothing."""

    origin_siae_siret = fields.CharField(max_length=14)
    origin_siae_kind = fields.CharField(max_length=32)
    origin_sender_kind = fields.CharField(max_length=32, default="")
    origin_prescriber_organization_kind = fields.CharField(max_length=32, default="")


class Approval(NotificationMixin, OriginMixin, Model):
    """A PASS IAE: the right of one job seeker to be employed by SIAEs, two years unless prolonged."""

    number = fields.CharField(max_length=12, unique=True)
    start_at: date = fields.DateField()
    end_at: date = fields.DateField(description="last day of validity, included")
    job_seeker: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name="approvals", on_delete=fields.RESTRICT
    )
    job_seeker_id: UUID
    origin_company: fields.ForeignKeyNullableRelation[Company] = fields.ForeignKeyField(
        "models.Company", null=True, related_name="obtained_approvals", on_delete=fields.SET_NULL
    )
    origin_company_id: UUID | None
    cancelled_at: datetime | None = fields.DatetimeField(null=True)
    created_at: datetime = fields.DatetimeField(auto_now_add=True)
    updated_at: datetime = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "approval"

    def state_on(self, day: date) -> ApprovalState:
        """Return where the approval stands on a day of Europe/Paris."""
        if self.cancelled_at is not None:
            return ApprovalState.CANCELLED
        if day < self.start_at:
            return ApprovalState.FUTURE
        return ApprovalState.VALID if day <= self.end_at else ApprovalState.EXPIRED


class CancelledApproval(NotificationMixin, OriginMixin, Model):
    """A cancellation to announce: a frozen copy of the approval and of the person, as France Travail must hear it."""

    approval: fields.OneToOneNullableRelation[Approval] = fields.OneToOneField(
        "models.Approval", null=True, related_name="cancellation", on_delete=fields.SET_NULL
    )
    approval_id: UUID | None
    number = fields.CharField(max_length=12, unique=True)
    start_at: date = fields.DateField()
    end_at: date = fields.DateField()
    user_first_name = fields.CharField(max_length=150, default="")
    user_last_name = fields.CharField(max_length=150, default="")
    user_nir = EncryptedTextField(null=True)
    user_birthdate: date | None = fields.DateField(null=True)
    user_id_national_pe = fields.CharField(max_length=48, null=True)
    cancelled_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "models.User", null=True, related_name="cancelled_approvals", on_delete=fields.SET_NULL
    )
    cancelled_by_id: UUID | None
    created_at: datetime = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "cancelled_approval"


class NotificationAttempt(Model):
    """One try to announce an approval or a cancellation (exactly one of the two).

    Written before the first call with what will be true if the worker dies in the middle (to be tried again, delivery
    unknown), completed after: a crash leaves its own trace.
    """

    approval: fields.ForeignKeyNullableRelation[Approval] = fields.ForeignKeyField(
        "models.Approval", null=True, related_name="attempts", on_delete=fields.CASCADE
    )
    approval_id: UUID | None
    cancelled_approval: fields.ForeignKeyNullableRelation[CancelledApproval] = fields.ForeignKeyField(
        "models.CancelledApproval", null=True, related_name="attempts", on_delete=fields.CASCADE
    )
    cancelled_approval_id: UUID | None
    started_at: datetime = fields.DatetimeField()
    finished_at: datetime | None = fields.DatetimeField(null=True, description="null: under way, or its worker died")
    duration_ms = fields.IntField(default=0)
    endpoint: NotificationEndpoint | None = enum_field(NotificationEndpoint, null=True)
    http_status: int | None = fields.SmallIntField(null=True)
    exit_code = fields.CharField(max_length=64, null=True)
    outcome: NotificationStatus = enum_field(NotificationStatus)
    delivery: Delivery = enum_field(Delivery)
    sent_start_at: date | None = fields.DateField(null=True, description="the dates that France Travail was to hear")
    sent_end_at: date | None = fields.DateField(null=True)
    trace_id = fields.CharField(max_length=32, null=True)

    class Meta:
        table = "notification_attempt"
