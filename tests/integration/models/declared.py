"""What the database must hold by itself, written down a second time: migrations are compared with this list.

Each rule stands with the write that breaks it, so that none is only a name. A new constraint, index or trigger belongs
here in the same change as its migration.
"""

from __future__ import annotations

from dataclasses import dataclass

SOMEBODY = "'11111111-1111-4111-8111-111111111111'"  # no row has this id


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A write on valid rows of `table` that must be refused. `rows`: how many are made before it."""

    table: str
    change: str
    rows: int = 1
    maker: str | None = None  # a membership: by the kind of its organisation
    refused_by: str | None = None  # where the rule stands behind another one, that one's name


def _same(table: str, *columns: str, maker: str | None = None) -> Forbidden:
    """Give every row the values of one of them."""
    listed = ", ".join(columns)
    return Forbidden(table, f'({listed}) = (SELECT {listed} FROM "{table}" ORDER BY {listed} LIMIT 1)', 2, maker)


CHECKS: dict[str, list[Forbidden]] = {
    "appointment_duration_positive": [Forbidden("appointment", "duration = -1")],
    "appointment_event_what_changed": [
        Forbidden("appointment_event", "kind = 'created'"),
        Forbidden("appointment_event", "status = NULL"),
        Forbidden("appointment_event", "participation_id = NULL"),
        Forbidden("appointment_event", "kind = 'created', participation_id = NULL, status = NULL"),
    ],
    "appointment_version_of_an_event": [
        Forbidden("appointment_version", "applied_event_at = NULL"),
        Forbidden("appointment_version", "applied_event_fingerprint = NULL"),
    ],
    "approval_lease_pair": [
        Forbidden("approval", f"lease_token = {SOMEBODY}"),
        Forbidden("approval", "lease_until = now()"),
    ],
    "approval_number_form": [
        Forbidden("approval", "number = '99999-000001'"),
        Forbidden("approval", "number = '9999'"),
    ],
    "approval_origin_siret_form": [
        Forbidden("approval", "origin_siae_siret = '9021000150001'"),
        Forbidden("approval", "origin_siae_siret = '902100015 0001'"),
    ],
    "approval_start_before_end": [
        Forbidden("approval", "end_at = start_at"),
        Forbidden("approval", "end_at = start_at - 1"),
    ],
    "cancelled_approval_lease_pair": [Forbidden("cancelled_approval", "lease_until = now()")],
    "cancelled_approval_number_form": [Forbidden("cancelled_approval", "number = '99999 000001'")],
    "cancelled_approval_origin_siret_form": [Forbidden("cancelled_approval", "origin_siae_siret = ''")],
    "cancelled_approval_start_before_end": [Forbidden("cancelled_approval", "end_at = start_at")],
    "cancelled_approval_statistic_number_positive": [Forbidden("cancelled_approval_statistic", "number = 0")],
    "certification_request_answered_is_not_due": [
        Forbidden("certification_request", "answered_at = now(), next_attempt_at = now()")
    ],
    "certification_request_lease_pair": [
        Forbidden("certification_request", f"lease_token = {SOMEBODY}"),
        Forbidden("certification_request", "lease_until = now()"),
    ],
    "commune_insee_code_form": [
        Forbidden("commune", "insee_code = '5746'"),
        Forbidden("commune", "insee_code = '2C004'"),
        Forbidden("commune", "insee_code = '2a004'"),
    ],
    "commune_name_given": [
        Forbidden("commune", "name = ' '"),
        Forbidden("commune", "search_name = ''"),
    ],
    "commune_position": [
        Forbidden("commune", "latitude = 49.1"),
        Forbidden("commune", "latitude = 91, longitude = 6.2"),
        Forbidden("commune", "latitude = 49.1, longitude = 181"),
    ],
    "company_address": [
        Forbidden("company", "post_code = '5700'"),
        Forbidden("company", "insee_code = '2C004'"),
        Forbidden("company", "latitude = 48.8"),
        Forbidden("company", "latitude = 91, longitude = 2.3"),
        Forbidden("company", "latitude = 48.8, longitude = 181"),
        Forbidden("company", "geocoding_score = 1.2"),
    ],
    "company_siret_form": [
        Forbidden("company", "siret = '9021000150001'"),
        Forbidden("company", "siret = 'A0210001500012'"),
    ],
    "consent_withdrawn_after_given": [Forbidden("consent", "withdrawn_at = given_at - interval '1 second'")],
    "job_application_diagoriente_opened_after_sent": [Forbidden("job_application", "diagoriente_opened_at = now()")],
    "invitation_attempt_answer_due_while_sending": [Forbidden("invitation_attempt", "answer_due_at = NULL")],
    "invitation_attempt_look_while_unknown": [
        Forbidden("invitation_attempt", "next_look_at = now()"),
        Forbidden("invitation_attempt", "state = 'unknown', answer_due_at = NULL"),
    ],
    "invitation_attempt_nobody_sought_once_settled": [
        Forbidden("invitation_attempt", "state = 'refused', answer_due_at = NULL, settled_at = now()")
    ],
    "invitation_attempt_request_when_accepted": [
        Forbidden("invitation_attempt", f"invitation_request_id = {SOMEBODY}")
    ],
    "invitation_attempt_settled_at_the_end": [
        Forbidden("invitation_attempt", "settled_at = now(), sought = NULL"),
        Forbidden("invitation_attempt", "state = 'refused', answer_due_at = NULL, sought = NULL"),
    ],
    "job_application_diagoriente_pair": [
        Forbidden("job_application", "diagoriente_invite_sent_at = now()"),
        Forbidden("job_application", "diagoriente_recipient = 'job_seeker'"),
    ],
    "job_seeker_profile_address": [Forbidden("job_seeker_profile", "post_code = 'ABCDE'")],
    "job_seeker_profile_birth_place_in_france": [
        Forbidden("job_seeker_profile", "birth_country = '99352'"),
        Forbidden("job_seeker_profile", "birth_country = NULL"),
    ],
    "job_seeker_profile_id_of_user": [Forbidden("job_seeker_profile", f"id = {SOMEBODY}")],
    "job_seeker_profile_nir_or_reason": [Forbidden("job_seeker_profile", "lack_of_nir_reason = 'NO_NIR'")],
    "job_seeker_profile_nir_pair": [
        Forbidden("job_seeker_profile", "nir = NULL"),
        Forbidden("job_seeker_profile", "nir_fingerprint = NULL"),
    ],
    "job_seeker_profile_pole_emploi_id_form": [
        Forbidden("job_seeker_profile", "pole_emploi_id = '1234567'"),
        Forbidden("job_seeker_profile", "pole_emploi_id = '1234567é'"),
        Forbidden("job_seeker_profile", "pole_emploi_id = '123456789'"),
    ],
    "location_version_whole": [Forbidden("location", "applied_event_rank = 1")],
    "mail_content_while_pending": [
        Forbidden("mail", "recipient = NULL"),
        Forbidden("mail", "parameters = NULL"),
        Forbidden("mail", "state = 'failed', next_attempt_at = NULL"),
    ],
    "mail_due_while_pending": [
        Forbidden("mail", "next_attempt_at = NULL"),
        Forbidden("mail", "state = 'failed', recipient = NULL, parameters = NULL"),
    ],
    "mail_lease_pair": [Forbidden("mail", f"lease_token = {SOMEBODY}")],
    "mail_sent_when_sent": [
        Forbidden("mail", "sent_at = now()"),
        Forbidden("mail", "state = 'sent', next_attempt_at = NULL, recipient = NULL, parameters = NULL"),
    ],
    "membership_one_organization": [
        Forbidden("membership", "company_id = NULL"),
        Forbidden("membership", f"institution_id = {SOMEBODY}"),
    ],
    "notification_attempt_duration_positive": [Forbidden("notification_attempt", "duration_ms = -1")],
    "notification_attempt_finished_after_started": [
        Forbidden("notification_attempt", "finished_at = started_at - interval '1 millisecond'")
    ],
    "notification_attempt_one_subject": [
        Forbidden("notification_attempt", "approval_id = NULL"),
        Forbidden("notification_attempt", f"cancelled_approval_id = {SOMEBODY}"),
    ],
    "participation_cancelled_by_when_cancelled": [Forbidden("participation", "cancelled_by = 'service'")],
    "participation_version_whole": [Forbidden("participation", "applied_event_at = now()")],
    "prescriber_organization_siret_form": [Forbidden("prescriber_organization", "siret = '123'")],
    "survey_answered_when_answered": [
        Forbidden("survey", "status = 'answered'"),
        Forbidden("survey", "answered_at = now()"),
    ],
    "survey_mail_due_while_available": [Forbidden("survey", "status = 'sent', mail_due_at = now()")],
    "user_nobody_once_erased": [Forbidden("user", "erased_at = now()")],
    "user_staff_rights": [
        Forbidden("user", "is_observer = true"),
        Forbidden("user", "is_operator = true"),
        Forbidden("user", "may_read_full_nir = true"),
    ],
    "partner_secret_digest_form": [
        Forbidden("partner_secret", "digest = 'trv_secret'"),
        Forbidden("partner_secret", "digest = upper(digest)"),
    ],
    "manual_pause_reason_given": [Forbidden("manual_pause", "reason = ' '")],
    "manual_pause_target_form": [Forbidden("manual_pause", "target = 'mails'")],
    "silenced_alarm_ends_after_it_begins": [Forbidden("silenced_alarm", "until = silenced_at")],
    "silenced_alarm_reason_given": [Forbidden("silenced_alarm", "reason = ' '")],
    "silenced_alarm_target_form": [Forbidden("silenced_alarm", "target = 'tally'")],
    "operation_run_counts": [
        Forbidden("operation_run", "total = -1"),
        Forbidden("operation_run", "changed = -1"),
        Forbidden("operation_run", "skipped = -1"),
        Forbidden("operation_run", "changed = 1, skipped = 1"),
    ],
    "operation_run_due_while_open": [
        Forbidden("operation_run", "next_attempt_at = NULL"),
        Forbidden("operation_run", "state = 'finished'"),
        Forbidden("operation_run", "finished_at = now()"),
        Forbidden("operation_run", "state = 'finished', next_attempt_at = NULL"),
    ],
    "operation_run_lease_pair": [
        Forbidden("operation_run", f"lease_token = {SOMEBODY}"),
        Forbidden("operation_run", "lease_until = now()"),
    ],
    "webhook_event_complete_while_received": [
        Forbidden("webhook_event", "body = NULL"),
        Forbidden("webhook_event", "model = NULL"),
        Forbidden("webhook_event", "resource_id = NULL"),
    ],
    "webhook_event_due_while_received": [
        Forbidden("webhook_event", "status = 'failed', processed_at = now(), next_attempt_at = now()")
    ],
    "webhook_event_lease_pair": [Forbidden("webhook_event", f"lease_token = {SOMEBODY}")],
    "webhook_event_lease_while_received": [
        Forbidden(
            "webhook_event",
            f"status = 'processed', processed_at = now(), lease_token = {SOMEBODY}, lease_until = now()",
        )
    ],
    "webhook_event_order_of_states": [
        Forbidden("webhook_event", "precedence = 1"),
        Forbidden("webhook_event", "precedence = 2, resource_at = now()"),
    ],
    "webhook_event_precedence_in_range": [
        Forbidden("webhook_event", "precedence = 3, resource_at = now(), event_rank = 1"),
        Forbidden("webhook_event", "precedence = -1, resource_at = now(), event_rank = 1"),
    ],
    "webhook_event_unsettled_while_received": [
        Forbidden("webhook_event", "status = 'processed'"),
        Forbidden("webhook_event", "processed_at = now()"),
    ],
}

# The columns of enums: a value that no member has. (table, column)
KNOWN_VALUES: list[tuple[str, str]] = [
    ("access_log", "viewer_kind"),
    ("appointment", "status"),
    ("appointment_event", "kind"),
    ("appointment_event", "previous_status"),
    ("appointment_event", "status"),
    ("approval", "pe_notification_endpoint"),
    ("approval", "pe_notification_status"),
    ("audit_entry", "action"),
    ("cancelled_approval", "pe_notification_endpoint"),
    ("cancelled_approval", "pe_notification_status"),
    ("certification_request", "outcome"),
    ("company", "kind"),
    ("consent", "purpose"),
    ("dashboard_visit", "user_kind"),
    ("identity_certification", "certifier"),
    ("institution", "kind"),
    ("invitation", "kind"),
    ("invitation", "status"),
    ("invitation_attempt", "state"),
    ("job_application", "diagoriente_recipient"),
    ("job_application", "sender_kind"),
    ("job_application", "state"),
    ("job_seeker_profile", "lack_of_nir_reason"),
    ("job_seeker_profile", "lack_of_pole_emploi_id_reason"),
    ("mail", "state"),
    ("mail", "template"),
    ("notification_attempt", "delivery"),
    ("notification_attempt", "endpoint"),
    ("notification_attempt", "outcome"),
    ("operation_run", "kind"),
    ("operation_run", "state"),
    ("participation", "cancelled_by"),
    ("participation", "status"),
    ("partner_pause", "partner"),
    ("prescriber_organization", "kind"),
    ("survey", "kind"),
    ("survey", "status"),
    ("unlinked_survey_answer", "kind"),
    ("user", "kind"),
    ("user", "title"),
    ("webhook_event", "source"),
    ("webhook_event", "status"),
]

# Where another rule of the row would refuse first.
KNOWN_VALUES_CHANGES: dict[tuple[str, str], str] = {
    ("invitation_attempt", "state"): ("state = 'unheard_of', answer_due_at = NULL, settled_at = now(), sought = NULL"),
    ("mail", "state"): "state = 'unheard_of', next_attempt_at = NULL, recipient = NULL, parameters = NULL",
    ("operation_run", "state"): "state = 'unheard_of', next_attempt_at = NULL, finished_at = now()",
    (
        "job_application",
        "diagoriente_recipient",
    ): "diagoriente_recipient = 'unheard_of', diagoriente_invite_sent_at = now()",
}

# UNIQUE and EXCLUDE constraints, and unique indexes where only some rows count.
UNIQUE_CONSTRAINTS: dict[str, Forbidden] = {
    "appointment_rdv_insertion_id_key": _same("appointment", "rdv_insertion_id"),
    "appointment_version_rdv_insertion_id_key": _same("appointment_version", "rdv_insertion_id"),
    "approval_number_key": _same("approval", "number"),
    "approval_one_at_a_time": _same("approval", "job_seeker_id", "start_at", "end_at"),
    "cancelled_approval_approval_id_key": _same("cancelled_approval", "approval_id"),
    "cancelled_approval_number_key": _same("cancelled_approval", "number"),
    "cancelled_approval_statistic_once": _same(
        "cancelled_approval_statistic",
        "cancelled_month",
        "start_month",
        "end_month",
        "origin_siae_kind",
        "origin_sender_kind",
        "origin_prescriber_organization_kind",
        "was_announced",
    ),
    "certification_request_job_seeker_id_key": _same("certification_request", "job_seeker_id"),
    "company_number_key": _same("company", "number"),
    "company_rdv_solidarites_id_key": Forbidden("company", "rdv_solidarites_id = 7", 2),
    "company_siret_key": _same("company", "siret"),
    "identity_certification_once": _same("identity_certification", "jobseeker_profile_id", "certifier"),
    "institution_number_key": _same("institution", "number"),
    "invitation_kind_once": _same("invitation", "invitation_request_id", "kind"),
    "invitation_rdv_insertion_id_key": _same("invitation", "rdv_insertion_id"),
    "job_application_diagoriente_token_hash_key": Forbidden("job_application", "diagoriente_token_hash = 'a'", 2),
    "job_seeker_profile_nir_fingerprint_key": _same("job_seeker_profile", "nir_fingerprint"),
    # `id` and `user_id` are one value, and the primary key speaks first.
    "job_seeker_profile_user_id_key": Forbidden(
        "job_seeker_profile",
        "(id, user_id) = (SELECT id, user_id FROM job_seeker_profile ORDER BY id LIMIT 1)",
        rows=2,
        refused_by="job_seeker_profile_pkey",
    ),
    "location_rdv_solidarites_id_key": _same("location", "rdv_solidarites_id"),
    "mail_once": _same("mail", "template", "subject_id"),
    "partner_calls_once": _same("partner_calls", "process_id", "partner", "minute_at"),
    "participation_once": _same("participation", "appointment_id", "job_seeker_id"),
    "partner_client_subject_key": _same("partner_client", "subject"),
    "partner_secret_digest_key": _same("partner_secret", "digest"),
    "prescriber_organization_code_safir_key": Forbidden("prescriber_organization", "code_safir = '12345'", 2),
    "prescriber_organization_number_key": _same("prescriber_organization", "number"),
    "survey_once": _same("survey", "job_application_id", "kind"),
    "survey_reference_key": _same("survey", "reference"),
    "unlinked_survey_answer_once": _same("unlinked_survey_answer", "form_id", "submission_id"),
    "user_subject_key": _same("user", "subject"),
    "webhook_event_arrival_key": _same("webhook_event", "arrival"),
    "webhook_event_delivery_once": _same("webhook_event", "source", "fingerprint"),
}
UNIQUE_INDEXES: dict[str, Forbidden] = {
    "consent_one_active": _same("consent", "job_seeker_id"),
    "invitation_attempt_one_at_a_time": _same("invitation_attempt", "job_seeker_id", "company_id"),
    "membership_company_once": _same("membership", "user_id", "company_id"),
    "membership_institution_once": _same("membership", "user_id", "institution_id", maker="institution_id"),
    "membership_prescriber_once": _same(
        "membership", "user_id", "prescriber_organization_id", maker="prescriber_organization_id"
    ),
    "survey_submission_once": _same("survey", "form_id", "submission_id"),
    "uidx_partner_cli_partner_2f9ed0": _same("partner_client_company", "partner_client_id", "company_id"),
    # Two spellings of one address are one address.
    "user_email_unique": Forbidden(
        "user",
        'email = CASE WHEN id = (SELECT min(id::text)::uuid FROM "user")'
        " THEN 'A@exemple.test' ELSE 'a@EXEMPLE.test' END",
        2,
    ),
}

# (table, column) -> (table pointed at, what happens when that row is deleted)
FOREIGN_KEYS: dict[tuple[str, str], tuple[str, str]] = {
    ("appointment", "company_id"): ("company", "CASCADE"),
    ("appointment", "location_id"): ("location", "SET NULL"),
    ("appointment_event", "appointment_id"): ("appointment", "CASCADE"),
    ("appointment_event", "company_id"): ("company", "CASCADE"),
    ("appointment_event", "participation_id"): ("participation", "CASCADE"),
    ("approval", "job_seeker_id"): ("user", "RESTRICT"),
    ("approval", "origin_company_id"): ("company", "SET NULL"),
    ("approval_event", "approval_id"): ("approval", "CASCADE"),
    ("cancelled_approval", "approval_id"): ("approval", "SET NULL"),
    ("cancelled_approval", "cancelled_by_id"): ("user", "SET NULL"),
    ("certification_request", "job_seeker_id"): ("user", "CASCADE"),
    ("certification_request", "requested_by_id"): ("user", "SET NULL"),
    ("consent", "given_by_id"): ("user", "SET NULL"),
    ("consent", "job_seeker_id"): ("user", "CASCADE"),
    ("consent", "withdrawn_by_id"): ("user", "SET NULL"),
    ("identity_certification", "jobseeker_profile_id"): ("job_seeker_profile", "CASCADE"),
    ("invitation", "invitation_request_id"): ("invitation_request", "CASCADE"),
    ("invitation_attempt", "company_id"): ("company", "CASCADE"),
    ("invitation_attempt", "invitation_request_id"): ("invitation_request", "SET NULL"),
    ("invitation_attempt", "job_seeker_id"): ("user", "CASCADE"),
    ("invitation_attempt", "requested_by_id"): ("user", "SET NULL"),
    ("invitation_request", "company_id"): ("company", "CASCADE"),
    ("invitation_request", "job_seeker_id"): ("user", "CASCADE"),
    ("job_application", "approval_id"): ("approval", "SET NULL"),
    ("job_application", "company_id"): ("company", "RESTRICT"),
    ("job_application", "job_seeker_id"): ("user", "RESTRICT"),
    ("job_application", "sender_company_id"): ("company", "SET NULL"),
    ("job_application", "sender_id"): ("user", "SET NULL"),
    ("job_application", "sender_prescriber_organization_id"): ("prescriber_organization", "SET NULL"),
    ("job_seeker_profile", "created_by_id"): ("user", "SET NULL"),
    ("job_seeker_profile", "created_by_prescriber_organization_id"): ("prescriber_organization", "SET NULL"),
    ("job_seeker_profile", "user_id"): ("user", "CASCADE"),
    ("membership", "company_id"): ("company", "CASCADE"),
    ("membership", "institution_id"): ("institution", "CASCADE"),
    ("membership", "prescriber_organization_id"): ("prescriber_organization", "CASCADE"),
    ("membership", "user_id"): ("user", "CASCADE"),
    ("notification_attempt", "approval_id"): ("approval", "CASCADE"),
    ("notification_attempt", "cancelled_approval_id"): ("cancelled_approval", "CASCADE"),
    ("operation_run_item", "run_id"): ("operation_run", "CASCADE"),
    ("participation", "appointment_id"): ("appointment", "CASCADE"),
    ("participation", "job_seeker_id"): ("user", "CASCADE"),
    ("partner_client_company", "company_id"): ("company", "CASCADE"),
    ("partner_client_company", "partner_client_id"): ("partner_client", "CASCADE"),
    ("partner_secret", "partner_client_id"): ("partner_client", "CASCADE"),
    ("survey", "job_application_id"): ("job_application", "CASCADE"),
}

# Where another rule of the row would refuse first, the whole change that only the foreign key refuses.
FOREIGN_KEY_CHANGES: dict[tuple[str, str], str] = {
    ("invitation_attempt", "invitation_request_id"): (
        "state = 'accepted', answer_due_at = NULL, settled_at = now(), sought = NULL,"
        f" invitation_request_id = {SOMEBODY}"
    ),
    ("job_seeker_profile", "user_id"): f"id = {SOMEBODY}, user_id = {SOMEBODY}",
    ("membership", "institution_id"): f"company_id = NULL, institution_id = {SOMEBODY}",
    ("membership", "prescriber_organization_id"): f"company_id = NULL, prescriber_organization_id = {SOMEBODY}",
    ("notification_attempt", "cancelled_approval_id"): f"approval_id = NULL, cancelled_approval_id = {SOMEBODY}",
}

# Plain indexes: what lists, searches, claims and sweeps stand on.
INDEXES: frozenset[str] = frozenset(
    {
        "access_log_by_time",
        "access_log_of_job_seeker",
        "appointment_by_start",
        "appointment_event_of_company",
        "appointment_of_company",
        "approval_by_activity",
        "approval_by_status",
        "approval_code_by_activity",
        "approval_due_by_age",
        "approval_newest",
        "approval_of_job_seeker",
        "approval_of_origin_company",
        "approval_status_by_activity",
        "approval_to_revive",
        "audit_entry_newest",
        "audit_entry_of_action",
        "audit_entry_of_actor",
        "audit_entry_of_run",
        "audit_entry_of_subject",
        "cancelled_approval_by_activity",
        "cancelled_approval_by_status",
        "cancelled_approval_status_by_activity",
        "certification_request_due",
        "certification_request_newest",
        "certification_request_of_outcome",
        "certification_request_unanswered",
        "commune_by_former_code",
        "commune_by_name",
        "commune_by_post_code",
        "commune_by_similar_name",
        "company_by_name",
        "company_name_search",
        "company_of_department",
        "company_to_geocode",
        "consent_of_job_seeker",
        "dashboard_visit_newest",
        "invitation_attempt_due",
        "invitation_attempt_found",
        "invitation_attempt_open",
        "invitation_attempt_to_forget",
        "invitation_attempt_unanswered",
        "invitation_request_hold",
        "invitation_request_of_partner_user",
        "invitation_request_recent",
        "job_application_accepted",
        "job_application_newest",
        "job_application_of_approval",
        "job_application_of_company",
        "job_application_of_job_seeker",
        "job_application_of_job_seeker_at_company",
        "job_application_of_sender",
        "job_application_of_sender_organization",
        "job_seeker_profile_department",
        "job_seeker_profile_registered_by",
        "job_seeker_profile_registered_by_organization",
        "job_seeker_profile_to_certify",
        "job_seeker_profile_to_geocode",
        "mail_due",
        "mail_newest",
        "mail_of_state",
        "membership_of_user",
        "notification_attempt_figures",
        "notification_attempt_newest",
        "notification_attempt_of_approval",
        "notification_attempt_of_cancellation",
        "operation_run_due",
        "operation_run_item_of_run",
        "operation_run_newest",
        "participation_of_job_seeker",
        "partner_calls_by_minute",
        "partner_calls_last_failure",
        "partner_calls_last_success",
        "partner_client_company_of_client",
        "partner_secret_of_client",
        "survey_answered",
        "survey_newest",
        "survey_of_status",
        "survey_sent",
        "survey_to_mail",
        "unlinked_survey_answer_answered",
        "unlinked_survey_answer_of_reference",
        "user_job_seekers_newest",
        "user_name_search",
        "webhook_event_latest",
        "webhook_event_newest",
        "webhook_event_of_error",
        "webhook_event_of_organisation",
        "webhook_event_of_resource",
        "webhook_event_of_resource_id",
        "webhook_event_of_source",
        "webhook_event_of_status",
        "webhook_event_of_users",
        "webhook_event_timings",
        "webhook_event_to_process",
        "webhook_event_to_purge",
        "webhook_event_unmatched",
        "worker_heartbeat_latest",
    }
)

# Proven one by one in test_triggers.py. (table, trigger)
TRIGGERS: frozenset[tuple[str, str]] = frozenset(
    {
        ("approval", "approval_log_notification"),
        ("approval", "approval_rearm_notification"),
        ("approval", "approval_status_due"),
        ("approval", "approval_touch"),
        ("cancelled_approval", "cancelled_approval_log_made"),
        ("cancelled_approval", "cancelled_approval_log_notification"),
        ("cancelled_approval", "cancelled_approval_status_due"),
        ("company", "company_address_changed"),
        ("company", "company_address_given"),
        ("company", "company_touch"),
        ("job_application", "job_application_touch"),
        ("job_seeker_profile", "job_seeker_profile_address_changed"),
        ("job_seeker_profile", "job_seeker_profile_address_given"),
        ("job_seeker_profile", "profile_forget_certification"),
        ("user", "user_forget_certification"),
        ("user", "user_touch"),
        ("webhook_event", "webhook_event_status_due"),
    }
)

EXTENSIONS: frozenset[str] = frozenset({"btree_gist", "pg_trgm", "plpgsql"})
FUNCTIONS: frozenset[str] = frozenset(
    {
        "address_to_geocode",
        "approval_log_notification",
        "approval_rearm_notification",
        "cancelled_approval_log_notification",
        "note_due_since",
        "profile_forget_certification",
        "search_key",
        "touch_updated_at",
        "user_forget_certification",
    }
)
