"""Addresses that are to be geocoded say so, and say it by themselves when they change. Only new, empty columns."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.migration_steps import Step, in_one_operation, index

DUE = "from when on it may be geocoded; null: nothing to do"

# Whoever writes an address need not know that it is geocoded. The score was that of the other text; the commune may be
# another one. The coordinates stay until there are better ones. A writer that moves `geocoded_at` brought them along.
MARK = """
CREATE FUNCTION address_to_geocode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.geocoding_due_at := CASE
        WHEN NEW.address_line_1 <> '' AND NEW.post_code <> '' AND NEW.city <> '' THEN clock_timestamp()
    END;
    IF TG_OP = 'UPDATE' THEN
        NEW.geocoding_score := NULL;
        IF NEW.insee_code = OLD.insee_code AND (NEW.post_code, NEW.city) IS DISTINCT FROM (OLD.post_code, OLD.city) THEN
            NEW.insee_code := '';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""
INSERTED = """
CREATE TRIGGER {table}_address_given BEFORE INSERT ON {table} FOR EACH ROW
WHEN (NEW.geocoded_at IS NULL AND NEW.address_line_1 <> '' AND NEW.post_code <> '' AND NEW.city <> '')
EXECUTE FUNCTION address_to_geocode()
"""
CHANGED = """
CREATE TRIGGER {table}_address_changed BEFORE UPDATE ON {table} FOR EACH ROW
WHEN ((NEW.address_line_1, NEW.post_code, NEW.city) IS DISTINCT FROM (OLD.address_line_1, OLD.post_code, OLD.city)
    AND NEW.geocoded_at IS NOT DISTINCT FROM OLD.geocoded_at)
EXECUTE FUNCTION address_to_geocode()
"""


def _triggers(table: str) -> tuple[Step, Step]:
    return (
        Step(INSERTED.format(table=table), f"DROP TRIGGER {table}_address_given ON {table}"),
        Step(CHANGED.format(table=table), f"DROP TRIGGER {table}_address_changed ON {table}"),
    )


class Migration(migrations.Migration):
    dependencies = [("models", "0006_certification_requests")]

    operations = [
        ops.AddField(
            model_name="Company",
            name="geocoding_due_at",
            field=fields.DatetimeField(null=True, description=DUE),
        ),
        ops.AddField(
            model_name="JobSeekerProfile",
            name="geocoding_due_at",
            field=fields.DatetimeField(null=True, description=DUE),
        ),
        in_one_operation(
            index("company", "to_geocode", "(geocoding_due_at) WHERE geocoding_due_at IS NOT NULL"),
            index("job_seeker_profile", "to_geocode", "(geocoding_due_at) WHERE geocoding_due_at IS NOT NULL"),
            Step(MARK, "DROP FUNCTION address_to_geocode()"),
            *_triggers("company"),
            *_triggers("job_seeker_profile"),
        ),
    ]
