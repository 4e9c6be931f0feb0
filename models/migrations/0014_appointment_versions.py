"""Which event of RDV-Insertion a row shows: of appointments that have no row as well, of places and of parts.

A new table and empty columns. A row without a version is older than every event.
"""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.migration_steps import check, in_one_operation


def _version_fields(model: str) -> list[ops.AddField]:
    return [
        ops.AddField(
            model_name=model,
            name="applied_event_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name=model,
            name="applied_event_rank",
            field=fields.SmallIntField(null=True, description="created 0, updated 1, destroyed 2"),
        ),
        ops.AddField(
            model_name=model, name="applied_event_fingerprint", field=fields.CharField(null=True, max_length=64)
        ),
    ]


# An order is told whole or not at all.
_WHOLE = "num_nulls(applied_event_at, applied_event_rank, applied_event_fingerprint) IN (0, 3)"


class Migration(migrations.Migration):
    dependencies = [("models", "0013_event_logs")]

    operations = [
        ops.CreateModel(
            name="AppointmentVersion",
            fields=[
                ("applied_event_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "applied_event_rank",
                    fields.SmallIntField(null=True, description="created 0, updated 1, destroyed 2"),
                ),
                ("applied_event_fingerprint", fields.CharField(null=True, max_length=64)),
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("rdv_insertion_id", fields.BigIntField(unique=True)),
                (
                    "organisation_id",
                    fields.BigIntField(null=True, description="at RDV-Solidarités, once an event told it"),
                ),
                (
                    "destroyed_at",
                    fields.DatetimeField(null=True, description="final", auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "appointment_version",
                "app": "models",
                "pk_attr": "id",
                "table_description": "The newest event known of an appointment at RDV-Insertion, whether or not we follow it. Kept for ever.",
            },
            bases=["SourceVersionMixin", "Model"],
        ),
        *_version_fields("Location"),
        *_version_fields("Participation"),
        in_one_operation(
            check(
                "appointment_version",
                "of_an_event",
                "num_nulls(applied_event_at, applied_event_rank, applied_event_fingerprint) = 0",
            ),
            check("location", "version_whole", _WHOLE),
            check("participation", "version_whole", _WHOLE),
        ),
    ]
