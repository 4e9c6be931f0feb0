"""A log of approvals for subscriptions, written by the database itself; entries of both logs keep one shape."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from models.migration_steps import Step, check, in_one_operation

# Deferred to the commit: the lock that makes the numbers follow the commits (services/event_log/appending.py) is held
# for the end of a transaction only, and never while somebody waits for a row. A status that the transaction itself
# replaced again, nobody can have seen; a row that it deleted has no reader.
LOG_APPROVAL = """
CREATE FUNCTION approval_log_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('approval_event', 0));
    INSERT INTO approval_event (occurred_at, approval_id)
        SELECT clock_timestamp(), id FROM approval
        WHERE id = NEW.id AND pe_notification_status = NEW.pe_notification_status;
    PERFORM pg_notify('event_log', '');
    RETURN NULL;
END $$
"""
# No `OF pe_notification_status`: the trigger that re-arms sets it in statements that do not name it.
LOG_APPROVAL_TRIGGER = """
CREATE CONSTRAINT TRIGGER approval_log_notification AFTER UPDATE ON approval
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (NEW.pe_notification_status IS DISTINCT FROM OLD.pe_notification_status)
EXECUTE FUNCTION approval_log_notification()
"""
# A cancelled approval is spoken for by the announcement of its cancellation, from the moment there is one.
LOG_CANCELLATION = """
CREATE FUNCTION cancelled_approval_log_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('approval_event', 0));
    INSERT INTO approval_event (occurred_at, approval_id)
        SELECT clock_timestamp(), approval_id FROM cancelled_approval
        WHERE id = NEW.id AND approval_id IS NOT NULL AND pe_notification_status = NEW.pe_notification_status;
    PERFORM pg_notify('event_log', '');
    RETURN NULL;
END $$
"""
LOG_CANCELLATION_MADE = """
CREATE CONSTRAINT TRIGGER cancelled_approval_log_made AFTER INSERT ON cancelled_approval
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (NEW.approval_id IS NOT NULL)
EXECUTE FUNCTION cancelled_approval_log_notification()
"""
LOG_CANCELLATION_TRIGGER = """
CREATE CONSTRAINT TRIGGER cancelled_approval_log_notification AFTER UPDATE ON cancelled_approval
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (NEW.approval_id IS NOT NULL AND NEW.pe_notification_status IS DISTINCT FROM OLD.pe_notification_status)
EXECUTE FUNCTION cancelled_approval_log_notification()
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0012_surveys_to_mail")]

    operations = [
        ops.CreateModel(
            name="ApprovalEvent",
            fields=[
                ("position", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "approval",
                    fields.ForeignKeyField(
                        "models.Approval",
                        source_field="approval_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="events",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
            ],
            options={
                "table": "approval_event",
                "app": "models",
                "pk_attr": "position",
                "table_description": "The log of approvals whose notification has another status. Written by triggers, at the commit, for everybody.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EventStream",
            fields=[
                (
                    "name",
                    fields.CharField(
                        primary_key=True,
                        unique=True,
                        db_index=True,
                        description="the table of its entries",
                        max_length=64,
                    ),
                ),
                ("epoch", fields.UUIDField(default=uuid4)),
                ("purged_through", fields.BigIntField(default=0, db_default=0)),
            ],
            options={
                "table": "event_stream",
                "app": "models",
                "pk_attr": "name",
                "table_description": "One log as its readers know it: which one it is, and up to where its entries were deleted by age.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            check(
                "appointment_event",
                "what_changed",
                "CASE WHEN kind IS NOT NULL THEN num_nonnulls(participation_id, previous_status, status) = 0"
                " ELSE num_nonnulls(participation_id, status) = 2 END",
            ),
            Step(LOG_APPROVAL, "DROP FUNCTION approval_log_notification()"),
            Step(LOG_APPROVAL_TRIGGER, "DROP TRIGGER approval_log_notification ON approval"),
            Step(LOG_CANCELLATION, "DROP FUNCTION cancelled_approval_log_notification()"),
            Step(LOG_CANCELLATION_MADE, "DROP TRIGGER cancelled_approval_log_made ON cancelled_approval"),
            Step(LOG_CANCELLATION_TRIGGER, "DROP TRIGGER cancelled_approval_log_notification ON cancelled_approval"),
        ),
    ]
