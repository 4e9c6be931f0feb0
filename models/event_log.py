"""What subscriptions read besides the log of appointments: the log of approvals, and how far back each log goes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from tortoise import fields
from tortoise.models import Model as TortoiseModel

from models.approvals import Approval

# An empty notification on it says that a log has grown. Migrations name it too.
CHANNEL = "event_log"


class ApprovalEvent(TortoiseModel):
    """The log of approvals whose notification has another status. Written by triggers, at the commit, for everybody."""

    position: int = fields.BigIntField(primary_key=True)
    occurred_at: datetime = fields.DatetimeField()
    approval: fields.ForeignKeyRelation[Approval] = fields.ForeignKeyField(
        "models.Approval", related_name="events", on_delete=fields.CASCADE
    )
    approval_id: UUID

    class Meta:
        table = "approval_event"

    def __str__(self) -> str:
        return f"ApprovalEvent({self.position})"


class EventStream(TortoiseModel):
    """One log as its readers know it: which one it is, and up to where its entries were deleted by age."""

    name = fields.CharField(max_length=64, primary_key=True, description="the table of its entries")
    # Positions of another database, or of this one before it was reset, mean nothing here.
    epoch: UUID = fields.UUIDField(default=uuid4)
    purged_through: int = fields.BigIntField(default=0, db_default=0)

    class Meta:
        table = "event_stream"

    def __str__(self) -> str:
        return f"EventStream({self.name})"
