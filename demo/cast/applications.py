"""Job applications: who sent whom to which company, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from uuid import UUID

from demo.cast import well_known
from demo.cast.dice import Calendar, Dice
from demo.cast.identifiers import demo_id
from demo.cast.organizations import Organizations
from demo.cast.people import JobSeeker
from demo.cast.rows import CompanyRow, JobApplicationRow, PrescriberOrganizationRow
from models.enums import CompanyKind, DiagorienteRecipient, JobApplicationState, SenderKind

APPLICATIONS_WITHOUT_HIRING = 16_300
# Hired, and still without PASS IAE: what `createApproval` is for.
_AWAITING_APPROVAL = 60
_AT_DEMO_COMPANY = 110
_BY_UNAUTHORIZED_PRESCRIBER = 14

SIAE_KINDS = frozenset({CompanyKind.ACI, CompanyKind.AI, CompanyKind.EI, CompanyKind.EITI, CompanyKind.ETTI})

_RECENT_DAYS = 35
_RECENT_STATES = {
    JobApplicationState.NEW: 40,
    JobApplicationState.PROCESSING: 26,
    JobApplicationState.POSTPONED: 8,
    JobApplicationState.PRIOR_TO_HIRE: 6,
    JobApplicationState.REFUSED: 15,
    JobApplicationState.CANCELLED: 1,
    JobApplicationState.OBSOLETE: 4,
}
_OLD_STATES = {
    JobApplicationState.NEW: 6,
    JobApplicationState.PROCESSING: 6,
    JobApplicationState.POSTPONED: 5,
    JobApplicationState.PRIOR_TO_HIRE: 1,
    JobApplicationState.REFUSED: 56,
    JobApplicationState.CANCELLED: 4,
    JobApplicationState.OBSOLETE: 22,
}
_UNPROCESSED = frozenset({JobApplicationState.NEW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who proposed the job seeker. `prescriber_kind` is empty when no organisation did."""

    kind: SenderKind
    user_id: UUID
    prescriber_organization_id: UUID | None = None
    prescriber_kind: str = ""
    company_id: UUID | None = None


class Senders:
    """Finds a plausible sender for each application."""

    def __init__(self, organizations: Organizations, dice: Dice) -> None:
        self._members = organizations.members()
        self._prescribers = {row.id: row for row in organizations.prescriber_organizations}
        self._authorized = [row for row in organizations.prescriber_organizations if row.is_authorized]
        self._others = [row for row in organizations.prescriber_organizations if not row.is_authorized]
        self._dice = dice

    def draw(self, job_seeker: JobSeeker, company: CompanyRow) -> Sender:
        dice = self._dice
        if job_seeker.organization_id is not None and job_seeker.registrar_id is not None and dice.chance(0.75):
            return self._from(self._prescribers[job_seeker.organization_id], job_seeker.registrar_id)
        if job_seeker.user.subject is not None and dice.chance(0.6):
            return Sender(kind=SenderKind.JOB_SEEKER, user_id=job_seeker.id)
        if dice.chance(0.5):
            return self.employer(company)
        organization = dice.pick(self._others if dice.chance(0.3) else self._authorized)
        return self._from(organization, dice.pick(self._members[organization.id]))

    def employer(self, company: CompanyRow) -> Sender:
        """A company that enters somebody it met itself."""
        return Sender(
            kind=SenderKind.EMPLOYER, user_id=self._dice.pick(self._members[company.id]), company_id=company.id
        )

    def unauthorized_prescriber(self) -> Sender:
        """The demo's prescriber who may see only what they sent themself."""
        organization = self._prescribers[demo_id("prescriber_organization", well_known.OTHER_ORGANIZATION)]
        return self._from(organization, self._members[organization.id][0])

    @staticmethod
    def _from(organization: PrescriberOrganizationRow, user_id: UUID) -> Sender:
        return Sender(
            kind=SenderKind.PRESCRIBER,
            user_id=user_id,
            prescriber_organization_id=organization.id,
            prescriber_kind=organization.kind.value,
        )


def make_application(
    application_id: UUID,
    *,
    job_seeker: JobSeeker,
    company: CompanyRow,
    sender: Sender,
    state: JobApplicationState,
    created_days_ago: int,
    calendar: Calendar,
    dice: Dice,
) -> JobApplicationRow:
    """Return the row; the person's account becomes as old as their first application."""
    created_at = calendar.office_hour(-created_days_ago, dice)
    answered_after = timedelta(days=dice.randint(1, 12), minutes=dice.randint(0, 59))
    processed_at = None
    if state not in _UNPROCESSED:
        processed_at = max(created_at, min(created_at + answered_after, calendar.now - timedelta(hours=1)))
    if job_seeker.user.created_at >= created_at:
        job_seeker.user.created_at = job_seeker.user.updated_at = created_at - timedelta(hours=1)
        job_seeker.profile.geocoded_at = created_at - timedelta(minutes=59)
    return JobApplicationRow(
        id=application_id,
        state=state,
        job_seeker_id=job_seeker.id,
        company_id=company.id,
        approval_id=None,
        sender_kind=sender.kind,
        sender_id=sender.user_id,
        sender_prescriber_organization_id=sender.prescriber_organization_id,
        sender_company_id=sender.company_id,
        has_resume=dice.chance(0.6),
        hiring_start_on=None,
        processed_at=processed_at,
        created_at=created_at,
        updated_at=processed_at or created_at,
    )


