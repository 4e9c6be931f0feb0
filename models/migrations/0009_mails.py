"""Mails that are to leave. A new table."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.encryption import EncryptedTextField
from models.enums import MailState, MailTemplate
from models.migration_steps import check, constraint, in_one_operation, index, known_values


class Migration(migrations.Migration):
    dependencies = [("models", "0008_company_numbers")]

    operations = [
        ops.CreateModel(
            name="Mail",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "template",
                    fields.CharEnumField(
                        description="DIAGORIENTE_PRESCRIBER: diagoriente_prescriber\nDIAGORIENTE_JOB_SEEKER: diagoriente_job_seeker",
                        enum_type=MailTemplate,
                        max_length=32,
                    ),
                ),
                (
                    "subject_id",
                    fields.UUIDField(description="the row that the mail is about; one mail a template and row"),
                ),
                (
                    "recipient",
                    EncryptedTextField(null=True, description="sealed; null once nothing is to be sent any more"),
                ),
                (
                    "parameters",
                    EncryptedTextField(null=True, description="sealed JSON for the template; null like the recipient"),
                ),
                (
                    "state",
                    fields.CharEnumField(
                        default=MailState.PENDING,
                        description="PENDING: pending\nSENT: sent\nUNCONFIRMED: unconfirmed\nFAILED: failed",
                        enum_type=MailState,
                        max_length=32,
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                (
                    "next_attempt_at",
                    fields.DatetimeField(
                        null=True, description="null: nothing is due", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "handed_over_at",
                    fields.DatetimeField(
                        null=True,
                        description="its content began to leave: from then on it may have arrived",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "code",
                    fields.CharField(
                        null=True, description="the relay's reply, or ours, to the last attempt", max_length=64
                    ),
                ),
                ("lease_token", fields.UUIDField(null=True)),
                ("lease_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("sent_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "mail",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A mail that was decided upon: written with what caused it, handed over after. Its id is its Message-ID.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            constraint("mail", "mail_once", "UNIQUE (template, subject_id)"),
            check("mail", "lease_pair", "(lease_token IS NULL) = (lease_until IS NULL)"),
            check("mail", "due_while_pending", "(state = 'pending') = (next_attempt_at IS NOT NULL)"),
            check("mail", "sent_when_sent", "(state = 'sent') = (sent_at IS NOT NULL)"),
            check(
                "mail",
                "content_while_pending",
                "(state = 'pending') = (recipient IS NOT NULL) AND (state = 'pending') = (parameters IS NOT NULL)",
            ),
            known_values("mail", "template", "diagoriente_prescriber", "diagoriente_job_seeker"),
            known_values("mail", "state", "pending", "sent", "unconfirmed", "failed"),
            index("mail", "due", "(next_attempt_at) WHERE next_attempt_at IS NOT NULL"),
        ),
    ]
