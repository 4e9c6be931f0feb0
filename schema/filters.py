"""What lists can be narrowed by: the inputs, and the SQL conditions that they become."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import strawberry

from models.enums import (
    ApprovalState,
    JobApplicationState,
    NotificationStatus,
    ParticipationStatus,
    SurveyKind,
    SurveyStatus,
)
from resolvers.errors import BadUserInput
from resolvers.global_ids import decode_as
from resolvers.pages import Filter
from resolvers.ways import Way

_MAX_LIST = 100
_MAX_SEARCH = 100
_MAX_WORDS = 12


@strawberry.input
class JobSeekerFilter:
    search: str | None = strawberry.field(default=None, description="words of the first and last name, accents or not")
    department_code: str | None = None
    is_certified: bool | None = None
    has_valid_approval: bool | None = None


@strawberry.input
class JobApplicationFilter:
    company_id: strawberry.ID | None = None
    states: list[JobApplicationState] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    has_upcoming_appointment: bool | None = None
    search: str | None = strawberry.field(default=None, description="words of the job seeker's name")


@strawberry.input
class ApprovalFilter:
    numbers: list[str] | None = None
    states: list[ApprovalState] | None = None
    notification_statuses: list[NotificationStatus] | None = None
    start_after: date | None = None
    start_before: date | None = None


@strawberry.input
class AppointmentFilter:
    company_ids: list[strawberry.ID] | None = None
    start_after: datetime | None = None
    start_before: datetime | None = None
    statuses: list[ParticipationStatus] | None = None


@strawberry.input
class ParticipationFilter:
    company_ids: list[strawberry.ID] | None = None
    start_after: datetime | None = None
    start_before: datetime | None = None
    statuses: list[ParticipationStatus] | None = None


@strawberry.input
class SurveyFilter:
    kinds: list[SurveyKind] | None = None
    statuses: list[SurveyStatus] | None = None


class _Conditions:
    """Gathers conditions, and values under names that no other part of a statement uses."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self._values: dict[str, Any] = {}
        self.ways: tuple[Way, ...] = ()

    def add(self, condition: str, name: str | None = None, value: Any = None) -> None:
        self._conditions.append(condition)
        if name is not None:
            self._values[name] = value

    def instant(self, name: str, value: datetime | None, condition: str) -> None:
        if value is not None:
            if value.tzinfo is None:
                raise BadUserInput(f"filter: {_camel(name)} without an offset; write it as 2026-03-02T10:15:00+01:00")
            try:
                self.add(condition, name, value.astimezone(UTC))
            except OverflowError:
                raise BadUserInput(f"filter: {_camel(name)} lies outside of the years 1 to 9999") from None

    def any_of(self, name: str, values: list[Any] | None, condition: str) -> None:
        if values is not None:
            if len(values) > _MAX_LIST:
                raise BadUserInput(f"filter: {len(values)} values in {_camel(name)}, at most {_MAX_LIST} expected")
            self.add(condition, name, [str(getattr(value, "value", value)) for value in values])

    def company_ids(self, values: list[strawberry.ID] | None, condition: str) -> None:
        if values is not None:
            if len(values) > _MAX_LIST:
                raise BadUserInput(f"filter: {len(values)} ids in companyIds, at most {_MAX_LIST} expected")
            keys = [decode_as(value, "Company", argument="companyIds") for value in values]
            self.add(condition, "filter_company_ids", keys)

    def search(self, text: str | None, key: str) -> None:
        """Every word must occur. `key`: a template that ends in {text}, which search_key() prepares."""
        if text is None:
            return
        if len(text) > _MAX_SEARCH:
            raise BadUserInput(f"filter: search of {len(text)} characters, at most {_MAX_SEARCH} expected")
        words = sorted(set(text.split()))
        if len(words) > _MAX_WORDS:
            raise BadUserInput(f"filter: search of {len(words)} words, at most {_MAX_WORDS} expected")
        for position, word in enumerate(words):
            pattern = "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in word)
            self.add(key.replace("{text}", f"search_key(:search_{position})"), f"search_{position}", f"%{pattern}%")

    def filter(self) -> Filter:
        return Filter(tuple(self._conditions), self._values, self.ways)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _flag(value: bool, condition: str) -> str:
    return condition if value else f"NOT ({condition})"


def job_seeker_filter(given: JobSeekerFilter | None, *, may_ask_profile: bool) -> Filter:
    """Narrow job seekers. Who may read no more than a name may not find out the rest by asking for it."""
    conditions = _Conditions()
    if given is None:
        return conditions.filter()
    profile = (given.department_code, given.is_certified, given.has_valid_approval)
    if not may_ask_profile and any(value is not None for value in profile):
        raise BadUserInput("filter: only `search` is available to this viewer")
    conditions.search(given.search, "search_key({t}.first_name || ' ' || {t}.last_name) LIKE {text}")
    if given.department_code is not None:
        conditions.add("{profile}.department = :department_code", "department_code", given.department_code)
    if given.is_certified is not None:
        certified = "EXISTS (SELECT 1 FROM identity_certification f WHERE f.jobseeker_profile_id = {t}.id)"
        conditions.add(_flag(given.is_certified, certified))
    if given.has_valid_approval is not None:
        valid = (
            "EXISTS (SELECT 1 FROM approval f WHERE f.job_seeker_id = {t}.id AND f.cancelled_at IS NULL"
            " AND f.start_at <= :today AND f.end_at >= :today)"
        )
        conditions.add(_flag(given.has_valid_approval, valid))
    return conditions.filter()


