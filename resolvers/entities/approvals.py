"""Approvals and what was tried to announce them, as they lie in the database."""

from __future__ import annotations

from clients.france_travail import exit_label, type_siae
from models.enums import ApprovalState, CompanyKind, NotificationEndpoint, NotificationStatus, PreliminaryCheck
from resolvers.entities.orderings import NEWEST_ATTEMPT
from resolvers.sources import Children, Column, Computed, Embedded, Entity, OnDemand, ToOne

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
