"""Which viewers may read which fields of a row that they see. What is not listed here, all of them may.

Rows are the business of resolvers/visibility.py. A field that is refused is null, with FORBIDDEN at its path; so a
field that may be refused is nullable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import strawberry

from models.enums import PartnerScope
from resolvers.context import OperationContext, context_of
from resolvers.errors import Forbidden
from resolvers.viewer import Scope
from schema.info import Info

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
    if context.viewer.scope not in FIELD_RULES[field]:
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
    allowed = FIELD_RULES[field]
    partner_scope = PARTNER_FIELD_SCOPES.get(field)
    is_personal = field.startswith("JobSeeker.")

    def resolve(root: Any, info: Info) -> Any:
        # Asked of the context directly: this runs once a row.
        context = context_of(info.raw)
        viewer = context.viewer
        scope = viewer.scope
        if scope not in allowed:
            raise forbidden(field)
        if partner_scope is not None and scope is Scope.PARTNER and partner_scope not in viewer.partner_scopes:
            raise forbidden(field)
        if is_personal and scope in _STAFF:
            context.personal_reads.add((root.pk, STAFF_TRACE))
        return getattr(root, attribute)

    resolver: Callable[..., Any] = resolve
    resolver.__annotations__["return"] = graphql_type
    return strawberry.field(resolver=resolver, description=description)
