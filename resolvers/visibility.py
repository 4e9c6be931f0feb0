"""Who may see which rows: one rule a model and kind of viewer, used by lists, nodes, loaders and events alike.

A rule is a SQL condition on the row's alias `{t}`. What is not said is not seen: a missing rule is FALSE.
"""

from __future__ import annotations

from resolvers.viewer import Scope

_SENT_BY_ORGANIZATION = (
    "EXISTS (SELECT 1 FROM job_application v WHERE v.job_seeker_id = {person}"
    " AND v.sender_prescriber_organization_id = :organization_id)"
)
_SENT_BY_VIEWER = (
    "EXISTS (SELECT 1 FROM job_application v WHERE v.job_seeker_id = {person} AND v.sender_id = :viewer_id)"
)
_REGISTERED_BY_ORGANIZATION = (
    "EXISTS (SELECT 1 FROM job_seeker_profile v WHERE v.id = {person}"
    " AND v.created_by_prescriber_organization_id = :organization_id)"
)
_APPLIED_TO_COMPANY = (
    "EXISTS (SELECT 1 FROM job_application v WHERE v.job_seeker_id = {person} AND v.company_id = :organization_id)"
)
_FOLLOWED_BY_ORGANIZATION = f"({_REGISTERED_BY_ORGANIZATION} OR {_SENT_BY_ORGANIZATION} OR {_SENT_BY_VIEWER})"


def _about(condition: str, person: str) -> str:
    return condition.replace("{person}", person)


_EVERYTHING = {Scope.STAFF: "TRUE", Scope.OPERATOR: "TRUE"}

_STANDING_APPOINTMENT = "{t}.destroyed_at IS NULL"
_APPOINTMENT: dict[Scope, str] = {
    Scope.STAFF: _STANDING_APPOINTMENT,
    Scope.OPERATOR: _STANDING_APPOINTMENT,
    Scope.EMPLOYER: f"{_STANDING_APPOINTMENT} AND {{t}}.company_id = :organization_id",
    Scope.JOB_SEEKER: f"{_STANDING_APPOINTMENT} AND EXISTS (SELECT 1 FROM participation vp"
    " WHERE vp.appointment_id = {t}.id AND vp.job_seeker_id = :viewer_id AND vp.removed_at IS NULL)",
    Scope.AUTHORIZED_PRESCRIBER: f"{_STANDING_APPOINTMENT} AND EXISTS (SELECT 1 FROM participation vp"
    " WHERE vp.appointment_id = {t}.id AND vp.removed_at IS NULL"
    f" AND {_about(_FOLLOWED_BY_ORGANIZATION, 'vp.job_seeker_id')})",
    Scope.PARTNER: f"{_STANDING_APPOINTMENT} AND {{t}}.company_id = ANY(:company_ids::uuid[])",
}

_STANDING_PARTICIPATION = (
    "{t}.removed_at IS NULL AND EXISTS (SELECT 1 FROM appointment va WHERE va.id = {t}.appointment_id"
    " AND va.destroyed_at IS NULL{company})"
)


def _participation(company: str = "", also: str = "") -> str:
    return _STANDING_PARTICIPATION.replace("{company}", company) + also


_PARTICIPATION: dict[Scope, str] = {
    Scope.STAFF: _participation(),
    Scope.OPERATOR: _participation(),
    # A person whose application went elsewhere is no longer in sight, and nor is what they came to before.
    Scope.EMPLOYER: _participation(
        " AND va.company_id = :organization_id", also=f" AND {_about(_APPLIED_TO_COMPANY, '{t}.job_seeker_id')}"
    ),
    Scope.JOB_SEEKER: _participation(also=" AND {t}.job_seeker_id = :viewer_id"),
    Scope.AUTHORIZED_PRESCRIBER: _participation(also=f" AND {_about(_FOLLOWED_BY_ORGANIZATION, '{t}.job_seeker_id')}"),
    Scope.PARTNER: _participation(" AND va.company_id = ANY(:company_ids::uuid[])"),
}

