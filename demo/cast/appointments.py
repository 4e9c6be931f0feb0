"""Appointments through RDV-Insertion: invitations, places, appointments and who takes part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from demo.cast import well_known
from demo.cast.dice import Calendar, Dice
from demo.cast.identifiers import demo_id, make_landline
from demo.cast.organizations import Organizations
from demo.cast.rows import (
    AppointmentRow,
    CompanyRow,
    InvitationRequestRow,
    InvitationRow,
    JobApplicationRow,
    LocationRow,
    ParticipationRow,
)
from models.enums import CancelledBy, InvitationKind, InvitationStatus, JobApplicationState, ParticipationStatus

_UPCOMING_AT_DEMO_COMPANY = 26
_INVITED = 0.35
_COLLECTIVE = 0.12
_MAX_PARTICIPANTS = 12
_CREATED_RANK, _UPDATED_RANK = 0, 1
_OPEN_STATES = frozenset(
    {
        JobApplicationState.NEW,
        JobApplicationState.PROCESSING,
        JobApplicationState.POSTPONED,
        JobApplicationState.PRIOR_TO_HIRE,
    }
)
_REASONS = {
    "siae_interview": "Entretien SIAE",
    "siae_follow_up": "Suivi SIAE",
    "siae_collective_information": "Info coll. SIAE",
}
_SOURCE_STATUSES = {
    ParticipationStatus.UNKNOWN: "unknown",
    ParticipationStatus.SEEN: "seen",
    ParticipationStatus.ABSENT: "noshow",
}
_PAST_STATUSES = {
    ParticipationStatus.SEEN: 66,
    ParticipationStatus.ABSENT: 16,
    ParticipationStatus.CANCELLED: 12,
    ParticipationStatus.UNKNOWN: 6,
}


@dataclass(slots=True)
class Appointments:
    invitation_requests: list[InvitationRequestRow] = field(default_factory=list[InvitationRequestRow])
    invitations: list[InvitationRow] = field(default_factory=list[InvitationRow])
    locations: list[LocationRow] = field(default_factory=list[LocationRow])
    appointments: list[AppointmentRow] = field(default_factory=list[AppointmentRow])
    participations: list[ParticipationRow] = field(default_factory=list[ParticipationRow])


def build_appointments(
    calendar: Calendar, organizations: Organizations, applications: list[JobApplicationRow]
) -> Appointments:
    """Let a part of the applicants of the companies that use RDV-Insertion be invited, and most of these meet."""
    builder = _Builder(calendar, organizations)
    dice = Dice("invited")
    # The first hiring of all is that of the demo's job seeker.
    demo_hiring_id = applications[0].id
    upcoming = 0
    for application in applications:
        company = builder.users_of_rdv_insertion.get(application.company_id)
        if company is None:
            continue
        is_demo = company.number == well_known.DEMO_COMPANY
        age_days = (calendar.now - application.created_at).days
        is_recent = age_days <= 30 and application.state in _OPEN_STATES
        wanted = is_demo and is_recent and upcoming < _UPCOMING_AT_DEMO_COMPANY
        if application.id == demo_hiring_id:
            builder.meet(application, company, in_days=5)
        if not wanted and not dice.chance(_INVITED):
            continue
        builder.invite(application, company)
        if is_recent and (wanted or dice.chance(0.8)):
            upcoming += wanted
            # The first one is today, so that something is about to happen.
            builder.meet(application, company, in_days=0 if wanted and upcoming == 1 else dice.randint(1, 45))
            if wanted and upcoming % 4 == 0:
                builder.meet(application, company, in_days=dice.randint(46, 60))
        if age_days > 3 and dice.chance(0.7):
            builder.meet(application, company, in_days=-dice.randint(1, min(age_days, 600)))
    return builder.built


class _Builder:
    def __init__(self, calendar: Calendar, organizations: Organizations) -> None:
        self.users_of_rdv_insertion = {
            company.id: company for company in organizations.companies if company.rdv_solidarites_id is not None
        }
        self.built = Appointments()
        self._calendar = calendar
        self._dice = Dice("appointments")
        self._places: dict[UUID, LocationRow] = {}
        self._open_sessions: dict[UUID, AppointmentRow] = {}
        self._present: set[tuple[UUID, UUID]] = set()
        for company in self.users_of_rdv_insertion.values():
            self._add_place(company)

    def invite(self, application: JobApplicationRow, company: CompanyRow) -> None:
        """Add the request, and the messages that RDV-Insertion sent for it."""
        dice = self._dice
        number = len(self.built.invitation_requests) + 1
        sent_at = min(
            application.created_at + timedelta(days=dice.randint(1, 5)), self._calendar.now - timedelta(hours=1)
        )
        request = InvitationRequestRow(
            id=demo_id("invitation_request", number),
            job_seeker_id=application.job_seeker_id,
            company_id=company.id,
            reason_category="siae_interview",
            rdv_insertion_user_id=400_000 + number,
            api_response={"user": {"id": 400_000 + number}},
            created_at=sent_at,
        )
        self.built.invitation_requests.append(request)
        kinds = [InvitationKind.SMS, InvitationKind.EMAIL] if dice.chance(0.75) else [InvitationKind.EMAIL]
        for kind in kinds:
            self.built.invitations.append(self._invitation(request, kind, len(self.built.invitations) + 1))

    def meet(self, application: JobApplicationRow, company: CompanyRow, *, in_days: int) -> None:
        """Put the applicant into an appointment of the company, a collective one now and then."""
        appointment = self._session(company, in_days)
        presence = (appointment.id, application.job_seeker_id)
        if presence in self._present:
            return
        self._present.add(presence)
        participation = self._participation(application, appointment)
        self.built.participations.append(participation)
        if not appointment.is_collective:
            appointment.status = participation.status
            appointment.source_status = participation.source_status
            if participation.status is ParticipationStatus.CANCELLED:
                appointment.cancelled_at = participation.updated_at
        else:
            appointment.total_participants += 1

    def _session(self, company: CompanyRow, in_days: int) -> AppointmentRow:
        dice = self._dice
        if in_days <= 0 or not dice.chance(_COLLECTIVE):
            return self._add_appointment(company, in_days, is_collective=False)
        session = self._open_sessions.get(company.id)
        if session is None or session.total_participants >= _MAX_PARTICIPANTS:
            session = self._open_sessions[company.id] = self._add_appointment(company, in_days, is_collective=True)
        return session

    def _add_place(self, company: CompanyRow) -> None:
        place = LocationRow(
            id=demo_id("location", company.number),
            rdv_solidarites_id=7_000 + company.number,
            name=f"Accueil {company.brand or company.name}",
            address=f"{company.address_line_1}, {company.post_code} {company.city}",
            phone_number=make_landline(5_000 + company.number),
        )
        self._places[company.id] = place
        self.built.locations.append(place)

    def _add_appointment(self, company: CompanyRow, in_days: int, *, is_collective: bool) -> AppointmentRow:
        dice = self._dice
        number = len(self.built.appointments) + 1
        category = "siae_collective_information" if is_collective else dice.pick(("siae_interview", "siae_follow_up"))
        start_at = self._calendar.slot(in_days, dice)
        booked_at = min(start_at - timedelta(days=dice.randint(2, 9)), self._calendar.now - timedelta(hours=2))
        place = self._places[company.id]
        appointment = AppointmentRow(
            id=demo_id("appointment", number),
            rdv_insertion_id=600_000 + number,
            company_id=company.id,
            location_id=place.id if dice.chance(0.85) else None,
            start_at=start_at,
            duration=timedelta(minutes=90 if is_collective else dice.pick((30, 45, 60))),
            status=ParticipationStatus.UNKNOWN,
            source_status=_SOURCE_STATUSES[ParticipationStatus.UNKNOWN],
            reason_category=category,
            reason=_REASONS[category],
            is_collective=is_collective,
            address=place.address,
            total_participants=0 if is_collective else 1,
            max_participants=_MAX_PARTICIPANTS if is_collective else None,
            cancelled_at=None,
            applied_event_at=booked_at,
            applied_event_rank=_CREATED_RANK,
            applied_event_fingerprint=_fingerprint(f"appointment {number}"),
        )
        self.built.appointments.append(appointment)
        return appointment

    def _participation(self, application: JobApplicationRow, appointment: AppointmentRow) -> ParticipationRow:
        dice = self._dice
        number = len(self.built.participations) + 1
        is_over = appointment.start_at < self._calendar.now
        status = dice.draw(_PAST_STATUSES) if is_over else ParticipationStatus.UNKNOWN
        if not is_over and dice.chance(0.06):
            status = ParticipationStatus.CANCELLED
        cancelled_by: CancelledBy | None = None
        source_status = _SOURCE_STATUSES.get(status, "")
        if status is ParticipationStatus.CANCELLED:
            cancelled_by = CancelledBy.SERVICE if dice.chance(0.35) else CancelledBy.JOB_SEEKER
            source_status = "revoked" if cancelled_by is CancelledBy.SERVICE else "excused"
        return ParticipationRow(
            id=demo_id("participation", number),
            job_seeker_id=application.job_seeker_id,
            appointment_id=appointment.id,
            rdv_insertion_id=800_000 + number,
            status=status,
            source_status=source_status,
            cancelled_by=cancelled_by,
            updated_at=self._told_at(appointment, is_settled=status is not ParticipationStatus.UNKNOWN),
        )

    def _told_at(self, appointment: AppointmentRow, *, is_settled: bool) -> datetime:
        """When the partner last spoke of it: at the booking, or once the outcome was known."""
        if not is_settled:
            return appointment.applied_event_at
        told_at = min(appointment.start_at + timedelta(hours=3), self._calendar.now - timedelta(minutes=15))
        if not appointment.is_collective:
            appointment.applied_event_at = told_at
            appointment.applied_event_rank = _UPDATED_RANK
        return told_at

    def _invitation(self, request: InvitationRequestRow, kind: InvitationKind, number: int) -> InvitationRow:
        dice = self._dice
        status = dice.draw(
            {
                InvitationStatus.DELIVERED: 60,
                InvitationStatus.OPENED: 25,
                InvitationStatus.SENT: 10,
                InvitationStatus.NOT_DELIVERED: 5,
            }
        )
        has_arrived = status in (InvitationStatus.DELIVERED, InvitationStatus.OPENED)
        return InvitationRow(
            id=demo_id("invitation", number),
            invitation_request_id=request.id,
            kind=kind,
            status=status,
            rdv_insertion_id=900_000 + number,
            delivered_at=request.created_at + timedelta(minutes=2) if has_arrived else None,
            applied_event_at=request.created_at + timedelta(minutes=3),
            applied_event_rank=_UPDATED_RANK,
            applied_event_fingerprint=_fingerprint(f"invitation {number}"),
        )


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
