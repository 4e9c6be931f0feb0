"""Questions to API Particulier about people: what is due, and what came of it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields

from models.base import Model, enum_field
from models.enums import CertificationResult
from models.people import User


class CertificationRequest(Model):
    """API Particulier was, or is to be, asked about a person who agreed. One row a person; never what was asked."""

    job_seeker: fields.OneToOneRelation[User] = fields.OneToOneField(
        "models.User", related_name="certification_request", on_delete=fields.CASCADE
    )
    job_seeker_id: UUID
    requested_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "models.User", null=True, related_name="certification_requests", on_delete=fields.SET_NULL
    )
    requested_by_id: UUID | None
    created_at: datetime = fields.DatetimeField()
    series_began_at: datetime = fields.DatetimeField(description="asked for, or taken up again by the nightly run")
    retries = fields.IntField(default=0, description="of this series, by our own timetable")
    last_attempt_at: datetime | None = fields.DatetimeField(null=True)
    next_attempt_at: datetime | None = fields.DatetimeField(null=True, description="null: nothing is due")
    outcome: CertificationResult | None = enum_field(CertificationResult, null=True)
    answered_at: datetime | None = fields.DatetimeField(null=True, description="a definite answer came")
    http_status = fields.IntField(null=True)
    code = fields.CharField(max_length=32, null=True, description="API Particulier's own, or one of the client's")
    provider = fields.CharField(max_length=64, null=True, description="whom API Particulier asked")
    partner_request_id = fields.CharField(max_length=64, null=True, description="what their support asks for")
    is_beneficiary = fields.BooleanField(null=True, description="of RSA on the day of the answer")
    has_increase = fields.BooleanField(null=True)
    benefit_started_on: date | None = fields.DateField(null=True)
    lease_token: UUID | None = fields.UUIDField(null=True)
    lease_until: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "certification_request"
