"""What machine clients sign in with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tortoise import fields

from models.base import Model
from models.organizations import PartnerClient


class PartnerSecret(Model):
    """A secret of a machine client: its fingerprint alone. Several may be valid, so that one can replace another."""

    partner_client: fields.ForeignKeyRelation[PartnerClient] = fields.ForeignKeyField(
        "models.PartnerClient", related_name="secrets", on_delete=fields.CASCADE
    )
    partner_client_id: UUID
    digest = fields.CharField(max_length=64, unique=True, description="SHA-256 of 256 random bits")
    created_at: datetime = fields.DatetimeField()
    expires_at: datetime | None = fields.DatetimeField(
        null=True, description="replaced by another one; null: it is not"
    )
    last_used_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "partner_secret"
