"""Upcoming participations of a job application: what counts as one, and how queries of applications show them.

Upcoming is the part of the application's job seeker in an appointment of its company whose outcome is unknown and that
is still to start. The appointment's own status plays no part: on a collective one it says nothing of one person.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from tortoise.expressions import RawSQL
from tortoise.manager import Manager
from tortoise.queryset import QuerySet

if TYPE_CHECKING:
    from models.job_applications import JobApplication

    _QuerySet = QuerySet[JobApplication]
else:
    _QuerySet = QuerySet


def upcoming_participations(application: str, now: str) -> str:
    """Return the FROM and WHERE of upcoming participations: `up`, to the appointment `ua`.

    `application` is the alias of the job application, `now` an SQL expression.
    """
    return (
        "FROM participation up JOIN appointment ua ON ua.id = up.appointment_id"
        f" WHERE up.job_seeker_id = {application}.job_seeker_id AND ua.company_id = {application}.company_id"
        " AND up.status = 'unknown' AND up.removed_at IS NULL AND ua.destroyed_at IS NULL"
        f" AND ua.start_at > {now}"
    )


class JobApplicationQuerySet(_QuerySet):
    """Job applications, with what follows from appointments on request: columns of the same statement."""

    def with_next_appointment_start_at(self, now: datetime | None = None) -> JobApplicationQuerySet:
        """Set `next_appointment_start_at`: the earliest start of an upcoming participation, None without any."""
        return self._with(next_appointment_start_at=f"SELECT min(ua.start_at) {_upcoming(now)}")

    def with_upcoming_participations_count(self, now: datetime | None = None) -> JobApplicationQuerySet:
        """Set `upcoming_participations_count`; 0 without any."""
        return self._with(upcoming_participations_count=f"SELECT count(*)::int {_upcoming(now)}")

    def _with(self, **columns: str) -> JobApplicationQuerySet:
        terms: dict[str, Any] = {name: RawSQL(f"({sql})") for name, sql in columns.items()}
        return cast("JobApplicationQuerySet", self.annotate(**terms))  # a copy, of the same class


def _upcoming(now: datetime | None) -> str:
    """Without a time given it is PostgreSQL's, the same in the whole transaction."""
    instant = "now()" if now is None else f"'{now.astimezone(UTC).isoformat()}'::timestamptz"
    return upcoming_participations('"job_application"', instant)


class JobApplicationManager(Manager):
    """Makes every query of job applications one that knows the two columns."""

    def get_queryset(self) -> JobApplicationQuerySet:
        return JobApplicationQuerySet(cast("type[JobApplication]", self._model))
