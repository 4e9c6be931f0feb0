"""Where data about a person lies: every table, how their rows are found in it, and what a copy for them shows.

A test compares this list with the database: a new column that points at people belongs here in the same change.
"""

from __future__ import annotations

from dataclasses import dataclass

# Machinery of workers: it says nothing of anybody.
_MACHINERY = frozenset({"lease_token", "lease_until"})

APPLICATIONS = "SELECT id FROM job_application WHERE job_seeker_id = $1"
APPROVALS = "SELECT id FROM approval WHERE job_seeker_id = $1"
# A cancellation outlives its approval; then only France Travail's id of the person joins the two.
CANCELLATIONS = f"""
SELECT id FROM cancelled_approval WHERE approval_id IN ({APPROVALS}) OR user_id_national_pe = (
    SELECT pe_obfuscated_nir FROM job_seeker_profile WHERE user_id = $1
)
"""
SURVEYS = f"SELECT id FROM survey WHERE job_application_id IN ({APPLICATIONS})"
PARTNER_NUMBERS = """
SELECT rdv_insertion_user_id AS number FROM invitation_request WHERE job_seeker_id = $1
UNION SELECT rdv_insertion_user_id FROM invitation_attempt
    WHERE job_seeker_id = $1 AND rdv_insertion_user_id IS NOT NULL
"""
# As services/webhooks/deliveries.py names the survey that an answer is for.
SURVEY_KEYS = f"""
SELECT encode(sha256(convert_to('ref:' || reference, 'UTF8')), 'hex') FROM survey
WHERE job_application_id IN ({APPLICATIONS})
"""
_PARTS = "SELECT id FROM participation WHERE job_seeker_id = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One table with data about a person, `$1` of `condition`.

    `sealed`, `documents`: columns that are encrypted, that are JSON. `hidden`: those that a copy for them leaves out.
    """

    table: str
    condition: str
    sealed: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    def shows(self, column: str) -> bool:
        return column not in self.hidden and column not in _MACHINERY


HOLDINGS = (
    Holding(table="user", condition="id = $1"),
    Holding(
        table="job_seeker_profile",
        condition="user_id = $1",
        sealed=frozenset({"nir"}),
        hidden=frozenset({"nir_fingerprint"}),
    ),
    Holding(table="membership", condition="user_id = $1"),
    Holding(table="consent", condition="job_seeker_id = $1"),
    Holding(table="identity_certification", condition="jobseeker_profile_id = $1"),
    Holding(table="certification_request", condition="job_seeker_id = $1"),
    Holding(table="job_application", condition="job_seeker_id = $1", hidden=frozenset({"diagoriente_token_hash"})),
    Holding(table="survey", condition=f"job_application_id IN ({APPLICATIONS})", documents=frozenset({"context"})),
    Holding(table="approval", condition="job_seeker_id = $1"),
    Holding(table="cancelled_approval", condition=f"id IN ({CANCELLATIONS})", sealed=frozenset({"user_nir"})),
    Holding(
        table="notification_attempt",
        condition=f"approval_id IN ({APPROVALS}) OR cancelled_approval_id IN ({CANCELLATIONS})",
    ),
    Holding(table="approval_event", condition=f"approval_id IN ({APPROVALS})"),
    Holding(
        table="mail",
        condition=f"subject_id IN ({APPLICATIONS} UNION ALL {SURVEYS})",
        sealed=frozenset({"parameters"}),
        documents=frozenset({"parameters"}),
        # It may be somebody else's: their employer, who sent them.
        hidden=frozenset({"recipient"}),
    ),
    Holding(table="invitation_request", condition="job_seeker_id = $1", documents=frozenset({"api_response"})),
    Holding(
        table="invitation",
        condition="invitation_request_id IN (SELECT id FROM invitation_request WHERE job_seeker_id = $1)",
    ),
    Holding(
        table="invitation_attempt",
        condition="job_seeker_id = $1",
        sealed=frozenset({"sought", "refusal"}),
        documents=frozenset({"sought", "refusal"}),
    ),
    Holding(table="participation", condition="job_seeker_id = $1"),
    Holding(
        table="appointment",
        condition="id IN (SELECT appointment_id FROM participation WHERE job_seeker_id = $1)",
        # How many others are expected is no business of theirs.
        hidden=frozenset({"total_participants", "max_participants"}),
    ),
    Holding(table="appointment_event", condition=f"participation_id IN ({_PARTS})"),
    Holding(
        table="webhook_event",
        condition=f"source = 'rdv_insertion' AND partner_user_ids && ARRAY(SELECT number FROM ({PARTNER_NUMBERS}) ours)"
        f" OR source = 'tally' AND resource_id IN ({SURVEY_KEYS})",
        sealed=frozenset({"body"}),
        # Who else was to come is theirs to know (GDPR, article 15(4)).
        hidden=frozenset({"partner_user_ids"}),
    ),
    # Who of a team read something is not told, when and for which organisation is (CJEU, 22 June 2023, C-579/21).
    Holding(table="access_log", condition="job_seeker_id = $1", hidden=frozenset({"viewer_id"})),
    Holding(table="dashboard_visit", condition="user_id = $1"),
)

# What somebody did, noted on rows about other people: of these a copy only says how many.
TRACKS = (
    ("job_seeker_profile", "created_by_id"),
    ("job_application", "sender_id"),
    ("consent", "given_by_id"),
    ("consent", "withdrawn_by_id"),
    ("certification_request", "requested_by_id"),
    ("invitation_attempt", "requested_by_id"),
    ("cancelled_approval", "cancelled_by_id"),
    ("access_log", "viewer_id"),
    ("audit_entry", "actor_id"),
    ("manual_pause", "author_id"),
    ("operation_run", "author_id"),
    ("silenced_alarm", "author_id"),
)
