"""Which viewers may read which fields of a row that they see. What is not listed here, all of them may.

Rows are the business of resolvers/visibility.py. A field that is refused is null, with FORBIDDEN at its path; so a
field that may be refused is nullable.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any
from uuid import UUID

from execution.plans import Read, read_field
from models.enums import PartnerScope
from resolvers.context import OperationContext
from resolvers.errors import Forbidden
from resolvers.viewer import Scope

_STAFF = frozenset({Scope.STAFF, Scope.OPERATOR})
# Everyone who sees job seekers, but machine clients: these know a name and an id.
_PEOPLE = _STAFF | {Scope.JOB_SEEKER, Scope.EMPLOYER, Scope.AUTHORIZED_PRESCRIBER, Scope.PRESCRIBER}

# What of a person staff read beyond the name leaves a trace: they see everybody, so who looked must be known.
STAFF_TRACE = "profile"

FIELD_RULES: dict[str, frozenset[Scope]] = {
    **dict.fromkeys(
        (
            "JobSeeker.title",
            "JobSeeker.email",
            "JobSeeker.phone",
            "JobSeeker.birthdate",
            "JobSeeker.birthPlace",
            "JobSeeker.birthCountry",
            "JobSeeker.nir",
            "JobSeeker.franceTravailId",
            "JobSeeker.address",
            "JobSeeker.isCertified",
            "JobSeeker.identityCertifications",
            "JobSeeker.readonlyFields",
        ),
        _PEOPLE,
    ),
    "JobSeeker.consents": _PEOPLE - {Scope.PRESCRIBER},
    # Who is not authorised to prescribe knows an approval by its number and dates.
    "Approval.originCompany": _PEOPLE - {Scope.PRESCRIBER},
    "Participation.appointment": _PEOPLE | {Scope.PARTNER},
    # Employers of the company that obtained it: asked of the row.
    "Approval.notification": _STAFF | {Scope.EMPLOYER},
    **dict.fromkeys(
        (
            "ApprovalNotification.lastAttemptAt",
            "ApprovalNotification.nextAttemptAt",
            "ApprovalNotification.endpoint",
            "ApprovalNotification.exitCode",
            "ApprovalNotification.exitLabel",
            "ApprovalNotification.blockedBy",
        ),
        _STAFF,
    ),
    "ApprovalNotification.attempts": frozenset({Scope.OPERATOR}),
}


# Which of a partner client's scopes a field needs, besides the one that opens its type.
PARTNER_FIELD_SCOPES = {"Participation.appointment": PartnerScope.READ_APPOINTMENTS.value}


def check(field: str, context: OperationContext) -> None:
    """Raise Forbidden when this kind of viewer may not read the field (`Type.field`)."""
    viewer = context.viewer
    scope = viewer.scope
    partner_scope = PARTNER_FIELD_SCOPES.get(field)
    if scope not in FIELD_RULES[field] or (
        partner_scope is not None and scope is Scope.PARTNER and partner_scope not in viewer.partner_scopes
    ):
        raise forbidden(field)


def check_personal(field: str, context: OperationContext, job_seeker_id: UUID) -> None:
    """As `check`, for a field of a job seeker: what staff read leaves a trace, once an operation and person."""
    check(field, context)
    if context.viewer.scope in _STAFF:
        context.personal_reads.add((job_seeker_id, STAFF_TRACE))


def forbidden(field: str) -> Forbidden:
    return Forbidden(f"{field}: not readable for this viewer")


def guarded(field: str, graphql_type: Any, attribute: str, *, description: str | None = None) -> Any:
    """A field that is read from `attribute` of the row once the rule of `field` allows it."""
    return guarded_value(field, graphql_type, attrgetter(attribute), description=description)


def guarded_value(
    field: str, graphql_type: Any, value_of: Callable[[Any], Any], *, description: str | None = None
) -> Any:
    """A field whose value is made of the row once the rule of `field` allows it.

    The rule is of the kind of viewer, so it is asked once for a page; what staff read of a person is noted at each row.
    """
    is_personal = field.startswith("JobSeeker.")

    def prepare(context: OperationContext) -> Read:
        check(field, context)
        if not is_personal or context.viewer.scope not in _STAFF:
            return value_of
        note = context.personal_reads.add

        def read(row: Any) -> Any:
            note((row.pk, STAFF_TRACE))
            return value_of(row)

        return read

    return read_field(prepare, graphql_type, description=description)