def build_other_applications(
    calendar: Calendar, organizations: Organizations, job_seekers: list[JobSeeker], hired_ids: set[UUID]
) -> Iterator[JobApplicationRow]:
    """Yield the applications that led to no PASS IAE. `hired_ids`: the job seekers who have one from elsewhere."""
    dice = Dice("applications")
    senders = Senders(organizations, dice)
    numbers = count(1)
    companies = _Companies(organizations.companies, dice)

    def application(
        job_seeker: JobSeeker, company: CompanyRow, sender: Sender, state: JobApplicationState | None = None
    ) -> JobApplicationRow:
        days_ago = min(1_100, int(dice.expovariate(1 / 170)))
        if state is None:
            state = dice.draw(_RECENT_STATES if days_ago < _RECENT_DAYS else _OLD_STATES)
        else:
            days_ago = dice.randint(3, 20)
        row = make_application(
            demo_id("job_application", next(numbers)),
            job_seeker=job_seeker,
            company=company,
            sender=sender,
            state=state,
            created_days_ago=days_ago,
            calendar=calendar,
            dice=dice,
        )
        if state is JobApplicationState.ACCEPTED:
            row.hiring_start_on = calendar.day(dice.randint(-2, 6))
        elif dice.chance(0.04):
            _add_diagoriente(row, calendar, dice)
        return row

    never_hired = [
        job_seeker for job_seeker in job_seekers if job_seeker.id not in hired_ids and job_seeker.is_complete
    ]
    for position, job_seeker in enumerate(dice.sample(never_hired, _AWAITING_APPROVAL)):
        company = companies.demo if position % 6 == 0 else companies.draw_siae()
        yield application(job_seeker, company, senders.draw(job_seeker, company), JobApplicationState.ACCEPTED)
    for _ in range(_BY_UNAUTHORIZED_PRESCRIBER):
        job_seeker = dice.pick(never_hired)
        yield application(job_seeker, companies.near(job_seeker), senders.unauthorized_prescriber())
    for _ in range(_AT_DEMO_COMPANY):
        job_seeker = dice.pick(job_seekers)
        yield application(job_seeker, companies.demo, senders.draw(job_seeker, companies.demo))
    for position in range(APPLICATIONS_WITHOUT_HIRING):
        # Everybody applied at least once.
        job_seeker = job_seekers[position] if position < len(job_seekers) else dice.pick(job_seekers)
        company = companies.near(job_seeker)
        yield application(job_seeker, company, senders.draw(job_seeker, company))


def _add_diagoriente(row: JobApplicationRow, calendar: Calendar, dice: Dice) -> None:
    sent_at = min(row.created_at + timedelta(days=1), calendar.now - timedelta(minutes=30))
    if sent_at <= row.created_at:
        return
    row.diagoriente_invite_sent_at = sent_at
    is_prescriber = row.sender_kind is SenderKind.PRESCRIBER
    row.diagoriente_recipient = DiagorienteRecipient.PRESCRIBER if is_prescriber else DiagorienteRecipient.JOB_SEEKER
    # Of links that nobody was sent: their tokens do not exist.
    row.diagoriente_token_hash = demo_id("diagoriente", row.id).hex * 2
    if dice.chance(0.5):
        row.diagoriente_opened_at = min(sent_at + timedelta(hours=dice.randint(1, 90)), calendar.now)


class _Companies:
    """Companies by department, some much busier than others."""

    def __init__(self, companies: list[CompanyRow], dice: Dice) -> None:
        self.demo = companies[well_known.DEMO_COMPANY - 1]
        self._dice = dice
        self._all = companies
        self._siae = [company for company in companies if company.kind in SIAE_KINDS]
        self._by_department: dict[str, list[CompanyRow]] = {}
        for company in companies:
            self._by_department.setdefault(company.department, []).append(company)

    def near(self, job_seeker: JobSeeker) -> CompanyRow:
        """Mostly in the department where the person lives."""
        local = self._by_department.get(job_seeker.profile.department, [])
        return self._dice.pick(local) if local and self._dice.chance(0.7) else self._dice.pick(self._all)

    def draw_siae(self) -> CompanyRow:
        return self._dice.pick(self._siae)
