from tortoise import migrations
from tortoise.migrations.operations import RunSQL

BUILD = (
    "DROP INDEX CONCURRENTLY IF EXISTS {name}",
    "CREATE INDEX CONCURRENTLY {name} ON webhook_event (received_at) INCLUDE ({columns})",
)
DROP = "DROP INDEX CONCURRENTLY {name}"
BEFORE = {"name": "webhook_event_figures", "columns": "source, status, processed_at"}
AFTER = {"name": "webhook_event_timings", "columns": "source, status, processed_at, due_since"}


class Migration(migrations.Migration):
    dependencies = [("models", "0024_webhooks_by_error")]
    # The inbox takes webhooks meanwhile.
    atomic = False

    operations = [
        RunSQL(
            [*(step.format(**AFTER) for step in BUILD), DROP.format(**BEFORE)],
            [*(step.format(**BEFORE) for step in BUILD), DROP.format(**AFTER)],
        ),
    ]
