"""The types of the schema as they lie in the database: every field's column, every relation's join."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from clients.france_travail import exit_label, type_siae
from models.appointments import participation_status_label
from models.countries import country_of
from models.departments import DEPARTMENTS, REGIONS, DepartmentRecord, RegionRecord, department_code_of
from models.encryption import key_ring
from models.enums import (
    ApprovalState,
    CancelledBy,
    CompanyKind,
    DiagorienteRecipient,
    DiagorienteStatus,
    InstitutionKind,
    InvitationKind,
    InvitationStatus,
    JobApplicationState,
    NotificationEndpoint,
    NotificationStatus,
    ParticipationStatus,
    PreliminaryCheck,
    PrescriberKind,
    SenderKind,
    SurveyKind,
    SurveyStatus,
    Title,
    UserKind,
)
from models.upcoming import upcoming_participations
from resolvers.reading import register
from resolvers.sources import Children, Column, Computed, Embedded, Entity, FieldSource, OnDemand, Ordering, ToOne


def _or_none(value: str) -> str | None:
    return value or None


def _department(insee_code: str, post_code: str, department: str) -> DepartmentRecord | None:
    code = department_code_of(insee_code=insee_code, post_code=post_code) or department
    return DEPARTMENTS.get(code)


def _address_fields(place: str) -> dict[str, FieldSource]:
    """Fields of PostalAddress, read from the columns of `place`."""
    return {
        "line1": Column(f"{place}.address_line_1", _or_none),
        "line2": Column(f"{place}.address_line_2", _or_none),
        "postCode": Column(f"{place}.post_code", _or_none),
        "city": Column(f"{place}.city", _or_none),
        "inseeCode": Column(f"{place}.insee_code", _or_none),
        "coordinates": Embedded(
            "Coordinates",
            {"latitude": Column(f"{place}.latitude"), "longitude": Column(f"{place}.longitude")},
            when=f"{place}.latitude IS NOT NULL",
        ),
        "geocodingScore": Column(f"{place}.geocoding_score"),
        "commune": OnDemand(("address_insee_code",)),
        "department": Computed((f"{place}.insee_code", f"{place}.post_code", f"{place}.department"), _department),
    }


def _address(place: str) -> Embedded:
    """Who has an address also has the private attribute `address_insee_code`."""
    return Embedded(
        "PostalAddress",
        _address_fields(place),
        when=f"{place}.post_code <> '' OR {place}.city <> ''",
    )


NEWEST_JOB_SEEKER = Ordering("JobSeeker:newest", ("{t}.created_at", "{t}.id"), (datetime, UUID), descending=True)
NEWEST_APPLICATION = Ordering("JobApplication:newest", ("{t}.created_at", "{t}.id"), (datetime, UUID), descending=True)
NEWEST_APPROVAL = Ordering("Approval:newest", ("{t}.start_at", "{t}.id"), (date, UUID), descending=True)
NEWEST_ATTEMPT = Ordering("NotificationAttempt:newest", ("{t}.started_at", "{t}.id"), (datetime, UUID), descending=True)
APPOINTMENT_BY_START = Ordering("Appointment:start", ("{t}.start_at", "{t}.id"), (datetime, UUID), descending=True)
PARTICIPATION_BY_START = Ordering(
    "Participation:start", ("{appointment}.start_at", "{t}.id"), (datetime, UUID), descending=True
)
NEWEST_REQUEST = Ordering("InvitationRequest:newest", ("{t}.created_at", "{t}.id"), (datetime, UUID), descending=True)
NEWEST_SURVEY = Ordering("Survey:newest", ("{t}.created_at", "{t}.id"), (datetime, UUID), descending=True)
COMPANY_BY_NAME = Ordering("Company:name", ("{t}.name", "{t}.id"), (str, UUID), descending=False)

JOB_SEEKER = Entity(
    "JobSeeker",
    "user",
    joins={"profile": "LEFT JOIN job_seeker_profile {profile} ON {profile}.id = {t}.id"},
    fields={
        "firstName": Column("{t}.first_name"),
        "lastName": Column("{t}.last_name"),
        "title": Column("{t}.title", Title),
        "email": Column("{t}.email"),
        "phone": Column("{t}.phone", _or_none),
        "birthdate": Column("{profile}.birthdate"),
        "birthPlace": OnDemand(("birth_place_code",)),
        "birthCountry": Column("{profile}.birth_country", country_of),
        "nir": OnDemand(("sealed_nir", "may_read_full_nir")),
        "franceTravailId": Column("{profile}.pole_emploi_id", _or_none),
        "address": _address("{profile}"),
        "isCertified": Column("EXISTS (SELECT 1 FROM identity_certification v WHERE v.jobseeker_profile_id = {t}.id)"),
        "identityCertifications": OnDemand(("certification_rows",)),
        "readonlyFields": OnDemand(("lock_columns",)),
        "consents": OnDemand(("consent_rows",)),
        "currentApproval": ToOne(
            "Approval",
            "{other}.job_seeker_id = {t}.id AND {other}.cancelled_at IS NULL"
            " AND {other}.start_at <= :today AND {other}.end_at >= :today",
        ),
        "approvals": OnDemand(),
        "jobApplications": OnDemand(),
        "participations": OnDemand(),
        "surveys": OnDemand(),
    },
    private={
        "birth_place_code": Column("{profile}.birth_place"),
        "address_insee_code": Column("{profile}.insee_code"),
        "sealed_nir": Column("{profile}.nir"),
        # An employer reads a whole NIR only of whom they hired.
        "may_read_full_nir": Column(
            "{t}.id = :viewer_id OR :viewer_is_employer AND EXISTS"
            " (SELECT 1 FROM job_application v WHERE v.job_seeker_id = {t}.id"
            " AND v.company_id = :organization_id AND v.state = 'accepted')"
        ),
        "certification_rows": Column(
            "ARRAY(SELECT (v.certifier, v.certified_at) FROM identity_certification v"
            " WHERE v.jobseeker_profile_id = {t}.id ORDER BY v.certified_at, v.certifier)"
        ),
        "lock_columns": Computed(
            (
                "EXISTS (SELECT 1 FROM identity_certification v WHERE v.jobseeker_profile_id = {t}.id"
                " AND v.certifier = 'api_particulier')",
                "{profile}.nir_fingerprint IS NOT NULL",
                "{profile}.pole_emploi_id",
                "{profile}.birth_country",
                "{profile}.birth_place",
            ),
            lambda *values: values,
        ),
        "consent_rows": Column(
            "ARRAY(SELECT (v.purpose, v.given_at, v.withdrawn_at) FROM consent v"
            " WHERE v.job_seeker_id = {t}.id ORDER BY v.given_at)"
        ),
    },
    children={
        "approvals": Children("Approval", "{t}.job_seeker_id = {parent}", NEWEST_APPROVAL),
        "jobApplications": Children("JobApplication", "{t}.job_seeker_id = {parent}", NEWEST_APPLICATION),
        "participations": Children("Participation", "{t}.job_seeker_id = {parent}", PARTICIPATION_BY_START),
        "surveys": Children(
            "Survey",
            "EXISTS (SELECT 1 FROM job_application s WHERE s.id = {t}.job_application_id"
            " AND s.job_seeker_id = {parent})",
            NEWEST_SURVEY,
        ),
    },
)

_STATE = (
    "CASE WHEN {t}.cancelled_at IS NOT NULL THEN 'cancelled' WHEN {t}.start_at > :today THEN 'future'"
    " WHEN {t}.end_at >= :today THEN 'valid' ELSE 'expired' END"
)
_SIAE_KINDS = ", ".join(f"'{kind.value}'" for kind in CompanyKind if type_siae(kind.value) is not None)
_BLOCKED_BY = (
    "ARRAY_REMOVE(ARRAY["
    "CASE WHEN {t}.start_at > :today THEN 'STARTS_IN_FUTURE' END, "
    "CASE WHEN {t}.cancelled_at IS NULL AND NOT EXISTS (SELECT 1 FROM job_application v"
    " WHERE v.approval_id = {t}.id AND v.state = 'accepted') THEN 'NO_JOB_APPLICATION' END, "
    f"CASE WHEN {{t}}.origin_siae_kind NOT IN ({_SIAE_KINDS}) THEN 'INVALID_SIAE_KIND' END, "
    'CASE WHEN EXISTS (SELECT 1 FROM "user" v JOIN job_seeker_profile vp ON vp.id = v.id'
    " WHERE v.id = {t}.job_seeker_id AND (v.first_name = '' OR v.last_name = '' OR vp.nir IS NULL"
    " OR vp.birthdate IS NULL)) THEN 'MISSING_USER_DATA' END"
    "], NULL)"
)


def _notified(column: str) -> str:
    """A cancelled approval is spoken for by the announcement of its cancellation, nulls included."""
    return "CASE WHEN {cancellation}.id IS NULL THEN {t}." + column + " ELSE {cancellation}." + column + " END"


def _exit_label(endpoint: str | None, code: str | None) -> str | None:
    if code is None:
        return None
    if code in PreliminaryCheck.__members__:
        return PreliminaryCheck[code].label
    return exit_label(endpoint, code) if endpoint else None


APPROVAL = Entity(
    "Approval",
    "approval",
    joins={"cancellation": "LEFT JOIN cancelled_approval {cancellation} ON {cancellation}.approval_id = {t}.id"},
    fields={
        "number": Column("{t}.number"),
        "startAt": Column("{t}.start_at"),
        "endAt": Column("{t}.end_at"),
        "state": Column(_STATE, ApprovalState),
        "jobSeeker": ToOne("JobSeeker", "{other}.id = {t}.job_seeker_id", implied=True),
        "originCompany": ToOne("Company", "{other}.id = {t}.origin_company_id"),
        "notification": Embedded(
            "ApprovalNotification",
            {
                "status": Column(_notified("pe_notification_status"), NotificationStatus),
                "lastAttemptAt": Column(_notified("pe_notification_time")),
                "nextAttemptAt": Column(_notified("next_attempt_at")),
                "endpoint": Column(_notified("pe_notification_endpoint"), NotificationEndpoint),
                "exitCode": Column(_notified("pe_notification_exit_code")),
                "exitLabel": Computed(
                    (_notified("pe_notification_endpoint"), _notified("pe_notification_exit_code")), _exit_label
                ),
                "blockedBy": Column(_BLOCKED_BY, lambda checks: [PreliminaryCheck(check) for check in checks]),
                "attempts": OnDemand(("approval_pk",)),
            },
            attribute="notification_value",
            needs=("origin_company_pk",),
        ),
    },
    private={"approval_pk": Column("{t}.id"), "origin_company_pk": Column("{t}.origin_company_id")},
    children={
        "attempts": Children(
            "NotificationAttempt",
            "({t}.approval_id = {parent} OR {t}.cancelled_approval_id ="
            " (SELECT c.id FROM cancelled_approval c WHERE c.approval_id = {parent}))",
            NEWEST_ATTEMPT,
        )
    },
)

NOTIFICATION_ATTEMPT = Entity(
    "NotificationAttempt",
    "notification_attempt",
    fields={
        "startedAt": Column("{t}.started_at"),
        "durationMs": Column("{t}.duration_ms"),
        "endpoint": Column("{t}.endpoint", NotificationEndpoint),
        "httpStatus": Column("{t}.http_status"),
        "exitCode": Column("{t}.exit_code"),
        "outcome": Column("{t}.outcome", NotificationStatus),
        "traceId": Column("{t}.trace_id"),
    },
)

_UPCOMING = (
    "LEFT JOIN LATERAL (SELECT min(ua.start_at) AS next_start_at, count(*)::int AS upcoming "
    + upcoming_participations("{t}", ":now")
    + ") {upcoming} ON TRUE"
)


def _as_they_are(*values: Any) -> tuple[Any, ...]:
    return values


def _diagoriente_status(sent_at: datetime | None, opened_at: datetime | None) -> DiagorienteStatus:
    if opened_at is not None:
        return DiagorienteStatus.OPENED
    return DiagorienteStatus.NOT_SENT if sent_at is None else DiagorienteStatus.SENT


JOB_APPLICATION = Entity(
    "JobApplication",
    "job_application",
    joins={"upcoming": _UPCOMING},
    fields={
        "state": Column("{t}.state", JobApplicationState),
        "createdAt": Column("{t}.created_at"),
        "senderKind": Column("{t}.sender_kind", SenderKind),
        "jobSeeker": ToOne("JobSeeker", "{other}.id = {t}.job_seeker_id", implied=True),
        "company": ToOne("Company", "{other}.id = {t}.company_id", implied=True),
        "approval": ToOne("Approval", "{other}.id = {t}.approval_id"),
        "nextAppointmentStartAt": Column("{upcoming}.next_start_at"),
        "upcomingParticipationsCount": Column("{upcoming}.upcoming"),
        "canInvite": Column(
            ":viewer_is_employer AND EXISTS (SELECT 1 FROM company v WHERE v.id = {t}.company_id"
            " AND v.id = :organization_id AND v.rdv_solidarites_id IS NOT NULL)"
            " AND NOT EXISTS (SELECT 1 FROM invitation_request v WHERE v.job_seeker_id = {t}.job_seeker_id"
            " AND v.company_id = {t}.company_id AND v.created_at > :invitation_hold_start)"
        ),
        "invitationRequests": OnDemand(),
        "diagorienteInvitation": Embedded(
            "DiagorienteInvitation",
            {
                "status": Computed(
                    ("{t}.diagoriente_invite_sent_at", "{t}.diagoriente_opened_at"), _diagoriente_status
                ),
                "recipient": Column("{t}.diagoriente_recipient", DiagorienteRecipient),
                "sentAt": Column("{t}.diagoriente_invite_sent_at"),
                "openedAt": Column("{t}.diagoriente_opened_at"),
            },
        ),
        "surveys": OnDemand(),
    },
    children={
        "invitationRequests": Children(
            "InvitationRequest",
            "EXISTS (SELECT 1 FROM job_application j WHERE j.id = {parent}"
            " AND j.job_seeker_id = {t}.job_seeker_id AND j.company_id = {t}.company_id)",
            NEWEST_REQUEST,
        ),
        "surveys": Children("Survey", "{t}.job_application_id = {parent}", NEWEST_SURVEY),
    },
)


def _display_name(brand: str, name: str) -> str:
    return brand or name


COMPANY = Entity(
    "Company",
    "company",
    fields={
        "siret": Column("{t}.siret"),
        "siren": Column("{t}.siret", lambda siret: siret[:9]),
        "naf": Column("{t}.naf", _or_none),
        "kind": Column("{t}.kind", CompanyKind),
        "name": Computed(("{t}.brand", "{t}.name"), _display_name),
        "address": _address("{t}"),
        "department": Computed(("{t}.insee_code", "{t}.post_code", "{t}.department"), _department),
        "isOpenToAppointments": Column("{t}.rdv_solidarites_id IS NOT NULL"),
        "establishment": OnDemand(("establishment_siret",)),
        "jobApplications": OnDemand(),
        "appointments": OnDemand(),
    },
    children={
        "jobApplications": Children("JobApplication", "{t}.company_id = {parent}", NEWEST_APPLICATION),
        "appointments": Children("Appointment", "{t}.company_id = {parent}", APPOINTMENT_BY_START),
    },
    private={"address_insee_code": Column("{t}.insee_code"), "establishment_siret": Column("{t}.siret")},
)

PRESCRIBER_ORGANIZATION = Entity(
    "PrescriberOrganization",
    "prescriber_organization",
    fields={
        "kind": Column("{t}.kind", lambda kind: PrescriberKind(kind).value),
        "name": Column("{t}.name"),
        "siret": Column("{t}.siret"),
        "isAuthorized": Column("{t}.is_authorized"),
        "department": Column("{t}.department", DEPARTMENTS.get),
    },
)


def _institution_region(region: str, department: str) -> RegionRecord | None:
    if region:
        return REGIONS.get(region)
    return REGIONS[DEPARTMENTS[department].region_code] if department in DEPARTMENTS else None


INSTITUTION = Entity(
    "Institution",
    "institution",
    fields={
        "kind": Column("{t}.kind", lambda kind: InstitutionKind(kind).value),
        "name": Column("{t}.name"),
        "department": Column("{t}.department", DEPARTMENTS.get),
        "region": Computed(("{t}.region", "{t}.department"), _institution_region),
    },
)

USER = Entity(
    "User",
    "user",
    fields={
        "kind": Column("{t}.kind", UserKind),
        "firstName": Column("{t}.first_name"),
        "lastName": Column("{t}.last_name"),
        "email": Column("{t}.email", lambda email: email),
    },
)


def _minutes(duration: int) -> int:
    return duration // 60_000_000  # Tortoise keeps durations as microseconds


def _end_at(start_at: datetime, duration: int) -> datetime:
    return start_at + timedelta(microseconds=duration)


APPOINTMENT = Entity(
    "Appointment",
    "appointment",
    fields={
        "company": ToOne("Company", "{other}.id = {t}.company_id", implied=True),
        "startAt": Column("{t}.start_at"),
        "endAt": Computed(("{t}.start_at", "{t}.duration"), _end_at),
        "durationMinutes": Column("{t}.duration", _minutes),
        "status": Column("{t}.status", ParticipationStatus),
        "reasonCategory": Column("{t}.reason_category"),
        "reason": Column("{t}.reason"),
        "isCollective": Column("{t}.is_collective"),
        "address": Column("{t}.address", _or_none),
        "location": ToOne("Location", "{other}.id = {t}.location_id", implied=True),
        "totalParticipants": Column("{t}.total_participants"),
        "maxParticipants": Column("{t}.max_participants"),
        "cancelledAt": Column("{t}.cancelled_at"),
        "participations": OnDemand(),
    },
    children={
        "participations": Children("Participation", "{t}.appointment_id = {parent}", PARTICIPATION_BY_START),
    },
)

LOCATION = Entity(
    "Location",
    "location",
    fields={
        "name": Column("{t}.name"),
        "address": Column("{t}.address"),
        "phoneNumber": Column("{t}.phone_number", _or_none),
    },
)


def _status_label(status: str, cancelled_by: str | None, start_at: datetime, now: datetime) -> str:
    return participation_status_label(
        ParticipationStatus(status), CancelledBy(cancelled_by) if cancelled_by else None, start_at=start_at, now=now
    )


PARTICIPATION = Entity(
    "Participation",
    "participation",
    joins={"appointment": "JOIN appointment {appointment} ON {appointment}.id = {t}.appointment_id"},
    fields={
        "jobSeeker": ToOne("JobSeeker", "{other}.id = {t}.job_seeker_id", implied=True),
        "appointment": ToOne("Appointment", "{other}.id = {t}.appointment_id", implied=True),
        "status": Column("{t}.status", ParticipationStatus),
        "cancelledBy": Column("{t}.cancelled_by", CancelledBy),
        "statusLabel": Computed(
            ("{t}.status", "{t}.cancelled_by", "{appointment}.start_at", ":now::timestamptz"), _status_label
        ),
        "updatedAt": Column("{t}.updated_at"),
    },
)

INVITATION_REQUEST = Entity(
    "InvitationRequest",
    "invitation_request",
    fields={
        "createdAt": Column("{t}.created_at"),
        "reasonCategory": Column("{t}.reason_category"),
        "company": ToOne("Company", "{other}.id = {t}.company_id", implied=True),
        "jobSeeker": ToOne("JobSeeker", "{other}.id = {t}.job_seeker_id", implied=True),
        "invitations": OnDemand(),
    },
    children={
        "invitations": Children(
            "Invitation",
            "{t}.invitation_request_id = {parent}",
            Ordering("Invitation:kind", ("{t}.kind", "{t}.id"), (str, UUID), descending=False),
        )
    },
)

INVITATION = Entity(
    "Invitation",
    "invitation",
    fields={
        "kind": Column("{t}.kind", InvitationKind),
        "status": Column("{t}.status", InvitationStatus),
        "deliveredAt": Column("{t}.delivered_at"),
    },
)

SURVEY = Entity(
    "Survey",
    "survey",
    fields={
        "kind": Column("{t}.kind", SurveyKind),
        "status": Column("{t}.status", SurveyStatus),
        "sentAt": Column("{t}.sent_at"),
        "answeredAt": Column("{t}.answered_at"),
        "jobApplication": ToOne("JobApplication", "{other}.id = {t}.job_application_id"),
        "url": OnDemand(("link_parts",)),
    },
    private={"link_parts": Computed(("{t}.form_id", "{t}.context::text", "{t}.reference"), _as_they_are)},
)

register(
    USER,
    JOB_SEEKER,
    APPROVAL,
    NOTIFICATION_ATTEMPT,
    JOB_APPLICATION,
    COMPANY,
    PRESCRIBER_ORGANIZATION,
    INSTITUTION,
    APPOINTMENT,
    LOCATION,
    PARTICIPATION,
    INVITATION_REQUEST,
    INVITATION,
    SURVEY,
)


def open_nir(sealed: Any) -> str | None:
    """Return the NIR that a sealed column holds."""
    return key_ring().open(bytes(sealed)) if sealed is not None else None
