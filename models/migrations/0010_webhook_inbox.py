"""What orders, groups and finds webhook events, as columns; and what their states mean, as constraints.

New columns are empty on old rows, which nothing processed yet: the doors open with this release.
"""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops

from models.migration_steps import Step, check, in_one_operation, index


class Migration(migrations.Migration):
    dependencies = [("models", "0009_mails")]

    operations = [
        ops.AddField(
            model_name="WebhookEvent",
            name="event_rank",
            field=fields.SmallIntField(null=True, description="created 0, updated 1, destroyed 2"),
        ),
        ops.AddField(
            model_name="WebhookEvent",
            name="precedence",
            field=fields.SmallIntField(
                default=0,
                db_default=0,
                description="0: on its own, 1: a state that replaces earlier ones, 2: the last state there is",
            ),
        ),
        ops.AddField(
            model_name="WebhookEvent",
            name="partner_organisation_id",
            field=fields.BigIntField(null=True, description="whose event it is, at the partner"),
        ),
        ops.AddField(
            model_name="WebhookEvent",
            name="partner_user_ids",
            field=ArrayField("bigint", null=True, description="people it is about, by the partner's own numbers"),
        ),
        in_one_operation(
            check("webhook_event", "unsettled_while_received", "(status = 'received') = (processed_at IS NULL)"),
            check(
                "webhook_event",
                "complete_while_received",
                "status <> 'received' OR (body IS NOT NULL AND model IS NOT NULL AND resource_id IS NOT NULL)",
            ),
            check("webhook_event", "lease_while_received", "status = 'received' OR lease_token IS NULL"),
            check("webhook_event", "due_while_received", "status = 'received' OR next_attempt_at IS NULL"),
            check("webhook_event", "precedence_in_range", "precedence BETWEEN 0 AND 2"),
            check(
                "webhook_event",
                "order_of_states",
                "precedence = 0 OR (resource_id IS NOT NULL AND resource_at IS NOT NULL AND event_rank IS NOT NULL)",
            ),
            Step(
                "DROP INDEX webhook_event_to_process",
                "CREATE INDEX webhook_event_to_process ON webhook_event (arrival)"
                " WHERE status IN ('received', 'failed')",
            ),
            # -- claims; bodies to purge; what was received last of each kind
            index("webhook_event", "to_process", "(arrival) WHERE status = 'received'"),
            index("webhook_event", "to_purge", "(received_at) WHERE body IS NOT NULL"),
            index("webhook_event", "latest", "(source, model, received_at DESC)"),
            # -- whom an event waits for: the people of an organisation, and what is still unmatched
            index("webhook_event", "of_users", "USING gin (partner_user_ids)"),
            index("webhook_event", "of_organisation", "(partner_organisation_id)"),
            index("webhook_event", "unmatched", "(processed_at) WHERE status = 'unmatched'"),
            index("invitation_request", "recent", "(created_at)"),
        ),
    ]
