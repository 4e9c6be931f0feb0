from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

from models.encryption import EncryptedTextField
from models.enums import (
    AppointmentEventKind,
    CancelledBy,
    CertificationAuthority,
    CompanyKind,
    ConsentPurpose,
    Delivery,
    DiagorienteRecipient,
    InstitutionKind,
    InvitationKind,
    InvitationStatus,
    JobApplicationState,
    LackOfFranceTravailIdReason,
    LackOfNirReason,
    NotificationEndpoint,
    NotificationStatus,
    ParticipationStatus,
    Partner,
    PrescriberKind,
    SenderKind,
    SurveyKind,
    SurveyStatus,
    Title,
    UserKind,
    WebhookEventStatus,
)


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="AccessLog",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "viewer_kind",
                    fields.CharEnumField(
                        description="JOB_SEEKER: job_seeker\nEMPLOYER: employer\nPRESCRIBER: prescriber\nLABOR_INSPECTOR: labor_inspector\nSTAFF: staff\nPARTNER: partner",
                        enum_type=UserKind,
                        max_length=32,
                    ),
                ),
                ("viewer_id", fields.UUIDField()),
                ("organization_id", fields.UUIDField(null=True)),
                ("job_seeker_id", fields.UUIDField()),
                ("field", fields.CharField(max_length=64)),
                ("request_id", fields.CharField(max_length=64)),
            ],
            options={
                "table": "access_log",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Somebody read a piece of personal data that leaves a trace: who, whose, which field, when; never the value.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Company",
            fields=[
                ("address_line_1", fields.CharField(default="", max_length=255)),
                ("address_line_2", fields.CharField(default="", max_length=255)),
                ("post_code", fields.CharField(default="", max_length=5)),
                ("city", fields.CharField(default="", max_length=255)),
                ("insee_code", fields.CharField(default="", max_length=5)),
                ("department", fields.CharField(default="", description="department code: 57, 2A, 974", max_length=3)),
                ("latitude", fields.FloatField(null=True)),
                ("longitude", fields.FloatField(null=True)),
                ("geocoding_score", fields.FloatField(null=True)),
                ("geocoded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "number",
                    fields.BigIntField(unique=True, description="the platform's numeric id, which survey forms know"),
                ),
                ("siret", fields.CharField(unique=True, max_length=14)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="ACI: ACI\nAI: AI\nEI: EI\nEITI: EITI\nETTI: ETTI\nGEIQ: GEIQ\nEA: EA\nEATT: EATT\nOPCS: OPCS",
                        enum_type=CompanyKind,
                        max_length=32,
                    ),
                ),
                ("name", fields.CharField(max_length=255)),
                (
                    "brand",
                    fields.CharField(default="", description="the name it prefers to be known by", max_length=255),
                ),
                ("naf", fields.CharField(default="", max_length=5)),
                ("email", fields.CharField(default="", max_length=254)),
                ("phone", fields.CharField(default="", max_length=20)),
                ("asp_id", fields.IntField(null=True, description="id of the ASP convention; null: none")),
                (
                    "rdv_solidarites_id",
                    fields.IntField(null=True, unique=True, description="organisation at RDV-Solidarités"),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("updated_at", fields.DatetimeField(auto_now=True, auto_now_add=False)),
            ],
            options={
                "table": "company",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An employer of the platform, an SIAE most of the time.",
            },
            bases=["PostalAddressMixin", "Model"],
        ),
        ops.CreateModel(
            name="CronRun",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("finished_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("succeeded", fields.BooleanField(null=True)),
                ("summary", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={
                "table": "cron_run",
                "app": "models",
                "pk_attr": "name",
                "table_description": "The last run of a cron: its age is what an alarm watches.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DashboardVisit",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("dashboard_id", fields.IntField()),
                ("slug", fields.CharField(max_length=128)),
                ("department", fields.CharField(null=True, max_length=3)),
                ("region", fields.CharField(null=True, max_length=64)),
                (
                    "user_kind",
                    fields.CharEnumField(
                        description="JOB_SEEKER: job_seeker\nEMPLOYER: employer\nPRESCRIBER: prescriber\nLABOR_INSPECTOR: labor_inspector\nSTAFF: staff\nPARTNER: partner",
                        enum_type=UserKind,
                        max_length=32,
                    ),
                ),
                ("user_id", fields.UUIDField()),
                ("organization_id", fields.UUIDField(null=True)),
            ],
            options={
                "table": "dashboard_visit",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A signed-in user was shown a dashboard.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Institution",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("number", fields.BigIntField(unique=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="DDETS_IAE: DDETS_IAE\nDDETS_LOG: DDETS_LOG\nDREETS_IAE: DREETS_IAE\nDGEFP_IAE: DGEFP_IAE\nDIHAL: DIHAL\nDRIHL: DRIHL\nIAE_NETWORK: IAE_NETWORK\nCONVERGENCE: CONVERGENCE",
                        enum_type=InstitutionKind,
                        max_length=32,
                    ),
                ),
                ("name", fields.CharField(max_length=255)),
                ("department", fields.CharField(default="", max_length=3)),
                (
                    "region",
                    fields.CharField(
                        default="", description="INSEE region code; set for regional bodies", max_length=3
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "institution",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A state body or network that steers inclusion employment.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Location",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("rdv_solidarites_id", fields.BigIntField(unique=True)),
                ("name", fields.CharField(max_length=255)),
                ("address", fields.CharField(max_length=512)),
                ("phone_number", fields.CharField(default="", max_length=32)),
            ],
            options={
                "table": "location",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A place where appointments are held.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Appointment",
            fields=[
                ("applied_event_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "applied_event_rank",
                    fields.SmallIntField(null=True, description="created 0, updated 1, destroyed 2"),
                ),
                ("applied_event_fingerprint", fields.CharField(null=True, max_length=64)),
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("rdv_insertion_id", fields.BigIntField(unique=True)),
                (
                    "company",
                    fields.ForeignKeyField(
                        "models.Company",
                        source_field="company_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="appointments",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "location",
                    fields.ForeignKeyField(
                        "models.Location",
                        source_field="location_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="appointments",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("start_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("duration", fields.TimeDeltaField()),
                (
                    "status",
                    fields.CharEnumField(
                        default=ParticipationStatus.UNKNOWN,
                        description="UNKNOWN: unknown\nSEEN: seen\nABSENT: absent\nCANCELLED: cancelled",
                        enum_type=ParticipationStatus,
                        max_length=32,
                    ),
                ),
                (
                    "source_status",
                    fields.CharField(default="unknown", description="as RDV-Insertion says it", max_length=32),
                ),
                ("reason_category", fields.CharField(default="", max_length=64)),
                ("reason", fields.CharField(default="", max_length=255)),
                ("is_collective", fields.BooleanField(default=False)),
                ("address", fields.CharField(default="", max_length=512)),
                ("total_participants", fields.IntField(null=True)),
                ("max_participants", fields.IntField(null=True)),
                ("cancelled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("destroyed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "appointment",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An interview or a collective session of one company. A destroyed one stays as a tombstone, out of every list.",
            },
            bases=["SourceVersionMixin", "Model"],
        ),
        ops.CreateModel(
            name="PacingGate",
            fields=[
                ("key", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("next_free_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "pacing_gate",
                "app": "models",
                "pk_attr": "key",
                "table_description": "When the next call of a rate-limited partner may leave, for all workers together.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PartnerClient",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("subject", fields.CharField(unique=True, description="`sub` of its tokens", max_length=255)),
                ("name", fields.CharField(max_length=255)),
                ("scopes", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                (
                    "companies",
                    fields.ManyToManyField(
                        "models.Company",
                        unique=True,
                        db_constraint=True,
                        through="partner_client_company",
                        forward_key="company_id",
                        backward_key="partner_client_id",
                        related_name="partner_clients",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "partner_client",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A machine client of a partner: it reads the appointments of its companies and nothing else.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PrescriberOrganization",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "number",
                    fields.BigIntField(unique=True, description="the platform's numeric id, which survey forms know"),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="AFPA: AFPA\nASE: ASE\nCAARUD: CAARUD\nCADA: CADA\nCAF: CAF\nCAP_EMPLOI: CAP_EMPLOI\nCAVA: CAVA\nCCAS: CCAS\nCHRS: CHRS\nCHU: CHU\nCIDFF: CIDFF\nCPH: CPH\nCSAPA: CSAPA\nDEPT: DEPT\nE2C: E2C\nEPIDE: EPIDE\nFT: FT\nHUDA: HUDA\nML: ML\nMSA: MSA\nOACAS: OACAS\nOCASF: OCASF\nODC: ODC\nOHPD: OHPD\nOIL: OIL\nORIENTEUR: Orienteur\nOTHER: Autre\nPENSION: PENSION\nPIJ_BIJ: PIJ_BIJ\nPJJ: PJJ\nPLIE: PLIE\nPREVENTION: PREVENTION\nRS_FJT: RS_FJT\nSPIP: SPIP",
                        enum_type=PrescriberKind,
                        max_length=32,
                    ),
                ),
                ("name", fields.CharField(max_length=255)),
                ("siret", fields.CharField(null=True, max_length=14)),
                ("is_authorized", fields.BooleanField(default=False)),
                (
                    "is_brsa",
                    fields.BooleanField(
                        default=False, description="delegated by a department council for RSA recipients"
                    ),
                ),
                (
                    "code_safir",
                    fields.CharField(null=True, unique=True, description="France Travail agencies", max_length=5),
                ),
                ("department", fields.CharField(default="", max_length=3)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "prescriber_organization",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An organisation that orients job seekers; only authorised ones may vouch for their eligibility.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="User",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="JOB_SEEKER: job_seeker\nEMPLOYER: employer\nPRESCRIBER: prescriber\nLABOR_INSPECTOR: labor_inspector\nSTAFF: staff\nPARTNER: partner",
                        enum_type=UserKind,
                        max_length=32,
                    ),
                ),
                (
                    "subject",
                    fields.CharField(
                        null=True,
                        unique=True,
                        description="`sub` of the identity provider; null: cannot sign in",
                        max_length=255,
                    ),
                ),
                (
                    "title",
                    fields.CharEnumField(null=True, description="M: M\nMME: MME", enum_type=Title, max_length=32),
                ),
                ("first_name", fields.CharField(default="", max_length=150)),
                ("last_name", fields.CharField(default="", max_length=150)),
                ("email", fields.CharField(null=True, max_length=254)),
                ("phone", fields.CharField(default="", max_length=20)),
                ("is_active", fields.BooleanField(default=True)),
                ("is_operator", fields.BooleanField(default=False, description="staff only: may act on operations")),
                ("may_read_full_nir", fields.BooleanField(default=False, description="staff only")),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("updated_at", fields.DatetimeField(auto_now=True, auto_now_add=False)),
            ],
            options={
                "table": "user",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Somebody with an account, or a job seeker that somebody else registered.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Approval",
            fields=[
                (
                    "pe_notification_status",
                    fields.CharEnumField(
                        default=NotificationStatus.PENDING,
                        description="PENDING: notification_pending\nREADY: notification_ready\nSHOULD_RETRY: notification_should_retry\nERROR: notification_error\nSUCCESS: notification_success",
                        enum_type=NotificationStatus,
                        max_length=32,
                    ),
                ),
                (
                    "pe_notification_time",
                    fields.DatetimeField(
                        null=True, description="last attempt, even without a call", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "pe_notification_endpoint",
                    fields.CharEnumField(
                        null=True,
                        description="RECHERCHE_INDIVIDU: rech_individu\nMISE_A_JOUR_PASS_IAE: maj_pass",
                        enum_type=NotificationEndpoint,
                        max_length=32,
                    ),
                ),
                ("pe_notification_exit_code", fields.CharField(null=True, max_length=64)),
                (
                    "next_attempt_at",
                    fields.DatetimeField(
                        null=True, description="not before; null: at once", auto_now=False, auto_now_add=False
                    ),
                ),
                ("lease_token", fields.UUIDField(null=True)),
                (
                    "lease_until",
                    fields.DatetimeField(
                        null=True, description="a worker holds the row until then", auto_now=False, auto_now_add=False
                    ),
                ),
                ("origin_siae_siret", fields.CharField(max_length=14)),
                ("origin_siae_kind", fields.CharField(max_length=32)),
                ("origin_sender_kind", fields.CharField(default="", max_length=32)),
                ("origin_prescriber_organization_kind", fields.CharField(default="", max_length=32)),
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("number", fields.CharField(unique=True, max_length=12)),
                ("start_at", fields.DateField()),
                ("end_at", fields.DateField(description="last day of validity, included")),
                (
                    "job_seeker",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="job_seeker_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="approvals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "origin_company",
                    fields.ForeignKeyField(
                        "models.Company",
                        source_field="origin_company_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="obtained_approvals",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("cancelled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("updated_at", fields.DatetimeField(auto_now=True, auto_now_add=False)),
            ],
            options={
                "table": "approval",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A PASS IAE: the right of one job seeker to be employed by SIAEs, two years unless prolonged.",
            },
            bases=["NotificationMixin", "OriginMixin", "Model"],
        ),
        ops.CreateModel(
            name="CancelledApproval",
            fields=[
                (
                    "pe_notification_status",
                    fields.CharEnumField(
                        default=NotificationStatus.PENDING,
                        description="PENDING: notification_pending\nREADY: notification_ready\nSHOULD_RETRY: notification_should_retry\nERROR: notification_error\nSUCCESS: notification_success",
                        enum_type=NotificationStatus,
                        max_length=32,
                    ),
                ),
                (
                    "pe_notification_time",
                    fields.DatetimeField(
                        null=True, description="last attempt, even without a call", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "pe_notification_endpoint",
                    fields.CharEnumField(
                        null=True,
                        description="RECHERCHE_INDIVIDU: rech_individu\nMISE_A_JOUR_PASS_IAE: maj_pass",
                        enum_type=NotificationEndpoint,
                        max_length=32,
                    ),
                ),
                ("pe_notification_exit_code", fields.CharField(null=True, max_length=64)),
                (
                    "next_attempt_at",
                    fields.DatetimeField(
                        null=True, description="not before; null: at once", auto_now=False, auto_now_add=False
                    ),
                ),
                ("lease_token", fields.UUIDField(null=True)),
                (
                    "lease_until",
                    fields.DatetimeField(
                        null=True, description="a worker holds the row until then", auto_now=False, auto_now_add=False
                    ),
                ),
                ("origin_siae_siret", fields.CharField(max_length=14)),
                ("origin_siae_kind", fields.CharField(max_length=32)),
                ("origin_sender_kind", fields.CharField(default="", max_length=32)),
                ("origin_prescriber_organization_kind", fields.CharField(default="", max_length=32)),
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "approval",
                    fields.OneToOneField(
                        "models.Approval",
                        source_field="approval_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="cancellation",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("number", fields.CharField(unique=True, max_length=12)),
                ("start_at", fields.DateField()),
                ("end_at", fields.DateField()),
                ("user_first_name", fields.CharField(default="", max_length=150)),
                ("user_last_name", fields.CharField(default="", max_length=150)),
                ("user_nir", EncryptedTextField(null=True, generated=False, unique=False)),
                ("user_birthdate", fields.DateField(null=True)),
                ("user_id_national_pe", fields.CharField(null=True, max_length=48)),
                (
                    "cancelled_by",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="cancelled_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="cancelled_approvals",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "cancelled_approval",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A cancellation to announce: a frozen copy of the approval and of the person, as France Travail must hear it.",
            },
            bases=["NotificationMixin", "OriginMixin", "Model"],
        ),
        ops.CreateModel(
            name="Consent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "job_seeker",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="job_seeker_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="consents",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "purpose",
                    fields.CharEnumField(
                        description="IDENTITY_CERTIFICATION: identity_certification",
                        enum_type=ConsentPurpose,
                        max_length=32,
                    ),
                ),
                ("text_version", fields.CharField(description="version of the text that was agreed to", max_length=32)),
                ("given_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "given_by",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="given_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="recorded_consents",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("withdrawn_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "withdrawn_by",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="withdrawn_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="withdrawn_consents",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
            ],
            options={
                "table": "consent",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A job seeker agreed to something; withdrawn or not, the row stays as the proof.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InvitationRequest",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "job_seeker",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="job_seeker_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="invitation_requests",
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
                        related_name="invitation_requests",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("reason_category", fields.CharField(max_length=64)),
                ("rdv_insertion_user_id", fields.BigIntField()),
                (
                    "api_response",
                    fields.JSONField(
                        default=dict,
                        description="ids, formats, statuses, dates; no person",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "invitation_request",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An employer asked RDV-Insertion to invite a job seeker.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Invitation",
            fields=[
                ("applied_event_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "applied_event_rank",
                    fields.SmallIntField(null=True, description="created 0, updated 1, destroyed 2"),
                ),
                ("applied_event_fingerprint", fields.CharField(null=True, max_length=64)),
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "invitation_request",
                    fields.ForeignKeyField(
                        "models.InvitationRequest",
                        source_field="invitation_request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="invitations",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="SMS: sms\nEMAIL: email\nPOSTAL: postal", enum_type=InvitationKind, max_length=32
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=InvitationStatus.SENT,
                        description="SENT: sent\nDELIVERED: delivered\nNOT_DELIVERED: not_delivered\nOPENED: opened",
                        enum_type=InvitationStatus,
                        max_length=32,
                    ),
                ),
                ("rdv_insertion_id", fields.BigIntField(unique=True)),
                ("delivered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "invitation",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One message of an invitation request: an SMS, an e-mail or a letter.",
            },
            bases=["SourceVersionMixin", "Model"],
        ),
        ops.CreateModel(
            name="JobApplication",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "state",
                    fields.CharEnumField(
                        default=JobApplicationState.NEW,
                        description="NEW: new\nPROCESSING: processing\nPOSTPONED: postponed\nPRIOR_TO_HIRE: prior_to_hire\nACCEPTED: accepted\nREFUSED: refused\nCANCELLED: cancelled\nOBSOLETE: obsolete",
                        enum_type=JobApplicationState,
                        max_length=32,
                    ),
                ),
                (
                    "job_seeker",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="job_seeker_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="job_applications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "company",
                    fields.ForeignKeyField(
                        "models.Company",
                        source_field="company_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="job_applications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "approval",
                    fields.ForeignKeyField(
                        "models.Approval",
                        source_field="approval_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="job_applications",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "sender_kind",
                    fields.CharEnumField(
                        description="JOB_SEEKER: job_seeker\nPRESCRIBER: prescriber\nEMPLOYER: employer",
                        enum_type=SenderKind,
                        max_length=32,
                    ),
                ),
                (
                    "sender",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="sender_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="sent_job_applications",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "sender_prescriber_organization",
                    fields.ForeignKeyField(
                        "models.PrescriberOrganization",
                        source_field="sender_prescriber_organization_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="sent_job_applications",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "sender_company",
                    fields.ForeignKeyField(
                        "models.Company",
                        source_field="sender_company_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="sent_job_applications",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                ("has_resume", fields.BooleanField(default=False)),
                ("hiring_start_on", fields.DateField(null=True)),
                ("processed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("diagoriente_invite_sent_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "diagoriente_recipient",
                    fields.CharEnumField(
                        null=True,
                        description="JOB_SEEKER: job_seeker\nPRESCRIBER: prescriber",
                        enum_type=DiagorienteRecipient,
                        max_length=32,
                    ),
                ),
                ("diagoriente_token_hash", fields.CharField(null=True, unique=True, max_length=64)),
                ("diagoriente_opened_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=True, auto_now_add=False)),
            ],
            options={
                "table": "job_application",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A job seeker proposed to a company, by themself, a prescriber or another employer.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="JobSeekerProfile",
            fields=[
                ("address_line_1", fields.CharField(default="", max_length=255)),
                ("address_line_2", fields.CharField(default="", max_length=255)),
                ("post_code", fields.CharField(default="", max_length=5)),
                ("city", fields.CharField(default="", max_length=255)),
                ("insee_code", fields.CharField(default="", max_length=5)),
                ("department", fields.CharField(default="", description="department code: 57, 2A, 974", max_length=3)),
                ("latitude", fields.FloatField(null=True)),
                ("longitude", fields.FloatField(null=True)),
                ("geocoding_score", fields.FloatField(null=True)),
                ("geocoded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "user",
                    fields.OneToOneField(
                        "models.User",
                        source_field="user_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="job_seeker_profile",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("birthdate", fields.DateField(null=True)),
                (
                    "nir",
                    EncryptedTextField(null=True, description="15 characters, sealed", generated=False, unique=False),
                ),
                ("nir_fingerprint", fields.CharField(null=True, unique=True, max_length=64)),
                (
                    "lack_of_nir_reason",
                    fields.CharEnumField(
                        null=True,
                        description="NO_NIR: NO_NIR\nNIR_ASSOCIATED_TO_OTHER: NIR_ASSOCIATED_TO_OTHER",
                        enum_type=LackOfNirReason,
                        max_length=32,
                    ),
                ),
                (
                    "birth_place",
                    fields.CharField(
                        null=True, description="INSEE code of the commune, births in France", max_length=5
                    ),
                ),
                (
                    "birth_country",
                    fields.CharField(null=True, description="INSEE code of the country: 99100 is France", max_length=5),
                ),
                (
                    "pole_emploi_id",
                    fields.CharField(
                        default="", description="France Travail id, as its holder knows it", max_length=11
                    ),
                ),
                (
                    "lack_of_pole_emploi_id_reason",
                    fields.CharEnumField(
                        null=True,
                        description="FORGOTTEN: FORGOTTEN\nNOT_REGISTERED: NOT_REGISTERED",
                        enum_type=LackOfFranceTravailIdReason,
                        max_length=32,
                    ),
                ),
                (
                    "pe_obfuscated_nir",
                    fields.CharField(null=True, description="id that France Travail gave", max_length=48),
                ),
                (
                    "pe_last_certification_attempt_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                (
                    "created_by",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="created_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="registered_profiles",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
                (
                    "created_by_prescriber_organization",
                    fields.ForeignKeyField(
                        "models.PrescriberOrganization",
                        source_field="created_by_prescriber_organization_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="registered_profiles",
                        on_delete=OnDelete.SET_NULL,
                    ),
                ),
            ],
            options={
                "table": "job_seeker_profile",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What the platform knows of a job seeker beyond the account. Its `id` is the user's: create it with both.",
            },
            bases=["PostalAddressMixin", "Model"],
        ),
        ops.CreateModel(
            name="IdentityCertification",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "jobseeker_profile",
                    fields.ForeignKeyField(
                        "models.JobSeekerProfile",
                        source_field="jobseeker_profile_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="identity_certifications",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "certifier",
                    fields.CharEnumField(
                        description="API_PARTICULIER: api_particulier\nFRANCE_TRAVAIL: api_recherche_individu_certifie",
                        enum_type=CertificationAuthority,
                        max_length=32,
                    ),
                ),
                ("certified_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "identity_certification",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An authority recognised the person. One row a person and certifier: a later success only moves the date.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Membership",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "user",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="user_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "company",
                    fields.ForeignKeyField(
                        "models.Company",
                        source_field="company_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "prescriber_organization",
                    fields.ForeignKeyField(
                        "models.PrescriberOrganization",
                        source_field="prescriber_organization_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "institution",
                    fields.ForeignKeyField(
                        "models.Institution",
                        source_field="institution_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("is_admin", fields.BooleanField(default=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True, description="revoked: takes effect at once", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "membership",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A user acts for one organisation (exactly one of the three). Ended rows stay, as the record of who could.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="NotificationAttempt",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "approval",
                    fields.ForeignKeyField(
                        "models.Approval",
                        source_field="approval_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="attempts",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "cancelled_approval",
                    fields.ForeignKeyField(
                        "models.CancelledApproval",
                        source_field="cancelled_approval_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="attempts",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "finished_at",
                    fields.DatetimeField(
                        null=True, description="null: under way, or its worker died", auto_now=False, auto_now_add=False
                    ),
                ),
                ("duration_ms", fields.IntField(default=0)),
                (
                    "endpoint",
                    fields.CharEnumField(
                        null=True,
                        description="RECHERCHE_INDIVIDU: rech_individu\nMISE_A_JOUR_PASS_IAE: maj_pass",
                        enum_type=NotificationEndpoint,
                        max_length=32,
                    ),
                ),
                ("http_status", fields.SmallIntField(null=True)),
                ("exit_code", fields.CharField(null=True, max_length=64)),
                (
                    "outcome",
                    fields.CharEnumField(
                        description="PENDING: notification_pending\nREADY: notification_ready\nSHOULD_RETRY: notification_should_retry\nERROR: notification_error\nSUCCESS: notification_success",
                        enum_type=NotificationStatus,
                        max_length=32,
                    ),
                ),
                (
                    "delivery",
                    fields.CharEnumField(
                        description="NOT_SENT: not_sent\nUNKNOWN: unknown\nREFUSED: refused\nACCEPTED: accepted",
                        enum_type=Delivery,
                        max_length=32,
                    ),
                ),
                ("trace_id", fields.CharField(null=True, max_length=32)),
            ],
            options={
                "table": "notification_attempt",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One try to announce an approval or a cancellation (exactly one of the two).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Participation",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "job_seeker",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="job_seeker_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="participations",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "appointment",
                    fields.ForeignKeyField(
                        "models.Appointment",
                        source_field="appointment_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="participations",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("rdv_insertion_id", fields.BigIntField(null=True)),
                (
                    "status",
                    fields.CharEnumField(
                        default=ParticipationStatus.UNKNOWN,
                        description="UNKNOWN: unknown\nSEEN: seen\nABSENT: absent\nCANCELLED: cancelled",
                        enum_type=ParticipationStatus,
                        max_length=32,
                    ),
                ),
                ("source_status", fields.CharField(default="unknown", max_length=32)),
                (
                    "cancelled_by",
                    fields.CharEnumField(
                        null=True,
                        description="JOB_SEEKER: job_seeker\nSERVICE: service",
                        enum_type=CancelledBy,
                        max_length=32,
                    ),
                ),
                ("removed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "participation",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A job seeker takes part in an appointment. A removed one stays, out of every list.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AppointmentEvent",
            fields=[
                ("position", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "kind",
                    fields.CharEnumField(
                        null=True,
                        description="CREATED: created\nUPDATED: updated\nMOVED: moved\nCANCELLED: cancelled\nDELETED: deleted",
                        enum_type=AppointmentEventKind,
                        max_length=32,
                    ),
                ),
                (
                    "appointment",
                    fields.ForeignKeyField(
                        "models.Appointment",
                        source_field="appointment_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="events",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "participation",
                    fields.ForeignKeyField(
                        "models.Participation",
                        source_field="participation_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="events",
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
                        related_name="appointment_events",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "previous_status",
                    fields.CharEnumField(
                        null=True,
                        description="UNKNOWN: unknown\nSEEN: seen\nABSENT: absent\nCANCELLED: cancelled",
                        enum_type=ParticipationStatus,
                        max_length=32,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        null=True,
                        description="UNKNOWN: unknown\nSEEN: seen\nABSENT: absent\nCANCELLED: cancelled",
                        enum_type=ParticipationStatus,
                        max_length=32,
                    ),
                ),
            ],
            options={
                "table": "appointment_event",
                "app": "models",
                "pk_attr": "position",
                "table_description": "The log that subscriptions read: what changed, in the order in which it was committed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Survey",
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
                (
                    "status",
                    fields.CharEnumField(
                        default=SurveyStatus.AVAILABLE,
                        description="AVAILABLE: available\nSENT: sent\nANSWERED: answered",
                        enum_type=SurveyStatus,
                        max_length=32,
                    ),
                ),
                (
                    "reference",
                    fields.CharField(
                        unique=True, description="opaque, in the link: finds the row, grants nothing", max_length=32
                    ),
                ),
                ("form_id", fields.CharField(max_length=12)),
                (
                    "context",
                    fields.JSONField(
                        default=dict,
                        description="prefilled parameters, in order; no personal data",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "job_application",
                    fields.ForeignKeyField(
                        "models.JobApplication",
                        source_field="job_application_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="surveys",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("submission_id", fields.CharField(null=True, max_length=64)),
                ("sent_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("answered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "survey",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A Tally form offered about one hiring. Its answers stay at Tally: only whether it was answered comes back.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "source",
                    fields.CharEnumField(
                        description="FRANCE_TRAVAIL: france_travail\nAPI_PARTICULIER: api_particulier\nBAN: ban\nAPI_GEO: api_geo\nSIRENE: sirene\nDATA_INCLUSION: data_inclusion\nRDV_INSERTION: rdv_insertion\nDIAGORIENTE: diagoriente\nTALLY: tally\nMETABASE: metabase",
                        enum_type=Partner,
                        max_length=32,
                    ),
                ),
                (
                    "fingerprint",
                    fields.CharField(
                        description="SHA-256 of the verified bytes, or of the delivery's own key", max_length=64
                    ),
                ),
                ("received_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("arrival", fields.BigIntField(unique=True, description="order of arrival")),
                (
                    "status",
                    fields.CharEnumField(
                        default=WebhookEventStatus.RECEIVED,
                        description="RECEIVED: received\nPROCESSED: processed\nIGNORED: ignored\nUNMATCHED: unmatched\nFAILED: failed",
                        enum_type=WebhookEventStatus,
                        max_length=32,
                    ),
                ),
                ("model", fields.CharField(null=True, max_length=64)),
                ("event", fields.CharField(null=True, max_length=64)),
                ("resource_id", fields.CharField(null=True, max_length=64)),
                (
                    "resource_at",
                    fields.DatetimeField(
                        null=True, description="the event's own time", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "body",
                    EncryptedTextField(
                        null=True, description="sealed; null once purged", generated=False, unique=False
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                ("error", fields.CharField(null=True, max_length=255)),
                ("next_attempt_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("lease_token", fields.UUIDField(null=True)),
                ("lease_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("processed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "webhook_event",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A webhook that was acknowledged: stored before the 2xx, processed after, never twice.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WorkerHeartbeat",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("host", fields.CharField(max_length=255)),
                ("pid", fields.IntField()),
                ("version", fields.CharField(max_length=32)),
                ("queue", fields.CharField(max_length=64)),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("beat_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "stopped_at",
                    fields.DatetimeField(
                        null=True, description="left in good order", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "current_jobs",
                    fields.JSONField(
                        default=list,
                        description="names, ids and starts of what runs now",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
            ],
            options={
                "table": "worker_heartbeat",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A worker process says that it lives; one row a process, refreshed every few seconds.",
            },
            bases=["Model"],
        ),
    ]
