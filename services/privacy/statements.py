"""The SQL of an erasure. `$1` is the person everywhere; what is deleted takes with it what only exists for it."""

from __future__ import annotations

from models.approvals import NUMBER_PREFIX
from services.privacy.holdings import (
    APPLICATIONS,
    APPROVALS,
    CANCELLATIONS,
    PARTNER_NUMBERS,
    SURVEY_KEYS,
    SURVEYS,
)

LOCK_PERSON = 'SELECT id FROM "user" WHERE id = $1 FOR UPDATE'

_IS_HELD = "lease_until > clock_timestamp()"
# What the worker would announce: it needs the person's identity for that, or France Travail's id of them.
OBSTACLES = f"""
SELECT
    (SELECT max(end_at) FROM approval WHERE job_seeker_id = $1 AND cancelled_at IS NULL AND end_at >= $2)
        AS standing_until,
    (SELECT count(*) FROM cancelled_approval WHERE id IN ({CANCELLATIONS}) AND (
        pe_notification_status IN ('notification_ready', 'notification_should_retry')
        OR pe_notification_status = 'notification_pending' AND user_nir IS NOT NULL AND user_birthdate IS NOT NULL
            AND user_first_name <> '' AND user_last_name <> ''
    )) AS unannounced,
    EXISTS (SELECT FROM approval WHERE job_seeker_id = $1 AND {_IS_HELD})
        OR EXISTS (SELECT FROM cancelled_approval WHERE id IN ({CANCELLATIONS}) AND {_IS_HELD})
        OR EXISTS (SELECT FROM certification_request WHERE job_seeker_id = $1 AND {_IS_HELD})
        OR EXISTS (SELECT FROM mail WHERE subject_id IN ({APPLICATIONS} UNION ALL {SURVEYS}) AND {_IS_HELD})
        OR EXISTS (SELECT FROM invitation_attempt WHERE job_seeker_id = $1 AND answer_due_at > clock_timestamp())
        AS is_worked_on
"""

# Bodies name people. What is still to be processed keeps its own until then: it finds nobody any more, and the body
# goes with the others by its age.
FORGET_WEBHOOKS = f"""
WITH theirs AS MATERIALIZED ({PARTNER_NUMBERS})
UPDATE webhook_event SET
    body = CASE WHEN status = 'received' THEN body END,
    partner_user_ids = ARRAY(SELECT unnest(partner_user_ids) EXCEPT SELECT number FROM theirs)
WHERE source = 'rdv_insertion' AND partner_user_ids && ARRAY(SELECT number FROM theirs)
    OR source = 'tally' AND resource_id IN ({SURVEY_KEYS})
RETURNING id
"""

DELETE_IN_ORDER = (
    f"DELETE FROM mail WHERE subject_id IN ({APPLICATIONS} UNION ALL {SURVEYS}) RETURNING id",
    f"DELETE FROM survey WHERE job_application_id IN ({APPLICATIONS}) RETURNING id",
    # An appointment with nobody else in it was about this person. Their parts go with it, or by themselves.
    """
    DELETE FROM appointment WHERE NOT is_collective
        AND id IN (SELECT appointment_id FROM participation WHERE job_seeker_id = $1)
        AND NOT EXISTS (
            SELECT FROM participation other WHERE other.appointment_id = appointment.id AND other.job_seeker_id <> $1
        )
    RETURNING id
    """,
    "DELETE FROM participation WHERE job_seeker_id = $1 RETURNING id",
    "DELETE FROM invitation_attempt WHERE job_seeker_id = $1 RETURNING id",
    # Without them no event of RDV-Insertion finds the person again.
    "DELETE FROM invitation_request WHERE job_seeker_id = $1 RETURNING id",
    "DELETE FROM certification_request WHERE job_seeker_id = $1 RETURNING id",
    "DELETE FROM consent WHERE job_seeker_id = $1 RETURNING id",
    "DELETE FROM membership WHERE user_id = $1 RETURNING id",
    "DELETE FROM dashboard_visit WHERE user_id = $1 RETURNING id",
)

DELETE_CANCELLATIONS = f"DELETE FROM cancelled_approval WHERE id IN ({CANCELLATIONS}) AND end_at <= $2 RETURNING id"
EMPTY_CANCELLATIONS = f"""
UPDATE cancelled_approval SET user_first_name = '', user_last_name = '', user_nir = NULL, user_birthdate = NULL,
    user_id_national_pe = NULL
WHERE id IN ({CANCELLATIONS}) RETURNING id
"""
# Numbers are counted from the highest (services/numbering.py): that one stays, or it would be given again.
DELETE_APPROVALS = f"""
DELETE FROM approval WHERE job_seeker_id = $1 AND end_at <= $2 AND (
    number NOT LIKE '{NUMBER_PREFIX}%'
    OR EXISTS (SELECT FROM approval later WHERE later.number > approval.number AND later.number LIKE '{NUMBER_PREFIX}%')
) RETURNING id
"""
# The hiring of a kept approval says why it was granted.
DELETE_APPLICATIONS = f"""
DELETE FROM job_application WHERE job_seeker_id = $1 AND (approval_id IS NULL OR approval_id NOT IN ({APPROVALS}))
RETURNING id
"""
EMPTY_APPLICATIONS = """
UPDATE job_application SET has_resume = FALSE, diagoriente_invite_sent_at = NULL, diagoriente_recipient = NULL,
    diagoriente_token_hash = NULL, diagoriente_opened_at = NULL
WHERE job_seeker_id = $1 RETURNING id
"""
KEPT = "SELECT count(*) AS number, max(end_at) AS last_day FROM approval WHERE job_seeker_id = $1"
DELETE_PERSON = 'DELETE FROM "user" WHERE id = $1 RETURNING id'
DELETE_PROFILE = "DELETE FROM job_seeker_profile WHERE user_id = $1 RETURNING id"
EMPTY_PERSON = """
UPDATE "user" SET subject = NULL, title = NULL, first_name = '', last_name = '', email = NULL, phone = '',
    is_active = FALSE, is_observer = FALSE, is_operator = FALSE, may_read_full_nir = FALSE,
    erased_at = coalesce(erased_at, $2)
WHERE id = $1 RETURNING id
"""
FINISHED = """
SELECT person.id FROM "user" person
WHERE person.erased_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM approval WHERE approval.job_seeker_id = person.id AND approval.end_at > $1
)
ORDER BY person.erased_at LIMIT $2
"""
