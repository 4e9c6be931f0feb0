"""Alarms on the silence of a partner that operators end for a while. A new table, and two actions more."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.enums import AuditAction
from models.migration_steps import Step, check, in_one_operation, known_values

_ACTIONS = (
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
)
_BEFORE = known_values("audit_entry", "action", *_ACTIONS)


class Migration(migrations.Migration):
    dependencies = [("models", "0021_communes")]

    operations = [
        ops.AlterField(
            model_name="AuditEntry",
            name="action",
            field=fields.CharEnumField(
                description="SIGNED_IN: signed_in\nSIGNED_OUT: signed_out\nNOTIFICATION_RETRIED: notification_retried\nWEBHOOK_REPLAYED: webhook_replayed\nWEBHOOK_REVEALED: webhook_revealed\nRUN_BEGUN: run_begun\nRUN_CANCELLED: run_cancelled\nPAUSED: paused\nRESUMED: resumed\nPARTNER_RETRIED: partner_retried\nALARM_SILENCED: alarm_silenced\nALARM_RESTORED: alarm_restored",
                enum_type=AuditAction,
                max_length=32,
            ),
        ),
        ops.CreateModel(
            name="SilencedAlarm",
            fields=[
                (
                    "target",
                    fields.CharField(
                        primary_key=True,
                        description="source:model of the webhooks",
                        unique=True,
                        db_index=True,
                        max_length=64,
                    ),
                ),
                ("silenced_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("until", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("author_id", fields.UUIDField()),
                ("reason", fields.CharField(max_length=300)),
            ],
            options={
                "table": "silenced_alarm",
                "app": "models",
                "pk_attr": "target",
                "table_description": "An operator knows why a partner sends none of a kind of webhook: no alarm is given for it until then.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            # Back as well: what was recorded meanwhile stays, so the older rule holds for new rows alone.
            Step(_BEFORE.backward, f"{_BEFORE.forward} NOT VALID"),
            known_values("audit_entry", "action", *_ACTIONS, "alarm_silenced", "alarm_restored"),
            check("silenced_alarm", "target_form", "target ~ '^[a-z_]+:[a-z_]+$'"),
            check("silenced_alarm", "ends_after_it_begins", "until > silenced_at"),
            check("silenced_alarm", "reason_given", "trim(reason) <> ''"),
        ),
    ]
