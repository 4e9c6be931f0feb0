"""Invitations that were found late are looked at once more for a while: an index for just those."""

from tortoise import migrations

from models.migration_steps import in_one_operation, index


class Migration(migrations.Migration):
    dependencies = [("models", "0014_appointment_versions")]

    operations = [
        in_one_operation(index("invitation_attempt", "found", "(settled_at) WHERE code = 'found'")),
    ]