def job_application_filter(given: JobApplicationFilter | None) -> Filter:
    conditions = _Conditions()
    if given is None:
        return conditions.filter()
    if given.company_id is not None:
        company = decode_as(given.company_id, "Company", argument="companyId")
        conditions.add("{t}.company_id = :company_id", "company_id", company)
    conditions.any_of("states", given.states, "{t}.state = ANY(:states::text[])")
    conditions.instant("created_after", given.created_after, "{t}.created_at > :created_after")
    conditions.instant("created_before", given.created_before, "{t}.created_at < :created_before")
    if given.has_upcoming_appointment is not None:
        conditions.add(_flag(given.has_upcoming_appointment, "{upcoming}.upcoming > 0"))
    conditions.search(
        given.search,
        'EXISTS (SELECT 1 FROM "user" f WHERE f.id = {t}.job_seeker_id'
        " AND search_key(f.first_name || ' ' || f.last_name) LIKE {text})",
    )
    return conditions.filter()


_STATE_CONDITIONS = {
    ApprovalState.CANCELLED: "{t}.cancelled_at IS NOT NULL",
    ApprovalState.FUTURE: "{t}.cancelled_at IS NULL AND {t}.start_at > :today",
    ApprovalState.VALID: "{t}.cancelled_at IS NULL AND {t}.start_at <= :today AND {t}.end_at >= :today",
    ApprovalState.EXPIRED: "{t}.cancelled_at IS NULL AND {t}.end_at < :today",
}


# A cancelled approval stands where the announcement of its cancellation does, as its `notification` shows it.
_NOTIFICATION_STATUS = (
    "CASE WHEN {cancellation}.id IS NULL THEN {t}.pe_notification_status"
    " ELSE {cancellation}.pe_notification_status END = ANY(:notification_statuses::text[])"
)
# The statuses that operations look for are rare, and no index holds what the condition computes.
_NOTIFICATION_STATUS_WAYS = (
    Way("{t}.pe_notification_status = way.status", "unnest(:notification_statuses::text[]) AS way (status)"),
    Way(
        "{t}.id = ANY(ARRAY(SELECT approval_id FROM cancelled_approval"
        " WHERE pe_notification_status = ANY(:notification_statuses::text[])))"
    ),
)


def approval_filter(given: ApprovalFilter | None, *, may_ask_status: bool, is_staff: bool) -> Filter:
    """Narrow approvals. Who may not read a notification's status may not find it out by asking for it either."""
    conditions = _Conditions()
    if given is None:
        return conditions.filter()
    numbers = [approval_number(number) for number in given.numbers] if given.numbers is not None else None
    conditions.any_of("numbers", numbers, "{t}.number = ANY(:numbers::text[])")
    if given.states is not None:
        listed = [f"({_STATE_CONDITIONS[state]})" for state in sorted(set(given.states))]
        conditions.add(" OR ".join(listed) if listed else "FALSE")
    if given.notification_statuses is not None:
        if not may_ask_status:
            raise BadUserInput("filter: notificationStatuses is not available to this viewer")
        conditions.any_of(
            "notification_statuses",
            given.notification_statuses,
            _NOTIFICATION_STATUS,
        )
        if is_staff:
            conditions.ways = _NOTIFICATION_STATUS_WAYS
        else:
            conditions.add("{t}.origin_company_id = :organization_id")
    if given.start_after is not None:
        conditions.add("{t}.start_at > :start_after", "start_after", given.start_after)
    if given.start_before is not None:
        conditions.add("{t}.start_at < :start_before", "start_before", given.start_before)
    return conditions.filter()


def approval_number(text: str) -> str:
    """Return the number of an approval as it is stored: people write it in groups."""
    return text.replace(" ", "").upper()


def appointment_filter(given: AppointmentFilter | None) -> Filter:
    return _appointment_conditions(given, "{t}")


def participation_filter(given: ParticipationFilter | None) -> Filter:
    return _appointment_conditions(given, "{appointment}")


def _appointment_conditions(given: AppointmentFilter | ParticipationFilter | None, appointment: str) -> Filter:
    conditions = _Conditions()
    if given is None:
        return conditions.filter()
    conditions.company_ids(given.company_ids, appointment + ".company_id = ANY(:filter_company_ids::uuid[])")
    conditions.instant("start_after", given.start_after, appointment + ".start_at > :start_after")
    conditions.instant("start_before", given.start_before, appointment + ".start_at < :start_before")
    conditions.any_of("statuses", given.statuses, "{t}.status = ANY(:statuses::text[])")
    return conditions.filter()


def survey_filter(given: SurveyFilter | None) -> Filter:
    conditions = _Conditions()
    if given is None:
        return conditions.filter()
    conditions.any_of("kinds", given.kinds, "{t}.kind = ANY(:kinds::text[])")
    conditions.any_of("statuses", given.statuses, "{t}.status = ANY(:statuses::text[])")
    return conditions.filter()


def company_filter(search: str | None, department_code: str | None) -> Filter:
    conditions = _Conditions()
    conditions.search(search, "search_key({t}.name || ' ' || {t}.brand) LIKE {text}")
    if department_code is not None:
        conditions.add("{t}.department = :department_code", "department_code", department_code)
    return conditions.filter()
