"""Since when a row is due again: who retries or replays an old one has not let it wait. Only new, empty columns."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.migration_steps import Step, in_one_operation

DUE_SINCE = "it became due again then; null: not since it was made"

# Named so that it comes after `approval_rearm_notification`: triggers of one event run in the order of their names.
NOTE = """
CREATE FUNCTION note_due_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.due_since := clock_timestamp();
    RETURN NEW;
END $$
"""
BECAME = """
CREATE TRIGGER {table}_status_due BEFORE UPDATE ON {table} FOR EACH ROW
WHEN (NEW.{column} = '{due}' AND OLD.{column} <> '{due}')
EXECUTE FUNCTION note_due_since()
"""


def _trigger(table: str, column: str, due: str) -> Step:
    return Step(
        BECAME.format(table=table, column=column, due=due),
        f"DROP TRIGGER {table}_status_due ON {table}",
    )


def _column(model: str) -> ops.AddField:
    return ops.AddField(
        model_name=model, name="due_since", field=fields.DatetimeField(null=True, description=DUE_SINCE)
    )


class Migration(migrations.Migration):
    dependencies = [("models", "0022_silenced_alarms")]

    operations = [
        _column("Approval"),
        _column("CancelledApproval"),
        _column("WebhookEvent"),
        in_one_operation(
            Step(NOTE, "DROP FUNCTION note_due_since()"),
            _trigger("approval", "pe_notification_status", "notification_ready"),
            _trigger("cancelled_approval", "pe_notification_status", "notification_ready"),
            _trigger("webhook_event", "status", "received"),
        ),
    ]
