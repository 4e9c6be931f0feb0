"""What was tried at RDV-Insertion, written before each call: a call whose answer is lost stays known."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tortoise import fields

from models.appointments import InvitationRequest
from models.base import Model, enum_field
from models.encryption import EncryptedTextField
from models.enums import InvitationAttemptState
from models.organizations import Company
from models.people import User


class InvitationAttempt(Model):
    """One call that invites somebody, from the decision to what came of it. It is never sent a second time."""

    job_seeker: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name="invitation_attempts", on_delete=fields.CASCADE
    )
    job_seeker_id: UUID
    company: fields.ForeignKeyRelation[Company] = fields.ForeignKeyField(
        "models.Company", related_name="invitation_attempts", on_delete=fields.CASCADE
    )
    company_id: UUID
    requested_by: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "models.User", null=True, related_name="requested_invitation_attempts", on_delete=fields.SET_NULL
    )
    requested_by_id: UUID | None
    organisation_id: int = fields.BigIntField(description="of the company at RDV-Solidarités, when it was asked")
    reason_category = fields.CharField(max_length=64)
    begun_at: datetime = fields.DatetimeField()
    state: InvitationAttemptState = enum_field(InvitationAttemptState, default=InvitationAttemptState.SENDING)
    answer_due_at: datetime | None = fields.DatetimeField(
        null=True, description="while sending: who has not answered by then has died with the answer"
    )
    held_until: datetime | None = fields.DatetimeField(
        null=True, description="the outcome is unknown: no other attempt for these two before"
    )
    sought = EncryptedTextField(
        null=True, description="sealed JSON, e-mail and first name as they were sent; null once settled"
    )
    rdv_insertion_user_id: int | None = fields.BigIntField(null=True, description="once the person was found there")
    next_look_at: datetime | None = fields.DatetimeField(
        null=True, description="while the outcome is unknown: when to look for it again"
    )
    looks = fields.IntField(default=0)
    http_status: int | None = fields.IntField(null=True)
    code = fields.CharField(max_length=64, null=True, description="RDV-Insertion's, or ours")
    refusal = EncryptedTextField(null=True, description="sealed JSON, RDV-Insertion's words; null after a month")
    settled_at: datetime | None = fields.DatetimeField(null=True)
    invitation_request: fields.ForeignKeyNullableRelation[InvitationRequest] = fields.ForeignKeyField(
        "models.InvitationRequest", null=True, related_name="attempts", on_delete=fields.SET_NULL
    )
    invitation_request_id: UUID | None

    class Meta:
        table = "invitation_attempt"
