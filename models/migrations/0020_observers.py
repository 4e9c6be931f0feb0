"""Staff who may look at operations without acting on them. A column with a default, which older code may leave out."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.migration_steps import Step, check, in_one_operation


class Migration(migrations.Migration):
    dependencies = [("models", "0019_privacy")]

    operations = [
        ops.AddField(
            model_name="User",
            name="is_observer",
            field=fields.BooleanField(
                default=False,
                db_default=False,
                description="staff only: may look at operations, as operators may anyway",
            ),
        ),
        in_one_operation(
            Step(
                'ALTER TABLE "user" DROP CONSTRAINT user_staff_rights',
                'ALTER TABLE "user" ADD CONSTRAINT user_staff_rights'
                " CHECK (kind = 'staff' OR NOT (is_operator OR may_read_full_nir))",
            ),
            check("user", "staff_rights", "kind = 'staff' OR NOT (is_observer OR is_operator OR may_read_full_nir)"),
        ),
    ]
