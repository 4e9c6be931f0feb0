"""The communes of France, copied from API Géo, with the indexes that searches of them stand on. A new table."""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops

from models.migration_steps import check, in_one_operation, index


class Migration(migrations.Migration):
    dependencies = [("models", "0020_observers")]

    operations = [
        ops.CreateModel(
            name="Commune",
            fields=[
                ("insee_code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=5)),
                ("name", fields.CharField(max_length=100)),
                (
                    "search_name",
                    fields.CharField(description="what search_text() makes of the name", max_length=100),
                ),
                (
                    "post_codes",
                    ArrayField("text", description="several communes share one, and a commune may have several"),
                ),
                ("epci_code", fields.CharField(null=True, max_length=9)),
                (
                    "parent_code",
                    fields.CharField(null=True, description="of an arrondissement: its commune", max_length=5),
                ),
                (
                    "former_codes",
                    ArrayField("text", description="of the communes that were merged into this one"),
                ),
                ("population", fields.IntField(null=True)),
                ("latitude", fields.FloatField(null=True)),
                ("longitude", fields.FloatField(null=True)),
                (
                    "is_manual",
                    fields.BooleanField(
                        default=False,
                        db_default=False,
                        description="corrected by hand: no synchronisation touches it",
                    ),
                ),
                (
                    "updated_at",
                    fields.DatetimeField(
                        description="when what is said here last changed", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "removed_at",
                    fields.DatetimeField(
                        null=True,
                        description="since when API Géo does not list it",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "commune",
                "app": "models",
                "pk_attr": "insee_code",
                "table_description": "A commune, or an arrondissement of Paris, Lyon or Marseille, under its INSEE code. No row is ever deleted.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            check("commune", "insee_code_form", r"insee_code ~ '^([0-9]{5}|2[AB][0-9]{3})$'"),
            check("commune", "name_given", "trim(name) <> '' AND search_name <> ''"),
            check(
                "commune",
                "position",
                "(latitude IS NULL) = (longitude IS NULL)"
                " AND latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180",
            ),
            # -- the beginning of a name; then names that resemble it; pg_trgm is there since the first indexes
            index("commune", "by_name", "(search_name text_pattern_ops) WHERE removed_at IS NULL"),
            index("commune", "by_similar_name", "USING gin (search_name gin_trgm_ops) WHERE removed_at IS NULL"),
            index("commune", "by_post_code", "USING gin (post_codes) WHERE removed_at IS NULL"),
            index("commune", "by_former_code", "USING gin (former_codes)"),
        ),
    ]
