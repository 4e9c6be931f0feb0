"""The indexes that pages, claims and sweeps stand on. Each says what it serves."""

from tortoise import migrations

from models.migration_steps import Step, in_one_operation, index

# What people type has no accents and no case. Immutable, so that an index may hold it.
SEARCH_KEY = """
CREATE FUNCTION search_key(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(translate(value,
    'ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖòóôõöÙÚÛÜùúûüÝŸýÿ’',
    'AAAAAAaaaaaaCcEEEEeeeeIIIIiiiiNnOOOOOoooooUUUUuuuuYYyy'''))
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0002_constraints")]

    operations = [
        in_one_operation(
            Step("CREATE EXTENSION IF NOT EXISTS pg_trgm", "DROP EXTENSION IF EXISTS pg_trgm"),
            Step(SEARCH_KEY, "DROP FUNCTION search_key(text)"),
            # -- people: search by name, newest first, what an organisation registered, who is to be certified
            index("user", "name_search", "USING gin (search_key(first_name || ' ' || last_name) gin_trgm_ops)"),
            index("user", "job_seekers_newest", "(created_at DESC, id DESC) WHERE kind = 'job_seeker'"),
            index("job_seeker_profile", "registered_by_organization", "(created_by_prescriber_organization_id)"),
            index("job_seeker_profile", "registered_by", "(created_by_id)"),
            index("job_seeker_profile", "department", "(department)"),
            index(
                "job_seeker_profile",
                "to_certify",
                "(pe_last_certification_attempt_at NULLS FIRST) WHERE pe_obfuscated_nir IS NULL",
            ),
            index("consent", "of_job_seeker", "(job_seeker_id)"),
            # -- organisations
            index("company", "by_name", "(name, id)"),
            index("company", "name_search", "USING gin (search_key(name || ' ' || brand) gin_trgm_ops)"),
            index("company", "of_department", "(department, name, id)"),
            index("membership", "of_user", "(user_id) WHERE ended_at IS NULL"),
            index("partner_client_company", "of_client", "(partner_client_id)"),
            # -- job applications: the employer's page, the prescriber's, the job seeker's; whom an employer may see
            index("job_application", "of_company", "(company_id, created_at DESC, id DESC)"),
            index("job_application", "of_job_seeker", "(job_seeker_id, created_at DESC, id DESC)"),
            index("job_application", "of_job_seeker_at_company", "(job_seeker_id, company_id, state)"),
            index("job_application", "of_sender", "(sender_id, created_at DESC, id DESC)"),
            index(
                "job_application",
                "of_sender_organization",
                "(sender_prescriber_organization_id, created_at DESC, id DESC)",
            ),
            index("job_application", "of_approval", "(approval_id, state)"),
            index("job_application", "newest", "(created_at DESC, id DESC)"),
            # -- approvals: lists, the valid one of a person, and what the notification cron asks
            index("approval", "newest", "(start_at DESC, id DESC)"),
            index("approval", "of_job_seeker", "(job_seeker_id, start_at DESC, id DESC)"),
            index("approval", "of_origin_company", "(origin_company_id, start_at DESC, id DESC)"),
            index("approval", "by_status", "(pe_notification_status, start_at DESC, id DESC)"),
            index(
                "approval",
                "due_by_age",
                "(pe_notification_status, pe_notification_time NULLS FIRST, id)"
                " WHERE pe_notification_status IN ('notification_ready', 'notification_should_retry')",
            ),
            index(
                "approval",
                "to_revive",
                "(job_seeker_id) WHERE pe_notification_status = 'notification_error'"
                " AND pe_notification_endpoint = 'rech_individu'",
            ),
            index("cancelled_approval", "by_status", "(pe_notification_status, start_at DESC, id DESC)"),
            index("notification_attempt", "of_approval", "(approval_id, started_at DESC, id DESC)"),
            index("notification_attempt", "of_cancellation", "(cancelled_approval_id, started_at DESC, id DESC)"),
            index("notification_attempt", "newest", "(started_at DESC, id DESC)"),
            # -- appointments: lists by start, the next one of a person with a company, holds and matching
            index("appointment", "of_company", "(company_id, start_at DESC, id DESC)"),
            index("appointment", "by_start", "(start_at DESC, id DESC)"),
            index("participation", "of_job_seeker", "(job_seeker_id, status)"),
            index("invitation_request", "hold", "(job_seeker_id, company_id, created_at DESC, id DESC)"),
            index("invitation_request", "of_partner_user", "(company_id, rdv_insertion_user_id)"),
            index("appointment_event", "of_company", "(company_id, position)"),
            # -- operations
            index("webhook_event", "to_process", "(arrival) WHERE status IN ('received', 'failed')"),
            index("webhook_event", "of_resource", "(source, model, resource_id)"),
            index("webhook_event", "newest", "(received_at DESC, id DESC)"),
            index("access_log", "of_job_seeker", "(job_seeker_id, at DESC)"),
            index("dashboard_visit", "newest", "(at DESC)"),
            index("worker_heartbeat", "latest", "(beat_at DESC)"),
            index("survey", "newest", "(created_at DESC, id DESC)"),
        )
    ]
