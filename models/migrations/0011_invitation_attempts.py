"""What was tried at RDV-Insertion. A new table."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from models.encryption import EncryptedTextField
from models.enums import InvitationAttemptState
from models.migration_steps import check, in_one_operation, index, known_values, unique_index


class Migration(migrations.Migration):
    dependencies = [("models", "0010_webhook_inbox")]

    operations = [
        ops.CreateModel(
            name="InvitationAttempt",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "job_seeker",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="job_seeker_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="invitation_attempts",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "company",
                    fields.ForeignKeyField(
                        "models.Company",
                        source_field="company_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="invitation_attempts",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "requested_by",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="requested_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="requested_invitation_attempts",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "organisation_id",
                    fields.BigIntField(description="of the company at RDV-Solidarités, when it was asked"),
                ),
                ("reason_category", fields.CharField(max_length=64)),
                ("begun_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "state",
                    fields.CharEnumField(
                        default=InvitationAttemptState.SENDING,
                        description="SENDING: sending\nUNKNOWN: unknown\nACCEPTED: accepted\nREFUSED: refused\nNOT_SENT: not_sent\nABANDONED: abandoned",
                        enum_type=InvitationAttemptState,
                        max_length=32,
                    ),
                ),
                (
                    "answer_due_at",
                    fields.DatetimeField(
                        null=True,
                        description="while sending: who has not answered by then has died with the answer",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "held_until",
                    fields.DatetimeField(
                        null=True,
                        description="the outcome is unknown: no other attempt for these two before",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "sought",
                    EncryptedTextField(
                        null=True,
                        description="sealed JSON, e-mail and first name as they were sent; null once settled",
                    ),
                ),
                (
                    "rdv_insertion_user_id",
                    fields.BigIntField(null=True, description="once the person was found there"),
                ),
                (
                    "next_look_at",
                    fields.DatetimeField(
                        null=True,
                        description="while the outcome is unknown: when to look for it again",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("looks", fields.IntField(default=0)),
                ("http_status", fields.IntField(null=True)),
                ("code", fields.CharField(null=True, description="RDV-Insertion's, or ours", max_length=64)),
                (
                    "refusal",
                    EncryptedTextField(null=True, description="sealed JSON, RDV-Insertion's words; null after a month"),
                ),
                ("settled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "invitation_request",
                    fields.ForeignKeyField(
                        "models.InvitationRequest",
                        source_field="invitation_request_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="attempts",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
            ],
            options={
                "table": "invitation_attempt",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One call that invites somebody, from the decision to what came of it. It is never sent a second time.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            known_values(
                "invitation_attempt", "state", "sending", "unknown", "accepted", "refused", "not_sent", "abandoned"
            ),
            check(
                "invitation_attempt", "answer_due_while_sending", "(state = 'sending') = (answer_due_at IS NOT NULL)"
            ),
            check("invitation_attempt", "look_while_unknown", "(state = 'unknown') = (next_look_at IS NOT NULL)"),
            check(
                "invitation_attempt", "settled_at_the_end", "(state IN ('sending', 'unknown')) = (settled_at IS NULL)"
            ),
            check("invitation_attempt", "nobody_sought_once_settled", "settled_at IS NULL OR sought IS NULL"),
            check("invitation_attempt", "request_when_accepted", "state = 'accepted' OR invitation_request_id IS NULL"),
            # One call at a time for two of them, whatever the processes believe.
            unique_index("invitation_attempt", "one_at_a_time", "(job_seeker_id, company_id) WHERE state = 'sending'"),
            index("invitation_attempt", "open", "(job_seeker_id, company_id) WHERE settled_at IS NULL"),
            index("invitation_attempt", "unanswered", "(answer_due_at) WHERE answer_due_at IS NOT NULL"),
            index("invitation_attempt", "due", "(next_look_at) WHERE next_look_at IS NOT NULL"),
            index("invitation_attempt", "to_forget", "(begun_at) WHERE refusal IS NOT NULL"),
        ),
    ]
