"""Where the numbers of new companies come from: a sequence, so that none is given twice, not even after a deletion."""

from tortoise import migrations

from models.migration_steps import Step, in_one_operation


class Migration(migrations.Migration):
    dependencies = [("models", "0007_addresses_to_geocode")]

    operations = [
        in_one_operation(
            Step(
                "CREATE SEQUENCE company_number AS bigint OWNED BY company.number",
                "DROP SEQUENCE company_number",
            ),
        ),
    ]