_JOB_APPLICATION: dict[Scope, str] = {
    **_EVERYTHING,
    Scope.EMPLOYER: "{t}.company_id = :organization_id",
    Scope.JOB_SEEKER: "{t}.job_seeker_id = :viewer_id",
    Scope.AUTHORIZED_PRESCRIBER: "({t}.sender_prescriber_organization_id = :organization_id"
    " OR {t}.sender_id = :viewer_id)",
    Scope.PRESCRIBER: "{t}.sender_id = :viewer_id",
}

_INVITATION_REQUEST = f"{{t}}.company_id = :organization_id AND {_about(_APPLIED_TO_COMPANY, '{t}.job_seeker_id')}"

# What is left of an erased person hangs on kept approvals, and is nobody to be found or acted upon.
_NOT_ERASED = " AND {t}.erased_at IS NULL"

_RULES: dict[str, dict[Scope, str]] = {
    "JobSeeker": {
        Scope.STAFF: "{t}.kind = 'job_seeker'" + _NOT_ERASED,
        Scope.OPERATOR: "{t}.kind = 'job_seeker'" + _NOT_ERASED,
        Scope.JOB_SEEKER: "{t}.id = :viewer_id",
        Scope.EMPLOYER: _about(_APPLIED_TO_COMPANY, "{t}.id") + _NOT_ERASED,
        Scope.AUTHORIZED_PRESCRIBER: "{t}.kind = 'job_seeker' AND "
        + _about(_FOLLOWED_BY_ORGANIZATION, "{t}.id")
        + _NOT_ERASED,
        Scope.PRESCRIBER: _about(_SENT_BY_VIEWER, "{t}.id") + _NOT_ERASED,
        Scope.PARTNER: "EXISTS (SELECT 1 FROM participation vp WHERE vp.job_seeker_id = {t}.id AND "
        + _PARTICIPATION[Scope.PARTNER].replace("{t}", "vp")
        + ")",
    },
    "JobApplication": _JOB_APPLICATION,
    "Approval": {
        **_EVERYTHING,
        Scope.JOB_SEEKER: "{t}.job_seeker_id = :viewer_id",
        Scope.EMPLOYER: _about(_APPLIED_TO_COMPANY, "{t}.job_seeker_id"),
        Scope.AUTHORIZED_PRESCRIBER: _about(_FOLLOWED_BY_ORGANIZATION, "{t}.job_seeker_id"),
        Scope.PRESCRIBER: _about(_SENT_BY_VIEWER, "{t}.job_seeker_id"),
    },
    "NotificationAttempt": {Scope.OPERATOR: "TRUE"},
    "WebhookEvent": {Scope.OPERATOR: "TRUE"},
    "Company": {
        **_EVERYTHING,
        Scope.EMPLOYER: "{t}.id = :organization_id",
        Scope.JOB_SEEKER: "EXISTS (SELECT 1 FROM job_application v"
        " WHERE v.company_id = {t}.id AND v.job_seeker_id = :viewer_id)",
        Scope.AUTHORIZED_PRESCRIBER: "EXISTS (SELECT 1 FROM job_application v WHERE v.company_id = {t}.id AND "
        + _JOB_APPLICATION[Scope.AUTHORIZED_PRESCRIBER].replace("{t}", "v")
        + ")",
        Scope.PRESCRIBER: "EXISTS (SELECT 1 FROM job_application v"
        " WHERE v.company_id = {t}.id AND v.sender_id = :viewer_id)",
        Scope.LABOR_INSPECTOR: "{t}.department = ANY(:departments::text[])",
        Scope.PARTNER: "{t}.id = ANY(:company_ids::uuid[])",
    },
    "PrescriberOrganization": {
        **_EVERYTHING,
        Scope.AUTHORIZED_PRESCRIBER: "{t}.id = :organization_id",
        Scope.PRESCRIBER: "{t}.id = :organization_id",
    },
    "Institution": {**_EVERYTHING, Scope.LABOR_INSPECTOR: "{t}.id = :organization_id"},
    "User": {
        **_EVERYTHING,
        **dict.fromkeys(
            (
                Scope.JOB_SEEKER,
                Scope.EMPLOYER,
                Scope.AUTHORIZED_PRESCRIBER,
                Scope.PRESCRIBER,
                Scope.LABOR_INSPECTOR,
                Scope.NOBODY,
            ),
            "{t}.id = :viewer_id",
        ),
    },
    "Appointment": _APPOINTMENT,
    "Participation": _PARTICIPATION,
    "Location": {
        **_EVERYTHING,
        **{
            scope: "EXISTS (SELECT 1 FROM appointment vl WHERE vl.location_id = {t}.id AND "
            + condition.replace("{t}", "vl")
            + ")"
            for scope, condition in _APPOINTMENT.items()
            if scope not in _EVERYTHING
        },
    },
    "InvitationRequest": {**_EVERYTHING, Scope.EMPLOYER: _INVITATION_REQUEST},
    "Invitation": {
        **_EVERYTHING,
        Scope.EMPLOYER: "EXISTS (SELECT 1 FROM invitation_request vi WHERE vi.id = {t}.invitation_request_id AND "
        + _INVITATION_REQUEST.replace("{t}", "vi")
        + ")",
    },
    "Survey": {
        **_EVERYTHING,
        Scope.JOB_SEEKER: "{t}.kind = 'post_hiring_job_seeker' AND EXISTS (SELECT 1 FROM job_application v"
        " WHERE v.id = {t}.job_application_id AND v.job_seeker_id = :viewer_id)",
        Scope.EMPLOYER: "{t}.kind = 'post_hiring_employer' AND EXISTS (SELECT 1 FROM job_application v"
        " WHERE v.id = {t}.job_application_id AND v.company_id = :organization_id)",
        Scope.AUTHORIZED_PRESCRIBER: "{t}.kind = 'prescriber_satisfaction' AND EXISTS (SELECT 1 FROM job_application v"
        " WHERE v.id = {t}.job_application_id AND v.sender_prescriber_organization_id = :organization_id)",
        Scope.PRESCRIBER: "{t}.kind = 'prescriber_satisfaction' AND EXISTS (SELECT 1 FROM job_application v"
        " WHERE v.id = {t}.job_application_id AND v.sender_id = :viewer_id)",
    },
}

