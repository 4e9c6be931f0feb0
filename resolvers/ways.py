"""How a page comes to its rows where the rule of visibility alone would lead PostgreSQL astray.

A rule that says OR, or that follows a person, cannot be read from an index in the page's order: PostgreSQL then walks
the whole list, newest first, until a page is full, which takes long for whoever sees one row in a thousand. A way names
a part of the rows that an index gives, in order; the candidates of all ways together hold the page. Ways only ever
narrow: the rule and the filters are asked of the candidates as well. They are not asked of the page once more: joined
to a page of candidates, a rule that follows a person may be answered by reading a whole table.
"""

from __future__ import annotations

from dataclasses import dataclass

from resolvers.viewer import Scope


@dataclass(frozen=True, slots=True)
class Way:
    """`condition`: a template on the row, which an index serves. `each`: it holds once for each row of this."""

    condition: str
    each: str | None = None


_SENT_BY_ORGANIZATION = (
    "SELECT job_seeker_id FROM job_application WHERE sender_prescriber_organization_id = :organization_id"
)
_SENT_BY_VIEWER = "SELECT job_seeker_id FROM job_application WHERE sender_id = :viewer_id"
_REGISTERED = "SELECT id FROM job_seeker_profile WHERE created_by_prescriber_organization_id = :organization_id"
# As an array: joined, the planner would weigh it against walking the list, and misjudge how soon a page is full.
_FOLLOWED = f"ANY(ARRAY({_SENT_BY_ORGANIZATION} UNION {_SENT_BY_VIEWER} UNION {_REGISTERED}))"
_SENT = f"ANY(ARRAY({_SENT_BY_VIEWER}))"
_APPLIED = "ANY(ARRAY(SELECT job_seeker_id FROM job_application WHERE company_id = :organization_id))"
# The people of each appointment apart (OFFSET keeps it so): joined, a busy table may be read from end to end for them.
_MET = (
    "ANY(ARRAY(SELECT p.job_seeker_id FROM appointment a CROSS JOIN LATERAL"
    " (SELECT job_seeker_id FROM participation WHERE appointment_id = a.id OFFSET 0) p"
    " WHERE a.company_id = ANY(:company_ids::uuid[])))"
)
_EACH_COMPANY = "unnest(:company_ids::uuid[]) AS way (id)"

_WAYS: dict[tuple[str, Scope], tuple[Way, ...]] = {
    ("JobApplication", Scope.AUTHORIZED_PRESCRIBER): (
        Way("{t}.sender_prescriber_organization_id = :organization_id"),
        Way("{t}.sender_id = :viewer_id"),
    ),
    ("JobSeeker", Scope.AUTHORIZED_PRESCRIBER): (Way(f"{{t}}.id = {_FOLLOWED}"),),
    ("Approval", Scope.AUTHORIZED_PRESCRIBER): (Way(f"{{t}}.job_seeker_id = {_FOLLOWED}"),),
    ("Participation", Scope.AUTHORIZED_PRESCRIBER): (Way(f"{{t}}.job_seeker_id = {_FOLLOWED}"),),
    ("Appointment", Scope.AUTHORIZED_PRESCRIBER): (
        Way(f"{{t}}.id = ANY(ARRAY(SELECT appointment_id FROM participation WHERE job_seeker_id = {_FOLLOWED}))"),
    ),
    ("JobSeeker", Scope.PRESCRIBER): (Way(f"{{t}}.id = {_SENT}"),),
    ("Approval", Scope.PRESCRIBER): (Way(f"{{t}}.job_seeker_id = {_SENT}"),),
    ("JobSeeker", Scope.EMPLOYER): (Way(f"{{t}}.id = {_APPLIED}"),),
    ("Approval", Scope.EMPLOYER): (Way(f"{{t}}.job_seeker_id = {_APPLIED}"),),
    ("Participation", Scope.EMPLOYER): (Way("{appointment}.company_id = :organization_id"),),
    ("JobSeeker", Scope.PARTNER): (Way(f"{{t}}.id = {_MET}"),),
    ("Appointment", Scope.PARTNER): (Way("{t}.company_id = way.id", _EACH_COMPANY),),
    ("Participation", Scope.PARTNER): (Way("{appointment}.company_id = way.id", _EACH_COMPANY),),
}


def ways_into(type_name: str, scope: Scope) -> tuple[Way, ...]:
    """Return the ways that lead a kind of viewer to a type's rows; none where the rule itself is a way."""
    return _WAYS.get((type_name, scope), ())
