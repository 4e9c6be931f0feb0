"""What machine clients sign in with. A new table."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from models.migration_steps import check, in_one_operation, index


class Migration(migrations.Migration):
    dependencies = [("models", "0015_invitations_found_late")]

    operations = [
        ops.CreateModel(
            name="PartnerSecret",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "partner_client",
                    fields.ForeignKeyField(
                        "models.PartnerClient",
                        source_field="partner_client_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="secrets",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("digest", fields.CharField(unique=True, description="SHA-256 of 256 random bits", max_length=64)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "expires_at",
                    fields.DatetimeField(
                        null=True,
                        description="replaced by another one; null: it is not",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("last_used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "partner_secret",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A secret of a machine client: its fingerprint alone. Several may be valid, so that one can replace another.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            check("partner_secret", "digest_form", "digest ~ '^[0-9a-f]{64}$'"),
            index("partner_secret", "of_client", "(partner_client_id)"),
        ),
    ]