# Which of a partner client's scopes opens which type.
PARTNER_SCOPES = {
    "Appointment": "appointments:read",
    "Location": "appointments:read",
    "Participation": "participations:read",
    "JobSeeker": "participations:read",
}


_DESTROYED_APPOINTMENT: dict[Scope, str] = {
    scope: condition.replace(_STANDING_APPOINTMENT, "{t}.destroyed_at IS NOT NULL").replace(
        # The people were taken out of it when it was destroyed, or not at all.
        "vp.removed_at IS NULL",
        "(vp.removed_at IS NULL OR vp.removed_at >= {t}.destroyed_at)",
    )
    for scope, condition in _APPOINTMENT.items()
}


def visible_until_destroyed(scope: Scope, partner_scopes: frozenset[str] = frozenset()) -> str:
    """Return the condition under which a viewer of this scope saw an appointment before it was destroyed."""
    if visible("Appointment", scope, partner_scopes) == "FALSE":
        return "FALSE"
    return _DESTROYED_APPOINTMENT[scope]


def visible(type_name: str, scope: Scope, partner_scopes: frozenset[str] = frozenset()) -> str:
    """Return the condition on alias `{t}` under which a viewer of this scope sees a row of the type."""
    if scope is Scope.PARTNER and type_name in PARTNER_SCOPES and PARTNER_SCOPES[type_name] not in partner_scopes:
        return "FALSE"
    return _RULES[type_name].get(scope, "FALSE")
