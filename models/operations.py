"""What operations rest on: received webhooks, traces of access, workers' heartbeats, crons, rates."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model as TortoiseModel

from models.base import Model, enum_field
from models.encryption import EncryptedTextField
from models.enums import Partner, UserKind, WebhookEventStatus


class WebhookEvent(Model):
    """A webhook that was acknowledged: stored before the 2xx, processed after, never twice."""

    source: Partner = enum_field(Partner)
    fingerprint = fields.CharField(
        max_length=64, description="SHA-256 of the verified bytes, or of the delivery's own key"
    )
    received_at: datetime = fields.DatetimeField()
    arrival: int = fields.BigIntField(unique=True, description="order of arrival")
    status: WebhookEventStatus = enum_field(WebhookEventStatus, default=WebhookEventStatus.RECEIVED)
    model = fields.CharField(max_length=64, null=True)
    event = fields.CharField(max_length=64, null=True)
    resource_id = fields.CharField(max_length=64, null=True)
    resource_at: datetime | None = fields.DatetimeField(null=True, description="the event's own time")
    event_rank: int | None = fields.SmallIntField(null=True, description="created 0, updated 1, destroyed 2")
    precedence: int = fields.SmallIntField(
        default=0,
        db_default=0,
        description="0: on its own, 1: a state that replaces earlier ones, 2: the last state there is",
    )
    partner_organisation_id: int | None = fields.BigIntField(null=True, description="whose event it is, at the partner")
    partner_user_ids: list[int] | None = ArrayField(
        "bigint", null=True, description="people it is about, by the partner's own numbers"
    )
    body = EncryptedTextField(null=True, description="sealed; null once purged")
    attempts = fields.IntField(default=0)
    error = fields.CharField(max_length=255, null=True)
    next_attempt_at: datetime | None = fields.DatetimeField(null=True)
    due_since: datetime | None = fields.DatetimeField(
        null=True, description="it became due again then; null: not since it was made"
    )
    lease_token: UUID | None = fields.UUIDField(null=True)
    lease_until: datetime | None = fields.DatetimeField(null=True)
    processed_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_event"


class AccessLog(Model):
    """Somebody read a piece of personal data that leaves a trace: who, whose, which field, when; never the value."""

    at: datetime = fields.DatetimeField()
    viewer_kind: UserKind = enum_field(UserKind)
    viewer_id: UUID = fields.UUIDField()
    organization_id: UUID | None = fields.UUIDField(null=True)
    job_seeker_id: UUID = fields.UUIDField()
    field = fields.CharField(max_length=64)
    request_id = fields.CharField(max_length=64)

    class Meta:
        table = "access_log"


class DashboardVisit(Model):
    """A signed-in user was shown a dashboard."""

    at: datetime = fields.DatetimeField()
    dashboard_id = fields.IntField()
    slug = fields.CharField(max_length=128)
    department = fields.CharField(max_length=3, null=True)
    region = fields.CharField(max_length=64, null=True)
    user_kind: UserKind = enum_field(UserKind)
    user_id: UUID = fields.UUIDField()
    organization_id: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "dashboard_visit"


class WorkerHeartbeat(Model):
    """A worker process says that it lives; one row a process, refreshed every few seconds."""

    host = fields.CharField(max_length=255)
    pid = fields.IntField()
    version = fields.CharField(max_length=32)
    queue = fields.CharField(max_length=64)
    started_at: datetime = fields.DatetimeField()
    beat_at: datetime = fields.DatetimeField()
    stopped_at: datetime | None = fields.DatetimeField(null=True, description="left in good order")
    current_jobs: list[Any] = fields.JSONField[list[Any]](
        default=list, description="names, ids and starts of what runs now"
    )

    class Meta:
        table = "worker_heartbeat"


class CronRun(TortoiseModel):
    """The last run of a cron: its age is what an alarm watches."""

    name = fields.CharField(max_length=64, primary_key=True)
    started_at: datetime = fields.DatetimeField()
    finished_at: datetime | None = fields.DatetimeField(null=True)
    succeeded = fields.BooleanField(null=True)
    summary: dict[str, Any] = fields.JSONField[dict[str, Any]](default=dict)
    lease_token: UUID | None = fields.UUIDField(null=True, description="the run under way")
    lease_until: datetime | None = fields.DatetimeField(null=True, description="it is alone until then")

    class Meta:
        table = "cron_run"


class PartnerPause(TortoiseModel):
    """A partner refused our access itself: nobody calls it before the access changes, or the pause ends."""

    partner: Partner = enum_field(Partner, primary_key=True)
    paused_at: datetime = fields.DatetimeField()
    until: datetime = fields.DatetimeField()
    access = fields.CharField(max_length=64, description="fingerprint of the settings that were refused")
    reason = fields.CharField(max_length=64, description="the partner's code")

    class Meta:
        table = "partner_pause"


class PacingGate(TortoiseModel):
    """When the next call of a rate-limited partner may leave, for all workers together."""

    key = fields.CharField(max_length=64, primary_key=True)
    next_free_at: datetime = fields.DatetimeField()

    class Meta:
        table = "pacing_gate"


class PartnerCalls(Model):
    """What one process saw of its calls to one partner within one minute: numbers, nothing of what was said."""

    process_id: UUID = fields.UUIDField()
    role = fields.CharField(max_length=16, description="what the process is: api, worker")
    partner = fields.CharField(max_length=32, description="the client's name of it: also the relay of mails")
    minute_at: datetime = fields.DatetimeField()
    written_at: datetime = fields.DatetimeField()
    outcomes: dict[str, int] = fields.JSONField[dict[str, int]](description="numbers of calls by outcome")
    durations: list[int] = ArrayField("integer", description="numbers of answered calls by class of duration")
    breakers: dict[str, str] = fields.JSONField[dict[str, str]](description="states by operation, when written")
    last_success_at: datetime | None = fields.DatetimeField(null=True)
    last_failure_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "partner_calls"
