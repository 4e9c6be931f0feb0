"""Puts the whole cast of the demo together: the same at every start, around the hour of loading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demo.cast import rows
from demo.cast.applications import build_other_applications
from demo.cast.appointments import Appointments, build_appointments
from demo.cast.dice import Calendar
from demo.cast.hirings import Hirings, build_hirings, number_approvals
from demo.cast.organizations import Organizations, build_organizations
from demo.cast.people import People, build_people, leave_unsearched
from demo.cast.story import Story, build_story
from demo.cast.surveys import build_surveys
from demo.cast.world import SimulatedWorld


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Cast:
    """All rows, one list a table, none of them in a database yet. Prints nothing of them: they are too many."""

    users: list[rows.UserRow]
    companies: list[rows.CompanyRow]
    prescriber_organizations: list[rows.PrescriberOrganizationRow]
    institutions: list[rows.InstitutionRow]
    memberships: list[rows.MembershipRow]
    partner_clients: list[rows.PartnerClientRow]
    partner_client_companies: list[rows.PartnerClientCompanyRow]
    profiles: list[rows.JobSeekerProfileRow]
    consents: list[rows.ConsentRow]
    certifications: list[rows.IdentityCertificationRow]
    approvals: list[rows.ApprovalRow]
    cancelled_approvals: list[rows.CancelledApprovalRow]
    attempts: list[rows.NotificationAttemptRow]
    applications: list[rows.JobApplicationRow]
    surveys: list[rows.SurveyRow]
    invitation_requests: list[rows.InvitationRequestRow]
    invitations: list[rows.InvitationRow]
    locations: list[rows.LocationRow]
    appointments: list[rows.AppointmentRow]
    participations: list[rows.ParticipationRow]

    def tables(self) -> Sequence[Sequence[Any]]:
        """Return the lists in an order in which every row finds what it points to."""
        return [getattr(self, name) for name in self.__dataclass_fields__]


def build_cast(now: datetime, world: SimulatedWorld) -> Cast:
    """Return the cast as it stands at `now`. Equal arguments give equal rows.

    Ids are the same whatever `now`, but for appointments: weekends decide who has met whom.
    """
    calendar = Calendar(now)
    organizations = build_organizations(calendar)
    people = build_people(calendar, organizations, world)
    hirings = build_hirings(calendar, organizations, people.job_seekers)
    story = build_story(calendar, organizations, world)
    leave_unsearched(people, hirings.job_seeker_ids)
    number_approvals([*hirings.hirings, *story.hirings])
    return _assemble(calendar, organizations, people, hirings, story)


def _assemble(calendar: Calendar, organizations: Organizations, people: People, hirings: Hirings, story: Story) -> Cast:
    job_seekers = [*people.job_seekers, *story.job_seekers]
    all_hirings = [*hirings.hirings, *story.hirings]
    applications = [hiring.application for hiring in all_hirings]
    applications += build_other_applications(calendar, organizations, people.job_seekers, hirings.job_seeker_ids)
    meetings: Appointments = build_appointments(calendar, organizations, applications)
    return Cast(
        users=[*organizations.users, *(job_seeker.user for job_seeker in job_seekers)],
        companies=organizations.companies,
        prescriber_organizations=organizations.prescriber_organizations,
        institutions=organizations.institutions,
        memberships=organizations.memberships,
        partner_clients=organizations.partner_clients,
        partner_client_companies=organizations.partner_client_companies,
        profiles=[job_seeker.profile for job_seeker in job_seekers],
        consents=people.consents,
        certifications=people.certifications,
        approvals=[hiring.approval for hiring in all_hirings],
        cancelled_approvals=[hiring.cancellation for hiring in all_hirings if hiring.cancellation is not None],
        attempts=[*hirings.attempts, *story.attempts],
        applications=applications,
        surveys=[*build_surveys(calendar, organizations, hirings.hirings)],
        invitation_requests=meetings.invitation_requests,
        invitations=meetings.invitations,
        locations=meetings.locations,
        appointments=meetings.appointments,
        participations=meetings.participations,
    )
