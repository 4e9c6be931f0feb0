"""Job applications and the surveys that follow a hiring."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields

from models.approvals import Approval
from models.base import Model, enum_field
from models.enums import (
    DiagorienteRecipient,
    JobApplicationState,
    SenderKind,
    SurveyKind,
    SurveyStatus,
)
from models.organizations import Company, PrescriberOrganization
from models.people import User
from models.upcoming import JobApplicationManager, JobApplicationQuerySet


class JobApplication(Model):
    """A job seeker proposed to a company, by themself, a prescriber or another employer."""

    state: JobApplicationState = enum_field(JobApplicationState, default=JobApplicationState.NEW)
    job_seeker: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name="job_applications", on_delete=fields.RESTRICT
    )
    job_seeker_id: UUID
    company: fields.ForeignKeyRelation[Company] = fields.ForeignKeyField(
        "models.Company", related_name="job_applications", on_delete=fields.RESTRICT
    )
    company_id: UUID
    approval: fields.ForeignKeyNullableRelation[Approval] = fields.ForeignKeyField(
        "models.Approval", null=True, related_name="job_applications", on_delete=fields.SET_NULL
    )
    approval_id: UUID | None
    sender_kind: SenderKind = enum_field(SenderKind)
    sender: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "models.User", null=True, related_name="sent_job_applications", on_delete=fields.SET_NULL
    )
    sender_id: UUID | None
    sender_prescriber_organization: fields.ForeignKeyNullableRelation[PrescriberOrganization] = fields.ForeignKeyField(
        "models.PrescriberOrganization", null=True, related_name="sent_job_applications", on_delete=fields.SET_NULL
    )
    sender_prescriber_organization_id: UUID | None
    sender_company: fields.ForeignKeyNullableRelation[Company] = fields.ForeignKeyField(
        "models.Company", null=True, related_name="sent_job_applications", on_delete=fields.SET_NULL
    )
    sender_company_id: UUID | None
    has_resume = fields.BooleanField(default=False)
    hiring_start_on: date | None = fields.DateField(null=True)
    processed_at: datetime | None = fields.DatetimeField(null=True)
    diagoriente_invite_sent_at: datetime | None = fields.DatetimeField(null=True)
    diagoriente_recipient: DiagorienteRecipient | None = enum_field(DiagorienteRecipient, null=True)
    diagoriente_token_hash = fields.CharField(max_length=64, null=True, unique=True)
    diagoriente_opened_at: datetime | None = fields.DatetimeField(null=True)
    created_at: datetime = fields.DatetimeField()
    updated_at: datetime = fields.DatetimeField(auto_now=True)

    # Set by the queries of JobApplicationQuerySet that are named after them.
    next_appointment_start_at: datetime | None
    upcoming_participations_count: int

    class Meta:
        table = "job_application"
        manager = JobApplicationManager()

    @classmethod
    def with_next_appointment_start_at(cls, now: datetime | None = None) -> JobApplicationQuerySet:
        return cls.queryset().with_next_appointment_start_at(now)

    @classmethod
    def with_upcoming_participations_count(cls, now: datetime | None = None) -> JobApplicationQuerySet:
        return cls.queryset().with_upcoming_participations_count(now)

    @classmethod
    def queryset(cls) -> JobApplicationQuerySet:
        """Return all job applications. `all()` is the same, and typed less closely."""
        return JobApplicationQuerySet(cls)


class Survey(Model):
    """A Tally form offered about one hiring. Its answers stay at Tally: only whether it was answered comes back."""

    kind: SurveyKind = enum_field(SurveyKind)
    status: SurveyStatus = enum_field(SurveyStatus, default=SurveyStatus.AVAILABLE)
    reference = fields.CharField(
        max_length=32, unique=True, description="opaque, in the link: finds the row, grants nothing"
    )
    form_id = fields.CharField(max_length=12)
    context: dict[str, Any] = fields.JSONField[dict[str, Any]](
        default=dict, description="prefilled parameters, in order; no personal data"
    )
    job_application: fields.ForeignKeyNullableRelation[JobApplication] = fields.ForeignKeyField(
        "models.JobApplication", null=True, related_name="surveys", on_delete=fields.CASCADE
    )
    job_application_id: UUID | None
    submission_id = fields.CharField(max_length=64, null=True)
    mail_due_at: datetime | None = fields.DatetimeField(
        null=True, description="from when on it is mailed unasked; null: it is not"
    )
    sent_at: datetime | None = fields.DatetimeField(null=True)
    answered_at: datetime | None = fields.DatetimeField(null=True)
    created_at: datetime = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "survey"


class UnlinkedSurveyAnswer(Model):
    """A submission of one of our forms that names no survey of ours: counted, and linked if that survey appears."""

    kind: SurveyKind = enum_field(SurveyKind)
    form_id = fields.CharField(max_length=12)
    submission_id = fields.CharField(max_length=64)
    reference = fields.CharField(max_length=32, null=True, description="as the link said it, if it may be ours")
    department = fields.CharField(max_length=3, default="", description="as the link said it: to count, not to grant")
    answered_at: datetime = fields.DatetimeField()

    class Meta:
        table = "unlinked_survey_answer"
