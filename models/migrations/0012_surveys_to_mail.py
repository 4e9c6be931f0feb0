"""Surveys that are mailed unasked, and answers that name no survey. An empty column and a new table."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.enums import MailTemplate, SurveyKind
from models.migration_steps import Step, check, constraint, in_one_operation, index, known_values

_BEFORE = ("diagoriente_prescriber", "diagoriente_job_seeker")
_TEMPLATES = (*_BEFORE, "survey_employer", "survey_job_seeker", "survey_prescriber")


def _replaced(step: Step) -> Step:
    """The step taken back, then forward again on the way back."""
    return Step(step.backward, step.forward)


class Migration(migrations.Migration):
    dependencies = [("models", "0011_invitation_attempts")]

    operations = [
        ops.AddField(
            model_name="Survey",
            name="mail_due_at",
            field=fields.DatetimeField(null=True, description="from when on it is mailed unasked; null: it is not"),
        ),
        ops.AlterField(
            model_name="Mail",
            name="template",
            field=fields.CharEnumField(
                description="DIAGORIENTE_PRESCRIBER: diagoriente_prescriber\nDIAGORIENTE_JOB_SEEKER: diagoriente_job_seeker\nSURVEY_EMPLOYER: survey_employer\nSURVEY_JOB_SEEKER: survey_job_seeker\nSURVEY_PRESCRIBER: survey_prescriber",
                enum_type=MailTemplate,
                max_length=32,
            ),
        ),
        ops.CreateModel(
            name="UnlinkedSurveyAnswer",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="POST_HIRING_EMPLOYER: post_hiring_employer\nPOST_HIRING_JOB_SEEKER: post_hiring_job_seeker\nPRESCRIBER_SATISFACTION: prescriber_satisfaction",
                        enum_type=SurveyKind,
                        max_length=32,
                    ),
                ),
                ("form_id", fields.CharField(max_length=12)),
                ("submission_id", fields.CharField(max_length=64)),
                (
                    "reference",
                    fields.CharField(null=True, description="as the link said it, if it may be ours", max_length=32),
                ),
                (
                    "department",
                    fields.CharField(
                        default="", description="as the link said it: to count, not to grant", max_length=3
                    ),
                ),
                ("answered_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "unlinked_survey_answer",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A submission of one of our forms that names no survey of ours: counted, and linked if that survey appears.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            _replaced(known_values("mail", "template", *_BEFORE)),
            known_values("mail", "template", *_TEMPLATES),
            check("survey", "mail_due_while_available", "mail_due_at IS NULL OR status = 'available'"),
            index("survey", "to_mail", "(mail_due_at, id) WHERE mail_due_at IS NOT NULL"),
            index("survey", "sent", "(sent_at) WHERE sent_at IS NOT NULL"),
            index("survey", "answered", "(answered_at) WHERE answered_at IS NOT NULL"),
            index("job_application", "accepted", "(processed_at, id) WHERE state = 'accepted'"),
            constraint("unlinked_survey_answer", "unlinked_survey_answer_once", "UNIQUE (form_id, submission_id)"),
            known_values(
                "unlinked_survey_answer",
                "kind",
                "post_hiring_employer",
                "post_hiring_job_seeker",
                "prescriber_satisfaction",
            ),
            index("unlinked_survey_answer", "of_reference", "(reference) WHERE reference IS NOT NULL"),
            index("unlinked_survey_answer", "answered", "(answered_at)"),
        ),
    ]
