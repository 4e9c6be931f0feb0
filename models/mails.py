"""Mails that are to leave, and what became of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tortoise import fields

from models.base import Model, enum_field
from models.encryption import EncryptedTextField
from models.enums import MailState, MailTemplate


class Mail(Model):
    """A mail that was decided upon: written with what caused it, handed over after. Its id is its Message-ID."""

    template: MailTemplate = enum_field(MailTemplate)
    subject_id: UUID = fields.UUIDField(description="the row that the mail is about; one mail a template and row")
    recipient = EncryptedTextField(null=True, description="sealed; null once nothing is to be sent any more")
    parameters = EncryptedTextField(null=True, description="sealed JSON for the template; null like the recipient")
    state: MailState = enum_field(MailState, default=MailState.PENDING)
    attempts = fields.IntField(default=0)
    next_attempt_at: datetime | None = fields.DatetimeField(null=True, description="null: nothing is due")
    handed_over_at: datetime | None = fields.DatetimeField(
        null=True, description="its content began to leave: from then on it may have arrived"
    )
    code = fields.CharField(max_length=64, null=True, description="the relay's reply, or ours, to the last attempt")
    lease_token: UUID | None = fields.UUIDField(null=True)
    lease_until: datetime | None = fields.DatetimeField(null=True)
    sent_at: datetime | None = fields.DatetimeField(null=True)
    created_at: datetime = fields.DatetimeField()

    class Meta:
        table = "mail"
