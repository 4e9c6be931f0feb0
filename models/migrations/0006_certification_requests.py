"""What API Particulier is asked about people, with its answers, and partners that nobody calls for a while. New tables."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from models.enums import CertificationResult, Partner
from models.migration_steps import check, in_one_operation, index, known_values


class Migration(migrations.Migration):
    dependencies = [("models", "0005_runs_and_sent_dates")]

    operations = [
        ops.CreateModel(
            name="CertificationRequest",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "job_seeker",
                    fields.OneToOneField(
                        "models.User",
                        source_field="job_seeker_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="certification_request",
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
                        related_name="certification_requests",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "series_began_at",
                    fields.DatetimeField(
                        description="asked for, or taken up again by the nightly run",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("retries", fields.IntField(default=0, description="of this series, by our own timetable")),
                ("last_attempt_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "next_attempt_at",
                    fields.DatetimeField(
                        null=True, description="null: nothing is due", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "outcome",
                    fields.CharEnumField(
                        null=True,
                        description="CERTIFIED: certified\nIDENTITY_ONLY: identity_only\nIDENTITY_NOT_FOUND: identity_not_found\nPROVIDER_UNKNOWN: provider_unknown\nRETRYABLE: retryable\nCONFIG_ERROR: config_error",
                        enum_type=CertificationResult,
                        max_length=32,
                    ),
                ),
                (
                    "answered_at",
                    fields.DatetimeField(
                        null=True, description="a definite answer came", auto_now=False, auto_now_add=False
                    ),
                ),
                ("http_status", fields.IntField(null=True)),
                (
                    "code",
                    fields.CharField(
                        null=True, description="API Particulier's own, or one of the client's", max_length=32
                    ),
                ),
                ("provider", fields.CharField(null=True, description="whom API Particulier asked", max_length=64)),
                (
                    "partner_request_id",
                    fields.CharField(null=True, description="what their support asks for", max_length=64),
                ),
                ("is_beneficiary", fields.BooleanField(null=True, description="of RSA on the day of the answer")),
                ("has_increase", fields.BooleanField(null=True)),
                ("benefit_started_on", fields.DateField(null=True)),
                ("lease_token", fields.UUIDField(null=True)),
                ("lease_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "certification_request",
                "app": "models",
                "pk_attr": "id",
                "table_description": "API Particulier was, or is to be, asked about a person who agreed. One row a person; never what was asked.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PartnerPause",
            fields=[
                (
                    "partner",
                    fields.CharEnumField(
                        primary_key=True,
                        unique=True,
                        db_index=True,
                        description="FRANCE_TRAVAIL: france_travail\nAPI_PARTICULIER: api_particulier\nBAN: ban\nAPI_GEO: api_geo\nSIRENE: sirene\nDATA_INCLUSION: data_inclusion\nRDV_INSERTION: rdv_insertion\nDIAGORIENTE: diagoriente\nTALLY: tally\nMETABASE: metabase",
                        enum_type=Partner,
                        max_length=32,
                    ),
                ),
                ("paused_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("until", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "access",
                    fields.CharField(description="fingerprint of the settings that were refused", max_length=64),
                ),
                ("reason", fields.CharField(description="the partner's code", max_length=64)),
            ],
            options={
                "table": "partner_pause",
                "app": "models",
                "pk_attr": "partner",
                "table_description": "A partner refused our access itself: nobody calls it before the access changes, or the pause ends.",
            },
            bases=["Model"],
        ),
        in_one_operation(
            check("certification_request", "lease_pair", "(lease_token IS NULL) = (lease_until IS NULL)"),
            check("certification_request", "answered_is_not_due", "answered_at IS NULL OR next_attempt_at IS NULL"),
            known_values(
                "certification_request",
                "outcome",
                "certified",
                "identity_only",
                "identity_not_found",
                "provider_unknown",
                "retryable",
                "config_error",
            ),
            known_values(
                "partner_pause",
                "partner",
                "france_travail",
                "api_particulier",
                "ban",
                "api_geo",
                "sirene",
                "data_inclusion",
                "rdv_insertion",
                "diagoriente",
                "tally",
                "metabase",
            ),
            index("certification_request", "due", "(next_attempt_at) WHERE next_attempt_at IS NOT NULL"),
            index(
                "certification_request",
                "unanswered",
                "(last_attempt_at) WHERE answered_at IS NULL AND next_attempt_at IS NULL",
            ),
        ),
    ]
