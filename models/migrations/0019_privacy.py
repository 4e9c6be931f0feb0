"""Erased people, the statistics that old cancellations become, and an index to forget traces of access by their age.

A new table, an empty column and an index.
"""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.migration_steps import check, constraint, in_one_operation, index


class Migration(migrations.Migration):
    dependencies = [("models", "0018_operators")]

    operations = [
        ops.AddField(
            model_name="User",
            name="erased_at",
            field=fields.DatetimeField(
                null=True,
                description="everything that told who it is was deleted; the row is what kept approvals hang on",
                auto_now=False,
                auto_now_add=False,
            ),
        ),
        ops.CreateModel(
            name="CancelledApprovalStatistic",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("cancelled_month", fields.DateField(description="its first day, in Europe/Paris")),
                ("start_month", fields.DateField(description="its first day")),
                ("end_month", fields.DateField(description="its first day")),
                ("origin_siae_kind", fields.CharField(max_length=32)),
                ("origin_sender_kind", fields.CharField(max_length=32)),
                ("origin_prescriber_organization_kind", fields.CharField(max_length=32)),
                (
                    "was_announced",
                    fields.BooleanField(description="France Travail acknowledged the cancellation"),
                ),
                ("number", fields.IntField()),
            ],
            options={
                "table": "cancelled_approval_statistic",
                "app": "models",
                "pk_attr": "id",
                "table_description": "How many cancelled approvals were alike. Months and kinds only: no number, no company, no person.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            # Whatever code writes: who is erased cannot sign in, and has neither name nor address.
            check(
                "user",
                "nobody_once_erased",
                "erased_at IS NULL OR (subject IS NULL AND email IS NULL AND title IS NULL AND NOT is_active"
                " AND first_name = '' AND last_name = '' AND phone = '')",
            ),
            check("cancelled_approval_statistic", "number_positive", "number > 0"),
            constraint(
                "cancelled_approval_statistic",
                "cancelled_approval_statistic_once",
                "UNIQUE (cancelled_month, start_month, end_month, origin_siae_kind, origin_sender_kind,"
                " origin_prescriber_organization_kind, was_announced)",
            ),
            index("access_log", "by_time", "(at)"),
        ),
    ]
