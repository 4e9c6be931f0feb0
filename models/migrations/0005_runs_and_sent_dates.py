"""One run of a cron at a time, and what each attempt told France Travail. Only new, empty columns: no lock to fear."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0004_triggers")]

    operations = [
        ops.AddField(
            model_name="CronRun",
            name="lease_token",
            field=fields.UUIDField(null=True, description="the run under way"),
        ),
        ops.AddField(
            model_name="CronRun",
            name="lease_until",
            field=fields.DatetimeField(null=True, description="it is alone until then"),
        ),
        ops.AddField(
            model_name="NotificationAttempt",
            name="sent_start_at",
            field=fields.DateField(null=True, description="the dates that France Travail was to hear"),
        ),
        ops.AddField(
            model_name="NotificationAttempt",
            name="sent_end_at",
            field=fields.DateField(null=True),
        ),
    ]
