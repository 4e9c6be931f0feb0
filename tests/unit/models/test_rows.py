"""What a row can tell of itself without asking the database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from models import Appointment, Approval, Company, JobSeekerProfile, Participation, User
from models.enums import ApprovalState, CancelledBy, ParticipationStatus

NOW = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)


def test_a_nir_and_its_fingerprint_are_set_and_emptied_together():
    profile = JobSeekerProfile()

    profile.set_nir("293046912304591")
    with_nir = (profile.nir, profile.nir_fingerprint is None)
    profile.set_nir(None)

    assert with_nir == ("293046912304591", False)
    assert (profile.nir, profile.nir_fingerprint) == (None, None)


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (date(2026, 2, 28), ApprovalState.FUTURE),
        (date(2026, 3, 1), ApprovalState.VALID),
        (date(2028, 2, 28), ApprovalState.VALID),
        (date(2028, 2, 29), ApprovalState.EXPIRED),
    ],
)
def test_an_approval_is_valid_from_its_first_to_its_last_day_included(day: date, state: ApprovalState):
    approval = Approval(start_at=date(2026, 3, 1), end_at=date(2028, 2, 28))

    assert approval.state_on(day) is state


@pytest.mark.parametrize("day", [date(2026, 2, 28), date(2026, 3, 1), date(2028, 2, 29)])
def test_a_cancelled_approval_is_cancelled_on_any_day(day: date):
    approval = Approval(start_at=date(2026, 3, 1), end_at=date(2028, 2, 28), cancelled_at=NOW)

    assert approval.state_on(day) is ApprovalState.CANCELLED


@pytest.mark.parametrize(
    ("status", "cancelled_by", "start_at", "label"),
    [
        (ParticipationStatus.UNKNOWN, None, NOW + timedelta(seconds=1), "RDV à venir"),
        (ParticipationStatus.UNKNOWN, None, NOW, "Statut du RDV à préciser"),
        (ParticipationStatus.UNKNOWN, None, NOW - timedelta(days=1), "Statut du RDV à préciser"),
        (ParticipationStatus.SEEN, None, NOW, "RDV honoré"),
        (ParticipationStatus.ABSENT, None, NOW, "Absence non excusée au RDV"),
        (ParticipationStatus.CANCELLED, None, NOW, "RDV annulé"),
        (ParticipationStatus.CANCELLED, CancelledBy.JOB_SEEKER, NOW, "RDV annulé à l’initiative de l’usager"),
        (ParticipationStatus.CANCELLED, CancelledBy.SERVICE, NOW, "RDV annulé à l’initiative du service"),
    ],
)
def test_the_label_of_a_participation_tells_who_cancelled_and_whether_it_is_still_to_come(
    status: ParticipationStatus, cancelled_by: CancelledBy | None, start_at: datetime, label: str
):
    participation = Participation(status=status, cancelled_by=cancelled_by)

    assert participation.status_label(start_at=start_at, now=NOW) == label


def test_an_appointment_ends_when_its_duration_is_over():
    appointment = Appointment(start_at=NOW, duration=timedelta(minutes=45))

    assert appointment.end_at == NOW + timedelta(minutes=45)


def test_a_company_is_called_by_its_brand_where_it_has_one():
    company = Company(siret="90210001500011", name="Association Fictive", brand="")

    assert (company.siren, company.display_name) == ("902100015", "Association Fictive")
    company.brand = "La Fabrique"
    assert company.display_name == "La Fabrique"


def test_a_person_prints_as_an_identifier():
    identifier = uuid4()
    user = User(id=identifier, first_name="Maëlle", last_name="Inventée", email="personne@exemple.test")

    assert f"{user} {user!r}" == f"User({identifier}) User({identifier})"
