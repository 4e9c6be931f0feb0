"""What is invented must be possible: numbers with their keys, dates in order, people who could exist."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from uuid import UUID

import pytest

from demo.cast import well_known
from demo.cast.building import Cast, build_cast
from demo.cast.identifiers import demo_id
from demo.cast.well_known import Persona
from models.departments import DEPARTMENTS, department_code_of
from models.enums import (
    CertificationAuthority,
    JobApplicationState,
    NotificationStatus,
    ParticipationStatus,
    UserKind,
)
from models.identifiers import is_france_travail_id, nir_contradictions, parse_nir, parse_siret
from sandbox.cast import PEOPLE
from sandbox.names import plain
from tests.unit.demo.conftest import LOADED_AT, WORLD

_LAST_PLACE_THAT_INSEE_NUMBERED = 909
_LAST_OVERSEAS_PLACE_THAT_INSEE_NUMBERED = 62


def test_there_is_enough_of_everything(cast: Cast):
    assert len(cast.profiles) >= 5_000
    assert len(cast.companies) >= 300
    assert len(cast.applications) >= 20_000
    assert len(cast.approvals) >= 4_000
    assert all(cast.tables())


def test_two_inventions_at_the_same_time_are_equal(cast: Cast):
    again = build_cast(LOADED_AT, WORLD)

    for table, same_table in zip(cast.tables(), again.tables(), strict=True):
        assert table == same_table, f"{type(table[0]).__name__} differs"


def test_ids_numbers_and_names_are_the_same_on_another_day(cast: Cast):
    later = build_cast(LOADED_AT + timedelta(days=100), WORLD)

    for table in ("users", "companies", "memberships", "approvals", "applications", "attempts", "surveys"):
        assert [row.id for row in getattr(later, table)] == [row.id for row in getattr(cast, table)], table
    assert [profile.nir for profile in later.profiles] == [profile.nir for profile in cast.profiles]
    assert [user.last_name for user in later.users] == [user.last_name for user in cast.users]


def test_every_nir_is_well_formed_and_agrees_with_title_and_birthdate(cast: Cast):
    users = {user.id: user for user in cast.users}

    for profile in cast.profiles:
        if profile.nir is None:
            continue
        assert parse_nir(profile.nir) == profile.nir
        contradictions = nir_contradictions(profile.nir, title=users[profile.id].title, birthdate=profile.birthdate)
        assert contradictions == []


def test_no_nir_can_be_that_of_somebody_real(cast: Cast):
    for profile in cast.profiles:
        if profile.nir is None:
            continue
        if profile.nir[5:7] in ("97", "98"):
            assert int(profile.nir[8:10]) > _LAST_OVERSEAS_PLACE_THAT_INSEE_NUMBERED
        else:
            assert int(profile.nir[7:10]) > _LAST_PLACE_THAT_INSEE_NUMBERED


def test_a_nir_names_the_department_of_birth(cast: Cast):
    for profile in cast.profiles:
        if profile.nir is not None and profile.birth_place is not None:
            department = department_code_of(insee_code=profile.birth_place)
            assert department is not None
            assert profile.nir[5:].startswith(department)


def test_every_siret_has_its_keys(cast: Cast):
    sirets = [company.siret for company in cast.companies]
    sirets += [organization.siret for organization in cast.prescriber_organizations]

    assert [parse_siret(siret) for siret in sirets] == sirets
    assert len(set(sirets)) == len(sirets)


def test_france_travail_ids_have_one_of_the_two_forms(cast: Cast):
    assert all(is_france_travail_id(profile.pole_emploi_id) for profile in cast.profiles if profile.pole_emploi_id)


def test_codes_of_places_agree_with_each_other(cast: Cast):
    for row in (*cast.profiles, *cast.companies):
        assert row.department in DEPARTMENTS
        assert department_code_of(insee_code=row.insee_code) == row.department
        assert department_code_of(post_code=row.post_code) == row.department


def test_mails_can_reach_nobody(cast: Cast):
    mails = [row.email for row in (*cast.users, *cast.companies) if row.email]

    assert mails
    assert all(mail.endswith("@exemple.test") and mail.isascii() for mail in mails)
    assert len({mail.lower() for mail in mails}) == len(mails)


def test_only_the_people_of_the_story_bear_names_that_the_sandbox_has_plans_for(cast: Cast):
    triggers = {plain(person.last_name) for person in PEOPLE}

    bearers = [user for user in cast.users if plain(user.last_name) in triggers]

    story = {(person.first_name, person.last_name) for person in PEOPLE}
    assert bearers
    assert {(user.first_name, user.last_name) for user in bearers} <= story


def test_every_notification_status_is_there_and_few_are_due(cast: Cast):
    statuses = Counter(approval.pe_notification_status for approval in cast.approvals)

    assert set(statuses) == set(NotificationStatus)
    assert statuses[NotificationStatus.READY] + statuses[NotificationStatus.SHOULD_RETRY] < 50
    assert statuses[NotificationStatus.SUCCESS] > 3_000
    assert statuses[NotificationStatus.ERROR] > 300


def test_an_approval_ends_with_its_last_attempt(cast: Cast):
    last_attempts = {
        attempt.approval_id: attempt
        for attempt in sorted(cast.attempts, key=lambda attempt: attempt.started_at)
        if attempt.approval_id is not None
    }
    settled = (NotificationStatus.SUCCESS, NotificationStatus.ERROR, NotificationStatus.SHOULD_RETRY)

    for approval in cast.approvals:
        if approval.pe_notification_status in settled:
            last = last_attempts[approval.id]
            assert (last.outcome, last.started_at) == (approval.pe_notification_status, approval.pe_notification_time)
        if approval.pe_notification_status is NotificationStatus.ERROR:
            assert approval.pe_notification_exit_code == last_attempts[approval.id].exit_code


def test_only_somebody_whom_france_travail_knows_was_announced(cast: Cast):
    known = {profile.id for profile in cast.profiles if profile.pe_obfuscated_nir}

    announced = {
        approval.job_seeker_id
        for approval in cast.approvals
        if approval.pe_notification_status is NotificationStatus.SUCCESS
    }

    assert announced <= known


def test_no_person_has_two_approvals_at_a_time(cast: Cast):
    last_ends: dict[UUID, date] = {}

    for approval in sorted(cast.approvals, key=lambda approval: approval.start_at):
        assert approval.start_at < approval.end_at
        if approval.cancelled_at is None:
            last_end = last_ends.get(approval.job_seeker_id)
            assert last_end is None or approval.start_at > last_end
            last_ends[approval.job_seeker_id] = approval.end_at


def test_numbers_of_approvals_follow_each_other_without_a_hole(cast: Cast):
    numbers = sorted(approval.number for approval in cast.approvals)

    assert numbers == [f"99999{counter:07d}" for counter in range(1, len(numbers) + 1)]
    by_number = {approval.number: approval for approval in cast.approvals}
    assert all(by_number[row.number].id == row.approval_id for row in cast.cancelled_approvals)


def test_nothing_happened_in_the_future(cast: Cast):
    past_columns = (
        "created_at",
        "updated_at",
        "processed_at",
        "certified_at",
        "given_at",
        "answered_at",
        "finished_at",
    )

    for table in cast.tables():
        for row in table:
            for column in past_columns:
                instant = getattr(row, column, None)
                assert instant is None or instant <= LOADED_AT, (type(row).__name__, column)


def test_nobody_applied_before_they_were_registered(cast: Cast):
    registered = {user.id: user.created_at for user in cast.users}

    assert all(registered[application.job_seeker_id] < application.created_at for application in cast.applications)


def test_an_appointment_to_come_is_open_and_falls_on_a_working_day(cast: Cast):
    upcoming = [row for row in cast.appointments if row.start_at > LOADED_AT]

    assert len(upcoming) > 100
    for appointment in upcoming:
        assert appointment.status in (ParticipationStatus.UNKNOWN, ParticipationStatus.CANCELLED)
        assert appointment.start_at.date() == LOADED_AT.date() or appointment.start_at.weekday() < 5


def test_the_demo_company_has_a_busy_page(cast: Cast):
    company_id = demo_id("company", well_known.DEMO_COMPANY)
    newest = sorted(
        (row for row in cast.applications if row.company_id == company_id), key=lambda row: row.created_at, reverse=True
    )

    upcoming_ids = {row.id for row in cast.appointments if row.company_id == company_id and row.start_at > LOADED_AT}
    expected = {row.job_seeker_id for row in cast.participations if row.appointment_id in upcoming_ids}

    assert len(newest) >= 60
    assert sum(row.approval_id is not None for row in newest[:50]) >= 5
    assert sum(row.job_seeker_id in expected for row in newest[:50]) >= 5
    today = [
        row for row in cast.appointments if row.id in upcoming_ids and row.start_at < LOADED_AT + timedelta(hours=6)
    ]
    assert today


def test_the_demo_company_has_somebody_hired_who_still_needs_an_approval(cast: Cast):
    company_id = demo_id("company", well_known.DEMO_COMPANY)
    with_approval = {approval.job_seeker_id for approval in cast.approvals}

    waiting = [
        row
        for row in cast.applications
        if row.company_id == company_id
        and row.state is JobApplicationState.ACCEPTED
        and row.approval_id is None
        and row.job_seeker_id not in with_approval
    ]

    assert waiting


def test_the_demo_job_seeker_has_something_of_everything(cast: Cast):
    person_id = demo_id("job_seeker", well_known.DEMO_JOB_SEEKER)

    certifiers = {row.certifier for row in cast.certifications if row.jobseeker_profile_id == person_id}
    approvals = [row for row in cast.approvals if row.job_seeker_id == person_id]

    assert certifiers == set(CertificationAuthority)
    assert [row.pe_notification_status for row in approvals] == [NotificationStatus.SUCCESS]
    assert any(row.job_seeker_id == person_id for row in cast.consents)
    upcoming = {row.id for row in cast.appointments if row.start_at > LOADED_AT}
    assert any(row.job_seeker_id == person_id and row.appointment_id in upcoming for row in cast.participations)
    applications = {row.id for row in cast.applications if row.job_seeker_id == person_id}
    assert any(row.job_application_id in applications for row in cast.surveys)


@pytest.mark.parametrize("persona", [persona for persona in Persona if persona is not Persona.PARTNER])
def test_the_well_known_users_exist_and_belong_where_their_tokens_say(cast: Cast, persona: Persona):
    holder = well_known.holder_of(persona)

    user = next(user for user in cast.users if user.subject == holder.subject)
    organizations = {
        row.company_id or row.prescriber_organization_id or row.institution_id
        for row in cast.memberships
        if row.user_id == user.id
    }

    assert organizations == ({holder.organization_id} if holder.organization_id else set())


def test_the_well_known_partner_reads_the_demo_company(cast: Cast):
    client = next(row for row in cast.partner_clients if row.subject == well_known.holder_of(Persona.PARTNER).subject)

    followed = {row.company_id for row in cast.partner_client_companies if row.partner_client_id == client.id}

    assert client.revoked_at is None
    assert demo_id("company", well_known.DEMO_COMPANY) in followed


def test_a_token_for_any_siret_is_for_its_administrator(cast: Cast):
    users = {user.id: user for user in cast.users}
    administrators = {row.company_id: users[row.user_id] for row in cast.memberships if row.company_id and row.is_admin}

    for company in cast.companies:
        holder = well_known.holder_in(Persona.EMPLOYER, company.siret)
        assert holder.organization_id == company.id
        assert holder.subject == administrators[company.id].subject


def test_the_other_prescriber_is_not_authorised_and_has_sent_applications(cast: Cast):
    holder = well_known.holder_of(Persona.UNAUTHORIZED_PRESCRIBER)

    user = next(user for user in cast.users if user.subject == holder.subject)
    organization = next(row for row in cast.prescriber_organizations if row.id == holder.organization_id)

    assert user.kind is UserKind.PRESCRIBER
    assert not organization.is_authorized
    assert sum(row.sender_id == user.id for row in cast.applications) >= 8


def test_the_authorised_prescriber_follows_many_people(cast: Cast):
    holder = well_known.holder_of(Persona.PRESCRIBER)

    followed = [row for row in cast.profiles if row.created_by_prescriber_organization_id == holder.organization_id]

    assert len(followed) >= 30
