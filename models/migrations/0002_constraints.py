"""What must hold whatever code writes: Tortoise 1.1.9 does not create `Meta.constraints` of new tables, so each is a step."""

from tortoise import migrations

from models.migration_steps import Step, check, constraint, in_one_operation, known_values, unique_index

SIRET = "~ '^[0-9]{14}$'"
ADDRESS = (
    "(post_code = '' OR post_code ~ '^[0-9]{5}$') AND (insee_code = '' OR insee_code ~ '^[0-9][0-9AB][0-9]{3}$')"
    " AND (latitude IS NULL) = (longitude IS NULL) AND latitude BETWEEN -90 AND 90"
    " AND longitude BETWEEN -180 AND 180 AND geocoding_score BETWEEN 0 AND 1"
)
LEASE = "(lease_token IS NULL) = (lease_until IS NULL)"


class Migration(migrations.Migration):
    dependencies = [("models", "0001_tables")]

    operations = [
        in_one_operation(
            # Both are trusted extensions: the owner of a database may create them.
            Step("CREATE EXTENSION IF NOT EXISTS btree_gist", "DROP EXTENSION IF EXISTS btree_gist"),
            # -- people
            unique_index("user", "email_unique", "(lower(email)) WHERE email IS NOT NULL"),
            check("user", "staff_rights", "kind = 'staff' OR NOT (is_operator OR may_read_full_nir)"),
            # Tortoise cannot point a foreign key at a one-to-one primary key; this gives the same thing.
            check("job_seeker_profile", "id_of_user", "id = user_id"),
            check("job_seeker_profile", "nir_pair", "(nir IS NULL) = (nir_fingerprint IS NULL)"),
            check("job_seeker_profile", "nir_or_reason", "nir IS NULL OR lack_of_nir_reason IS NULL"),
            # Not `=`: a CHECK that comes to NULL, as with no country, lets the row pass.
            check(
                "job_seeker_profile",
                "birth_place_in_france",
                "birth_place IS NULL OR birth_country IS NOT DISTINCT FROM '99100'",
            ),
            check(
                "job_seeker_profile",
                "pole_emploi_id_form",
                "pole_emploi_id ~ '^([0-9]{7}[0-9A-Za-z]|[0-9]{11})?$'",
            ),
            check("job_seeker_profile", "address", ADDRESS),
            unique_index("consent", "one_active", "(job_seeker_id, purpose) WHERE withdrawn_at IS NULL"),
            check("consent", "withdrawn_after_given", "withdrawn_at >= given_at"),
            constraint(
                "identity_certification", "identity_certification_once", "UNIQUE (jobseeker_profile_id, certifier)"
            ),
            # -- organisations
            check("company", "siret_form", f"siret {SIRET}"),
            check("company", "address", ADDRESS),
            check("prescriber_organization", "siret_form", f"siret {SIRET}"),
            check(
                "membership",
                "one_organization",
                "num_nonnulls(company_id, prescriber_organization_id, institution_id) = 1",
            ),
            unique_index("membership", "company_once", "(user_id, company_id) WHERE ended_at IS NULL"),
            unique_index(
                "membership", "prescriber_once", "(user_id, prescriber_organization_id) WHERE ended_at IS NULL"
            ),
            unique_index("membership", "institution_once", "(user_id, institution_id) WHERE ended_at IS NULL"),
            # -- approvals
            check("approval", "number_form", "number ~ '^[0-9A-Z]{12}$'"),
            check("approval", "start_before_end", "start_at < end_at"),
            check("approval", "origin_siret_form", f"origin_siae_siret {SIRET}"),
            check("approval", "lease_pair", LEASE),
            # One valid approval a person, whatever the day: two that stand may not share one.
            constraint(
                "approval",
                "approval_one_at_a_time",
                "EXCLUDE USING gist (job_seeker_id WITH =, daterange(start_at, end_at, '[]') WITH &&)"
                " WHERE (cancelled_at IS NULL)",
            ),
            check("cancelled_approval", "number_form", "number ~ '^[0-9A-Z]{12}$'"),
            check("cancelled_approval", "start_before_end", "start_at < end_at"),
            check("cancelled_approval", "origin_siret_form", f"origin_siae_siret {SIRET}"),
            check("cancelled_approval", "lease_pair", LEASE),
            check("notification_attempt", "one_subject", "num_nonnulls(approval_id, cancelled_approval_id) = 1"),
            check("notification_attempt", "duration_positive", "duration_ms >= 0"),
            check("notification_attempt", "finished_after_started", "finished_at >= started_at"),
            # -- job applications and surveys
            check(
                "job_application",
                "diagoriente_pair",
                "(diagoriente_invite_sent_at IS NULL) = (diagoriente_recipient IS NULL)",
            ),
            check(
                "job_application",
                "diagoriente_opened_after_sent",
                "diagoriente_opened_at IS NULL OR diagoriente_invite_sent_at IS NOT NULL",
            ),
            constraint("survey", "survey_once", "UNIQUE (job_application_id, kind)"),
            check("survey", "answered_when_answered", "(status = 'answered') = (answered_at IS NOT NULL)"),
            unique_index("survey", "submission_once", "(form_id, submission_id) WHERE submission_id IS NOT NULL"),
            # -- appointments
            constraint("invitation", "invitation_kind_once", "UNIQUE (invitation_request_id, kind)"),
            check("appointment", "duration_positive", "duration >= 0"),
            constraint("participation", "participation_once", "UNIQUE (appointment_id, job_seeker_id)"),
            check("participation", "cancelled_by_when_cancelled", "cancelled_by IS NULL OR status = 'cancelled'"),
            # -- operations
            constraint("webhook_event", "webhook_event_delivery_once", "UNIQUE (source, fingerprint)"),
            check("webhook_event", "lease_pair", LEASE),
            Step(
                "ALTER TABLE webhook_event ALTER COLUMN arrival ADD GENERATED BY DEFAULT AS IDENTITY",
                "ALTER TABLE webhook_event ALTER COLUMN arrival DROP IDENTITY",
            ),
            # -- values of enums
            known_values(
                "access_log",
                "viewer_kind",
                "job_seeker",
                "employer",
                "prescriber",
                "labor_inspector",
                "staff",
                "partner",
            ),
            known_values("appointment", "status", "unknown", "seen", "absent", "cancelled"),
            known_values("appointment_event", "kind", "created", "updated", "moved", "cancelled", "deleted"),
            known_values("appointment_event", "previous_status", "unknown", "seen", "absent", "cancelled"),
            known_values("appointment_event", "status", "unknown", "seen", "absent", "cancelled"),
            known_values(
                "approval",
                "pe_notification_status",
                "notification_pending",
                "notification_ready",
                "notification_should_retry",
                "notification_error",
                "notification_success",
            ),
            known_values("approval", "pe_notification_endpoint", "rech_individu", "maj_pass"),
            known_values(
                "cancelled_approval",
                "pe_notification_status",
                "notification_pending",
                "notification_ready",
                "notification_should_retry",
                "notification_error",
                "notification_success",
            ),
            known_values("cancelled_approval", "pe_notification_endpoint", "rech_individu", "maj_pass"),
            known_values("company", "kind", "ACI", "AI", "EI", "EITI", "ETTI", "GEIQ", "EA", "EATT", "OPCS"),
            known_values("consent", "purpose", "identity_certification"),
            known_values(
                "dashboard_visit",
                "user_kind",
                "job_seeker",
                "employer",
                "prescriber",
                "labor_inspector",
                "staff",
                "partner",
            ),
            known_values("identity_certification", "certifier", "api_particulier", "api_recherche_individu_certifie"),
            known_values(
                "institution",
                "kind",
                "DDETS_IAE",
                "DDETS_LOG",
                "DREETS_IAE",
                "DGEFP_IAE",
                "DIHAL",
                "DRIHL",
                "IAE_NETWORK",
                "CONVERGENCE",
            ),
            known_values("invitation", "kind", "sms", "email", "postal"),
            known_values("invitation", "status", "sent", "delivered", "not_delivered", "opened"),
            known_values(
                "job_application",
                "state",
                "new",
                "processing",
                "postponed",
                "prior_to_hire",
                "accepted",
                "refused",
                "cancelled",
                "obsolete",
            ),
            known_values("job_application", "sender_kind", "job_seeker", "prescriber", "employer"),
            known_values("job_application", "diagoriente_recipient", "job_seeker", "prescriber"),
            known_values("job_seeker_profile", "lack_of_nir_reason", "NO_NIR", "NIR_ASSOCIATED_TO_OTHER"),
            known_values("job_seeker_profile", "lack_of_pole_emploi_id_reason", "FORGOTTEN", "NOT_REGISTERED"),
            known_values("notification_attempt", "endpoint", "rech_individu", "maj_pass"),
            known_values(
                "notification_attempt",
                "outcome",
                "notification_pending",
                "notification_ready",
                "notification_should_retry",
                "notification_error",
                "notification_success",
            ),
            known_values("notification_attempt", "delivery", "not_sent", "unknown", "refused", "accepted"),
            known_values("participation", "status", "unknown", "seen", "absent", "cancelled"),
            known_values("participation", "cancelled_by", "job_seeker", "service"),
            known_values(
                "prescriber_organization",
                "kind",
                "AFPA",
                "ASE",
                "CAARUD",
                "CADA",
                "CAF",
                "CAP_EMPLOI",
                "CAVA",
                "CCAS",
                "CHRS",
                "CHU",
                "CIDFF",
                "CPH",
                "CSAPA",
                "DEPT",
                "E2C",
                "EPIDE",
                "FT",
                "HUDA",
                "ML",
                "MSA",
                "OACAS",
                "OCASF",
                "ODC",
                "OHPD",
                "OIL",
                "Orienteur",
                "Autre",
                "PENSION",
                "PIJ_BIJ",
                "PJJ",
                "PLIE",
                "PREVENTION",
                "RS_FJT",
                "SPIP",
            ),
            known_values("survey", "kind", "post_hiring_employer", "post_hiring_job_seeker", "prescriber_satisfaction"),
            known_values("survey", "status", "available", "sent", "answered"),
            known_values("user", "kind", "job_seeker", "employer", "prescriber", "labor_inspector", "staff"),
            known_values("user", "title", "M", "MME"),
            known_values(
                "webhook_event",
                "source",
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
            known_values("webhook_event", "status", "received", "processed", "ignored", "unmatched", "failed"),
        )
    ]
