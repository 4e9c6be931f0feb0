"""What each process saw of its partners, by the minute: for `partnerHealth` and the screens of operators."""

from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

from models.migration_steps import constraint, in_one_operation, index


class Migration(migrations.Migration):
    dependencies = [("models", "0016_partner_secrets")]

    operations = [
        ops.CreateModel(
            name="PartnerCalls",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("process_id", fields.UUIDField()),
                ("role", fields.CharField(description="what the process is: api, worker", max_length=16)),
                (
                    "partner",
                    fields.CharField(description="the client's name of it: also the relay of mails", max_length=32),
                ),
                ("minute_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("written_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "outcomes",
                    fields.JSONField(description="numbers of calls by outcome", encoder=JSON_DUMPS, decoder=loads),
                ),
                (
                    "durations",
                    ArrayField("integer", description="numbers of answered calls by class of duration"),
                ),
                (
                    "breakers",
                    fields.JSONField(
                        description="states by operation, when written", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("last_success_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_failure_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "partner_calls",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What one process saw of its calls to one partner within one minute: numbers, nothing of what was said.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            constraint("partner_calls", "partner_calls_once", "UNIQUE (process_id, partner, minute_at)"),
            # -- the window that is looked at, and what is to be forgotten
            index("partner_calls", "by_minute", "(minute_at)"),
            # -- the head of each is the last time
            index("partner_calls", "last_success", "(partner, last_success_at)"),
            index("partner_calls", "last_failure", "(partner, last_failure_at)"),
        ),
    ]
