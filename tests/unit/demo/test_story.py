"""The approvals that the demo plays: rows and sandbox agree on how each must end."""

from __future__ import annotations

from collections import Counter

import pytest

from demo.cast.building import Cast
from demo.cast.rows import ApprovalRow
from demo.cast.story import ROLES, Role, Twist
from demo.cast.world import SimulatedWorld
from models.enums import JobApplicationState, NotificationEndpoint, NotificationStatus, PreliminaryCheck
from sandbox.cast import PEOPLE, france_travail_fate
from sandbox.france_travail.identifiers import id_national_of
from tests.unit.demo.conftest import LOADED_AT

_FOUND = ("S001", "PE001")
_BY_NAME = [role for role in ROLES if role.last_name is not None and role.twist is Twist.NONE]


def _approval(cast: Cast, role: Role) -> ApprovalRow:
    return next(approval for approval in cast.approvals if approval.id == role.approval_id)


def test_about_forty_are_to_be_announced_and_most_succeed():
    expected = Counter(role.expected for role in ROLES)

    assert 40 <= len(ROLES) <= 50
    assert expected[NotificationStatus.SUCCESS] > expected[NotificationStatus.ERROR] > 5
    assert expected[NotificationStatus.PENDING] == 3


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.key)
def test_each_role_is_loaded_as_it_says(cast: Cast, role: Role):
    if role.is_cancellation:
        row = next(row for row in cast.cancelled_approvals if row.id == role.subject_id)
    else:
        row = _approval(cast, role)

    assert row.pe_notification_status is role.before


@pytest.mark.parametrize("role", _BY_NAME, ids=lambda role: role.key)
def test_what_the_story_expects_is_what_the_sandbox_answers(role: Role):
    fate = france_travail_fate(role.last_name or "")

    if fate.search_code not in _FOUND:
        outcome = (NotificationStatus.ERROR, fate.search_code)
    elif not fate.has_id:
        outcome = (NotificationStatus.ERROR, "empty_nir")
    elif fate.update_code == "S000":
        outcome = (NotificationStatus.SUCCESS, None)
    else:
        outcome = (NotificationStatus.ERROR, fate.update_code or "missing_code")

    assert (role.expected, role.expected_code) == outcome


@pytest.mark.parametrize("role", _BY_NAME, ids=lambda role: role.key)
def test_somebody_of_the_sandbox_is_played_with_their_own_nir(cast: Cast, role: Role):
    person = next(person for person in PEOPLE if person.last_name == role.last_name)

    profiles = {row.id: row for row in cast.profiles}
    profile = profiles[_approval(cast, role).job_seeker_id]

    assert (profile.nir, profile.birthdate) == (person.nir, person.birthdate)


def test_three_are_held_back_each_by_another_check(cast: Cast):
    roles = [role for role in ROLES if role.expected is NotificationStatus.PENDING]
    applications = {row.approval_id: row for row in cast.applications if row.approval_id}
    profiles = {row.id: row for row in cast.profiles}

    checks: set[PreliminaryCheck] = set()
    for role in roles:
        approval = _approval(cast, role)
        if approval.start_at > LOADED_AT.date():
            checks.add(PreliminaryCheck.STARTS_IN_FUTURE)
        if applications[approval.id].state is not JobApplicationState.ACCEPTED:
            checks.add(PreliminaryCheck.NO_JOB_APPLICATION)
        if profiles[approval.job_seeker_id].nir is None:
            checks.add(PreliminaryCheck.MISSING_USER_DATA)

    assert len(roles) == len(checks) == 3


def test_a_lost_answer_left_the_dates_that_were_sent(cast: Cast):
    role = next(role for role in ROLES if role.twist is Twist.ANSWER_LOST)
    approval = _approval(cast, role)

    (attempt,) = [row for row in cast.attempts if row.approval_id == approval.id]

    assert attempt.endpoint is NotificationEndpoint.MISE_A_JOUR_PASS_IAE
    assert attempt.delivery == "unknown"
    assert (attempt.sent_start_at, attempt.sent_end_at) == (approval.start_at, approval.end_at)


def test_nobody_of_the_story_is_certified_behind_its_back(cast: Cast):
    job_seekers = {_approval(cast, role).job_seeker_id for role in ROLES}

    profiles = [row for row in cast.profiles if row.id in job_seekers and row.nir is not None]

    assert all(row.pe_last_certification_attempt_at is not None for row in profiles)


def test_a_role_that_the_sandbox_does_not_know_is_refused():
    world = SimulatedWorld(id_national_of=id_national_of, people=PEOPLE)

    with pytest.raises(LookupError, match="Inconnu"):
        world.person("Inconnu")
