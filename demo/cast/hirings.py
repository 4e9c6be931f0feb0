"""Hirings with a PASS IAE: the accepted application, the approval, what France Travail was told, the cancellations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from demo.cast import notifications, well_known
from demo.cast.applications import SIAE_KINDS, Sender, Senders, make_application
from demo.cast.dice import Calendar, Dice
from demo.cast.identifiers import demo_id
from demo.cast.notifications import Outcome
from demo.cast.organizations import Organizations
from demo.cast.people import JobSeeker
from demo.cast.rows import (
    ApprovalRow,
    CancelledApprovalRow,
    CompanyRow,
    JobApplicationRow,
    NotificationAttemptRow,
)
from models.approvals import DURATION_DAYS, NUMBER_PREFIX
from models.enums import CompanyKind, JobApplicationState, PreliminaryCheck

HIRED = 3_560
_HIRED_BEFORE = 480  # of them: an earlier PASS IAE, over for two years
_AT_DEMO_COMPANY = 70
_RECENTLY_AT_DEMO_COMPANY = 24
_CANCELLED = 120
_WITHOUT_SIAE_TYPE = 14
_WITHOUT_ACCEPTED_APPLICATION = 45
_COUNTER_DIGITS = 7


@dataclass(slots=True, kw_only=True)
class Hiring:
    """A job application that led to a PASS IAE."""

    job_seeker: JobSeeker
    company: CompanyRow
    application: JobApplicationRow
    approval: ApprovalRow
    cancellation: CancelledApprovalRow | None = None


@dataclass(slots=True)
class Hirings:
    hirings: list[Hiring] = field(default_factory=list[Hiring])
    attempts: list[NotificationAttemptRow] = field(default_factory=list[NotificationAttemptRow])

    @property
    def approvals(self) -> list[ApprovalRow]:
        return [hiring.approval for hiring in self.hirings]

    @property
    def cancellations(self) -> list[CancelledApprovalRow]:
        return [hiring.cancellation for hiring in self.hirings if hiring.cancellation is not None]

    @property
    def job_seeker_ids(self) -> set[UUID]:
        return {hiring.job_seeker.id for hiring in self.hirings}


class Hirer:
    """Makes hirings: the application and the approval with its frozen origin belong together."""

    def __init__(self, calendar: Calendar, organizations: Organizations, dice: Dice) -> None:
        self._calendar = calendar
        self._dice = dice
        self._senders = Senders(organizations, dice)

    def hire(
        self,
        key: str,
        job_seeker: JobSeeker,
        company: CompanyRow,
        *,
        start_in_days: int,
        state: JobApplicationState = JobApplicationState.ACCEPTED,
        sender: Sender | None = None,
    ) -> Hiring:
        """`start_in_days`: negative for the past. The approval is PENDING and was never announced."""
        sender = sender or self._senders.draw(job_seeker, company)
        start_at = self._calendar.day(start_in_days)
        application = make_application(
            demo_id("job_application", f"hiring-{key}"),
            job_seeker=job_seeker,
            company=company,
            sender=sender,
            state=state,
            created_days_ago=max(1, self._dice.randint(6, 40) - start_in_days),
            calendar=self._calendar,
            dice=self._dice,
        )
        approval_id = demo_id("approval", key)
        application.approval_id = approval_id
        application.hiring_start_on = start_at
        decided_at = application.processed_at or application.created_at
        return Hiring(
            job_seeker=job_seeker,
            company=company,
            application=application,
            approval=ApprovalRow(
                id=approval_id,
                start_at=start_at,
                end_at=start_at + timedelta(days=DURATION_DAYS - 1),
                job_seeker_id=job_seeker.id,
                origin_company_id=company.id,
                origin_siae_siret=company.siret,
                origin_siae_kind=company.kind.value,
                origin_sender_kind=sender.kind.value,
                origin_prescriber_organization_kind=sender.prescriber_kind,
                created_at=decided_at,
                updated_at=decided_at,
            ),
        )


def build_hirings(calendar: Calendar, organizations: Organizations, job_seekers: list[JobSeeker]) -> Hirings:
    """Return the hirings of every day; those that the demo plays are in demo.cast.story."""
    dice = Dice("hirings")
    hirer = Hirer(calendar, organizations, dice)
    employers = _Employers(organizations.companies, dice)
    demo_job_seeker, *others = job_seekers
    hired = [demo_job_seeker, *dice.sample(others, HIRED - 1)]
    built = Hirings()
    for position, job_seeker in enumerate(hired):
        company, state = employers.draw(position), JobApplicationState.ACCEPTED
        if position >= HIRED - _WITHOUT_ACCEPTED_APPLICATION:
            state = JobApplicationState.PRIOR_TO_HIRE
        hiring = hirer.hire(
            f"{position}", job_seeker, company, start_in_days=_start_in_days(position, dice), state=state
        )
        _prolong(hiring.approval, dice)
        built.hirings.append(hiring)
        _announce(hiring, built, calendar, dice)
    for position, job_seeker in enumerate(hired[-_HIRED_BEFORE:]):
        hiring = hirer.hire(
            f"before-{position}", job_seeker, employers.draw_siae(), start_in_days=-dice.randint(1_900, 2_400)
        )
        built.hirings.append(hiring)
        _announce(hiring, built, calendar, dice)
    _cancel_some(built, organizations, calendar, dice)
    return built


def number_approvals(hirings: Iterable[Hiring]) -> None:
    """Give the numbers in the order of creation, without a hole, as the platform does."""
    ordered = sorted(hirings, key=lambda hiring: (hiring.approval.created_at, hiring.approval.id))
    for counter, hiring in enumerate(ordered, start=1):
        hiring.approval.number = f"{NUMBER_PREFIX}{counter:0{_COUNTER_DIGITS}d}"
        if hiring.cancellation is not None:
            hiring.cancellation.number = hiring.approval.number


class _Employers:
    def __init__(self, companies: list[CompanyRow], dice: Dice) -> None:
        self._demo = companies[well_known.DEMO_COMPANY - 1]
        self._siae = [company for company in companies if company.kind in SIAE_KINDS]
        self._former = [company for company in companies if company.kind in (CompanyKind.GEIQ, CompanyKind.EA)]
        self._without_type = [company for company in companies if company.kind is CompanyKind.OPCS]
        self._dice = dice

    def draw(self, position: int) -> CompanyRow:
        if position < _AT_DEMO_COMPANY:
            return self._demo
        if position < _AT_DEMO_COMPANY + _WITHOUT_SIAE_TYPE:
            return self._dice.pick(self._without_type)
        # Kinds that got PASS IAEs under older rules.
        return self._dice.pick(self._former) if self._dice.chance(0.03) else self.draw_siae()

    def draw_siae(self) -> CompanyRow:
        return self._dice.pick(self._siae)


def _start_in_days(position: int, dice: Dice) -> int:
    if position < _RECENTLY_AT_DEMO_COMPANY:
        return -dice.randint(1, 40)
    # One in thirty starts in the weeks to come: France Travail refuses to hear of it before.
    return dice.randint(2, 60) if dice.chance(1 / 30) else -dice.randint(1, 1_080)


def _prolong(approval: ApprovalRow, dice: Dice) -> None:
    if dice.chance(0.08):
        approval.end_at += timedelta(days=dice.randint(30, 300))


def _announce(hiring: Hiring, built: Hirings, calendar: Calendar, dice: Dice) -> None:
    """Let the notification of an approval have run its course."""
    outcome = _outcome(hiring, calendar.today, dice)
    if outcome is None:
        return
    last_at = _announced_at(hiring.approval, outcome, calendar, dice)
    outcomes = notifications.with_retries(outcome, dice)
    built.attempts += notifications.attempts_of(hiring.approval, outcomes, last_at=last_at, dice=dice)
    hiring.approval.updated_at = max(hiring.approval.updated_at, last_at)


def _outcome(hiring: Hiring, today: date, dice: Dice) -> Outcome | None:
    """Return what the rules make of the approval, or None where nothing was tried yet. The order is theirs."""
    if hiring.approval.start_at > today:
        return notifications.held_back(PreliminaryCheck.STARTS_IN_FUTURE) if dice.chance(0.5) else None
    if hiring.application.state is not JobApplicationState.ACCEPTED:
        return notifications.held_back(PreliminaryCheck.NO_JOB_APPLICATION)
    if hiring.company.kind is CompanyKind.OPCS:
        return notifications.held_back(PreliminaryCheck.INVALID_SIAE_KIND)
    if not hiring.job_seeker.is_complete:
        return notifications.held_back(PreliminaryCheck.MISSING_USER_DATA)
    if not hiring.job_seeker.is_known_to_france_travail:
        return notifications.search_failed(dice)
    if hiring.job_seeker.number != well_known.DEMO_JOB_SEEKER and dice.chance(0.05):
        return notifications.update_refused(dice)
    return notifications.ACCEPTED


def _announced_at(approval: ApprovalRow, outcome: Outcome, calendar: Calendar, dice: Dice) -> datetime:
    """The night in which the approval began, or the hour after its creation if that was later."""
    first_run = calendar.instant(approval.start_at, time(0, 30))
    due_at = max(first_run, approval.created_at + timedelta(minutes=20))
    if not outcome.made_calls:
        due_at = approval.created_at
    return min(due_at + timedelta(minutes=dice.randint(1, 50)), calendar.now - timedelta(minutes=1))


def _cancel_some(built: Hirings, organizations: Organizations, calendar: Calendar, dice: Dice) -> None:
    members = organizations.members()
    announced = [
        hiring
        for hiring in built.hirings
        if hiring.approval.pe_notification_status is notifications.ACCEPTED.status
        and hiring.job_seeker.number != well_known.DEMO_JOB_SEEKER
        and hiring.approval.start_at < calendar.day(-20)
    ]
    for hiring in dice.sample(announced, _CANCELLED):
        cancelled_at = calendar.instant(
            hiring.approval.start_at + timedelta(days=dice.randint(2, 12)), time(dice.randint(9, 17), 20)
        )
        cancellation = cancel(hiring, cancelled_at, by=members[hiring.company.id][0])
        outcome = notifications.update_refused(dice) if dice.chance(0.1) else notifications.ACCEPTED
        built.attempts += notifications.attempts_of(
            cancellation,
            notifications.with_retries(outcome, dice),
            last_at=cancelled_at + timedelta(minutes=dice.randint(20, 40)),
            dice=dice,
        )


def cancel(hiring: Hiring, cancelled_at: datetime, *, by: UUID) -> CancelledApprovalRow:
    """Cancel the approval as the platform does: a frozen copy to announce, and no application that leads to it."""
    approval, job_seeker = hiring.approval, hiring.job_seeker
    approval.cancelled_at = approval.updated_at = cancelled_at
    hiring.application.approval_id = None
    hiring.application.state = JobApplicationState.CANCELLED
    hiring.application.updated_at = cancelled_at
    hiring.cancellation = CancelledApprovalRow(
        id=demo_id("cancelled_approval", approval.id),
        approval_id=approval.id,
        start_at=approval.start_at,
        end_at=approval.end_at,
        user_first_name=job_seeker.user.first_name,
        user_last_name=job_seeker.user.last_name,
        user_nir=job_seeker.profile.nir,
        user_birthdate=job_seeker.profile.birthdate,
        user_id_national_pe=job_seeker.profile.pe_obfuscated_nir,
        origin_siae_siret=approval.origin_siae_siret,
        origin_siae_kind=approval.origin_siae_kind,
        origin_sender_kind=approval.origin_sender_kind,
        origin_prescriber_organization_kind=approval.origin_prescriber_organization_kind,
        cancelled_by_id=by,
        created_at=cancelled_at,
    )
    return hiring.cancellation
