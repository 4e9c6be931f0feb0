"""What operators do: the record of each action, pauses and alarms that they end for a while, runs over many rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model as TortoiseModel

from models.base import Model, enum_field
from models.enums import AuditAction, OperationKind, OperationState


class AuditEntry(Model):
    """Somebody did something: who, when, to what, what it was before and after. Nothing personal, and never changed."""

    at: datetime = fields.DatetimeField()
    actor_id: UUID = fields.UUIDField(description="a user; kept when that one is gone")
    action: AuditAction = enum_field(AuditAction)
    subject_type = fields.CharField(max_length=32)
    subject_id = fields.CharField(max_length=64)
    before: dict[str, Any] | None = fields.JSONField[dict[str, Any]](null=True)
    after: dict[str, Any] | None = fields.JSONField[dict[str, Any]](null=True)
    reason = fields.CharField(max_length=300, default="")
    run_id: UUID | None = fields.UUIDField(null=True, description="the run that did it, of one that takes many rows")

    class Meta:
        table = "audit_entry"


class ManualPause(TortoiseModel):
    """An operator stopped a kind of work, or all work with a partner, until somebody resumes it."""

    target = fields.CharField(max_length=64, primary_key=True, description="queue:… or partner:…")
    paused_at: datetime = fields.DatetimeField()
    author_id: UUID = fields.UUIDField()
    reason = fields.CharField(max_length=300)

    class Meta:
        table = "manual_pause"


class SilencedAlarm(TortoiseModel):
    """An operator knows why a partner sends none of a kind of webhook: no alarm is given for it until then."""

    target = fields.CharField(max_length=64, primary_key=True, description="source:model of the webhooks")
    silenced_at: datetime = fields.DatetimeField()
    until: datetime = fields.DatetimeField()
    author_id: UUID = fields.UUIDField()
    reason = fields.CharField(max_length=300)

    class Meta:
        table = "silenced_alarm"


class OperationRun(Model):
    """An action on everything that matched a filter when it was confirmed; its rows wait in operation_run_item."""

    kind: OperationKind = enum_field(OperationKind)
    criteria: dict[str, Any] = fields.JSONField[dict[str, Any]]()
    author_id: UUID = fields.UUIDField()
    reason = fields.CharField(max_length=300)
    state: OperationState = enum_field(OperationState, default=OperationState.WAITING)
    total = fields.IntField(description="rows that matched")
    changed = fields.IntField(default=0)
    skipped = fields.IntField(default=0, description="did not match any more, or were being worked at")
    failures = fields.IntField(default=0, description="batches that broke, one after the other")
    error_class = fields.CharField(max_length=64, null=True)
    created_at: datetime = fields.DatetimeField()
    started_at: datetime | None = fields.DatetimeField(null=True)
    finished_at: datetime | None = fields.DatetimeField(null=True)
    next_attempt_at: datetime | None = fields.DatetimeField(null=True, description="null: nothing is left to do")
    lease_token: UUID | None = fields.UUIDField(null=True)
    lease_until: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "operation_run"


class OperationRunItem(Model):
    """A row that a run has still to look at. Deleted in the transaction that deals with it: what is left is to do."""

    run: fields.ForeignKeyRelation[OperationRun] = fields.ForeignKeyField(
        "models.OperationRun", related_name="items", on_delete=fields.CASCADE
    )
    run_id: UUID
    subject_type = fields.CharField(max_length=32)
    subject_id: UUID = fields.UUIDField()

    class Meta:
        table = "operation_run_item"
