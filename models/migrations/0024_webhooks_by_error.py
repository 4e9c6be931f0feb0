from tortoise import migrations
from tortoise.migrations.operations import RunSQL


class Migration(migrations.Migration):
    dependencies = [("models", "0023_due_since")]
    # The inbox takes webhooks meanwhile.
    atomic = False

    operations = [
        RunSQL(
            [
                # What an earlier try left half built.
                "DROP INDEX CONCURRENTLY IF EXISTS webhook_event_of_error",
                "CREATE INDEX CONCURRENTLY webhook_event_of_error ON webhook_event (error, received_at DESC, id DESC)"
                " WHERE error IS NOT NULL",
            ],
            "DROP INDEX CONCURRENTLY webhook_event_of_error",
        ),
    ]
