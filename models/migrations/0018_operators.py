"""What operators do, and the indexes that their lists and figures stand on. New tables; indexes alone on old ones."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from models.enums import AuditAction, OperationKind, OperationState
from models.migration_steps import check, in_one_operation, index, known_values


class Migration(migrations.Migration):
    dependencies = [("models", "0017_partner_calls")]

    operations = [
        ops.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("actor_id", fields.UUIDField(description="a user; kept when that one is gone")),
                (
                    "action",
                    fields.CharEnumField(
                        description="SIGNED_IN: signed_in\nSIGNED_OUT: signed_out\nNOTIFICATION_RETRIED: notification_retried\nWEBHOOK_REPLAYED: webhook_replayed\nWEBHOOK_REVEALED: webhook_revealed\nRUN_BEGUN: run_begun\nRUN_CANCELLED: run_cancelled\nPAUSED: paused\nRESUMED: resumed\nPARTNER_RETRIED: partner_retried",
                        enum_type=AuditAction,
                        max_length=32,
                    ),
                ),
                ("subject_type", fields.CharField(max_length=32)),
                ("subject_id", fields.CharField(max_length=64)),
                ("before", fields.JSONField(null=True)),
                ("after", fields.JSONField(null=True)),
                ("reason", fields.CharField(default="", max_length=300)),
                ("run_id", fields.UUIDField(null=True, description="the run that did it, of one that takes many rows")),
            ],
            options={
                "table": "audit_entry",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Somebody did something: who, when, to what, what it was before and after. Nothing personal, and never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ManualPause",
            fields=[
                (
                    "target",
                    fields.CharField(
                        primary_key=True, description="queue:… or partner:…", unique=True, db_index=True, max_length=64
                    ),
                ),
                ("paused_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("author_id", fields.UUIDField()),
                ("reason", fields.CharField(max_length=300)),
            ],
            options={
                "table": "manual_pause",
                "app": "models",
                "pk_attr": "target",
                "table_description": "An operator stopped a kind of work, or all work with a partner, until somebody resumes it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OperationRun",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="RETRY_NOTIFICATIONS: retry_notifications\nREPLAY_WEBHOOKS: replay_webhooks",
                        enum_type=OperationKind,
                        max_length=32,
                    ),
                ),
                ("criteria", fields.JSONField()),
                ("author_id", fields.UUIDField()),
                ("reason", fields.CharField(max_length=300)),
                (
                    "state",
                    fields.CharEnumField(
                        default=OperationState.WAITING,
                        description="WAITING: waiting\nRUNNING: running\nFINISHED: finished\nCANCELLED: cancelled\nFAILED: failed",
                        enum_type=OperationState,
                        max_length=32,
                    ),
                ),
                ("total", fields.IntField(description="rows that matched")),
                ("changed", fields.IntField(default=0)),
                ("skipped", fields.IntField(default=0, description="did not match any more, or were being worked at")),
                ("failures", fields.IntField(default=0, description="batches that broke, one after the other")),
                ("error_class", fields.CharField(null=True, max_length=64)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("started_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("finished_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "next_attempt_at",
                    fields.DatetimeField(
                        null=True, description="null: nothing is left to do", auto_now=False, auto_now_add=False
                    ),
                ),
                ("lease_token", fields.UUIDField(null=True)),
                ("lease_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "operation_run",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An action on everything that matched a filter when it was confirmed; its rows wait in operation_run_item.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OperationRunItem",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "run",
                    fields.ForeignKeyField(
                        "models.OperationRun",
                        source_field="run_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="items",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("subject_type", fields.CharField(max_length=32)),
                ("subject_id", fields.UUIDField()),
            ],
            options={
                "table": "operation_run_item",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A row that a run has still to look at. Deleted in the transaction that deals with it: what is left is to do.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            known_values(
                "audit_entry",
                "action",
                "signed_in",
                "signed_out",
                "notification_retried",
                "webhook_replayed",
                "webhook_revealed",
                "run_begun",
                "run_cancelled",
                "paused",
                "resumed",
                "partner_retried",
            ),
            check("manual_pause", "target_form", "target ~ '^(queue|partner):[a-z_]+$'"),
            check("manual_pause", "reason_given", "trim(reason) <> ''"),
            known_values("operation_run", "kind", "retry_notifications", "replay_webhooks"),
            known_values("operation_run", "state", "waiting", "running", "finished", "cancelled", "failed"),
            check("operation_run", "lease_pair", "(lease_token IS NULL) = (lease_until IS NULL)"),
            check(
                "operation_run",
                "due_while_open",
                "(state IN ('waiting', 'running')) = (next_attempt_at IS NOT NULL)"
                " AND (state IN ('waiting', 'running')) = (finished_at IS NULL)",
            ),
            check(
                "operation_run", "counts", "total >= 0 AND changed >= 0 AND skipped >= 0 AND changed + skipped <= total"
            ),
            # -- the record of actions: newest first, of an action, of a person, of a row
            index("audit_entry", "newest", "(at DESC, id DESC)"),
            index("audit_entry", "of_action", "(action, at DESC, id DESC)"),
            index("audit_entry", "of_actor", "(actor_id, at DESC, id DESC)"),
            index("audit_entry", "of_subject", "(subject_id, at DESC, id DESC)"),
            index("audit_entry", "of_run", "(run_id, at DESC, id DESC) WHERE run_id IS NOT NULL"),
            index("operation_run", "newest", "(created_at DESC, id DESC)"),
            index("operation_run", "due", "(next_attempt_at) WHERE next_attempt_at IS NOT NULL"),
            index("operation_run_item", "of_run", "(run_id, id)"),
            # -- lists by last activity, and what is due the longest
            index(
                "approval",
                "by_activity",
                "(coalesce(pe_notification_time, created_at) DESC, id DESC) WHERE cancelled_at IS NULL",
            ),
            index(
                "approval",
                "status_by_activity",
                "(pe_notification_status, coalesce(pe_notification_time, created_at) DESC, id DESC)"
                " WHERE cancelled_at IS NULL",
            ),
            index(
                "approval",
                "code_by_activity",
                "(pe_notification_exit_code, pe_notification_status, coalesce(pe_notification_time, created_at) DESC,"
                " id DESC) WHERE cancelled_at IS NULL AND pe_notification_exit_code IS NOT NULL",
            ),
            index("cancelled_approval", "by_activity", "(coalesce(pe_notification_time, created_at) DESC, id DESC)"),
            index(
                "cancelled_approval",
                "status_by_activity",
                "(pe_notification_status, coalesce(pe_notification_time, created_at) DESC, id DESC)",
            ),
            # -- figures over time, from the index alone
            index(
                "notification_attempt",
                "figures",
                "(started_at) INCLUDE (outcome, endpoint, finished_at, duration_ms)",
            ),
            index("webhook_event", "figures", "(received_at) INCLUDE (source, status, processed_at)"),
            # -- lists of webhooks by state, source and resource
            index("webhook_event", "of_status", "(status, received_at DESC, id DESC)"),
            index("webhook_event", "of_source", "(source, status, received_at DESC, id DESC)"),
            index("webhook_event", "of_resource_id", "(resource_id, received_at DESC, id DESC)"),
            # -- lists of mails, surveys and questions
            index("mail", "newest", "(created_at DESC, id DESC)"),
            index("mail", "of_state", "(state, created_at DESC, id DESC)"),
            index("survey", "of_status", "(status, created_at DESC, id DESC)"),
            index("certification_request", "newest", "(created_at DESC, id DESC)"),
            index("certification_request", "of_outcome", "(outcome, created_at DESC, id DESC)"),
        ),
    ]
