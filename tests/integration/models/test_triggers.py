"""The rules that PostgreSQL applies to every writer: re-arming, forgetting a certification, moving `updated_at`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from models import Approval, Company, IdentityCertification, JobApplication, JobSeekerProfile, User
from models.database import fetch_all
from models.encryption import key_ring
from models.enums import CertificationAuthority, LackOfNirReason, NotificationEndpoint, NotificationStatus, UserKind
from tests.factories import (
    NOW,
    make_approval,
    make_certification,
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
)
from tests.integration.models.conftest import RawSQL

FRANCE_TRAVAIL = CertificationAuthority.FRANCE_TRAVAIL
API_PARTICULIER = CertificationAuthority.API_PARTICULIER


async def make_announced_approval(status: NotificationStatus) -> Approval:
    return await make_approval(
        pe_notification_status=status,
        pe_notification_time=NOW,
        pe_notification_endpoint=NotificationEndpoint.MISE_A_JOUR_PASS_IAE,
        pe_notification_exit_code="S022",
        next_attempt_at=NOW + timedelta(hours=1),
        lease_token=uuid4(),
        lease_until=NOW + timedelta(minutes=5),
    )


@pytest.mark.parametrize("status", NotificationStatus)
@pytest.mark.parametrize(
    "change", ["start_at = start_at - 1", "end_at = end_at + 1", "start_at = start_at + 7, end_at = end_at + 7"]
)
async def test_a_change_of_dates_is_news_for_france_travail_whatever_was_said_before(
    raw: RawSQL, status: NotificationStatus, change: str
):
    approval = await make_announced_approval(status)

    await raw.execute(f"UPDATE approval SET {change}")

    row = await Approval.get(id=approval.id)
    assert row.pe_notification_status is NotificationStatus.PENDING
    assert row.next_attempt_at is None
    # What the last attempt said stays to be read until the next one.
    assert (row.pe_notification_time, row.pe_notification_exit_code) == (NOW, "S022")
    # A worker in the middle of its call keeps its lease: it will find that the dates are no longer those it sent.
    assert row.lease_token == approval.lease_token


@pytest.mark.parametrize("status", NotificationStatus)
async def test_the_same_dates_written_again_change_nothing(raw: RawSQL, status: NotificationStatus):
    approval = await make_announced_approval(status)

    await raw.execute("UPDATE approval SET start_at = start_at, end_at = end_at, number = number")

    row = await Approval.get(id=approval.id)
    assert row.pe_notification_status is status
    assert row.next_attempt_at == NOW + timedelta(hours=1)


async def test_dates_and_status_may_not_change_in_one_statement(raw: RawSQL):
    approval = await make_announced_approval(NotificationStatus.ERROR)

    refused_by = await raw.refusal_of(
        "UPDATE approval SET end_at = end_at + 1, pe_notification_status = 'notification_success'"
    )

    assert refused_by == "approval_dates_apart_from_status"
    row = await Approval.get(id=approval.id)
    assert (row.end_at, row.pe_notification_status) == (approval.end_at, NotificationStatus.ERROR)


async def test_a_model_saved_with_new_dates_is_armed_again_too(raw: RawSQL):
    approval = await make_announced_approval(NotificationStatus.SUCCESS)
    approval.end_at += timedelta(days=30)

    await approval.save()

    [row] = await raw.fetch("SELECT pe_notification_status, end_at FROM approval")
    assert row == {"pe_notification_status": "notification_pending", "end_at": approval.end_at}


async def test_other_columns_of_an_approval_do_not_arm_it_again(raw: RawSQL):
    approval = await make_announced_approval(NotificationStatus.SUCCESS)

    await raw.execute(
        "UPDATE approval SET cancelled_at = now(), origin_siae_kind = 'EI', lease_token = NULL, lease_until = NULL"
    )

    assert (await Approval.get(id=approval.id)).pe_notification_status is NotificationStatus.SUCCESS


async def make_certified_job_seeker() -> User:
    job_seeker = await make_job_seeker(
        profile={"pe_obfuscated_nir": "id-of-france-travail", "pe_last_certification_attempt_at": NOW}
    )
    await make_certification(job_seeker, FRANCE_TRAVAIL)
    await make_certification(job_seeker, API_PARTICULIER)
    return job_seeker


async def certifiers_of(job_seeker: User) -> set[CertificationAuthority]:
    rows = await IdentityCertification.filter(jobseeker_profile_id=job_seeker.id)
    return {row.certifier for row in rows}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE \"user\" SET first_name = 'Anaïs' WHERE kind = 'job_seeker'",
        "UPDATE \"user\" SET last_name = 'Autrenom' WHERE kind = 'job_seeker'",
        "UPDATE \"user\" SET first_name = last_name, last_name = first_name WHERE kind = 'job_seeker'",
        "UPDATE job_seeker_profile SET birthdate = birthdate + 1",
        "UPDATE job_seeker_profile SET birthdate = NULL",
        "UPDATE job_seeker_profile SET nir = NULL, nir_fingerprint = NULL",
    ],
)
async def test_another_identity_ends_what_france_travail_certified_and_nothing_else(raw: RawSQL, change: str):
    job_seeker = await make_certified_job_seeker()
    approval = await make_approval(job_seeker, pe_notification_status=NotificationStatus.SUCCESS)

    await raw.execute(change)

    profile = await JobSeekerProfile.get(id=job_seeker.id)
    assert (profile.pe_obfuscated_nir, profile.pe_last_certification_attempt_at) == (None, None)
    assert await certifiers_of(job_seeker) == {API_PARTICULIER}
    assert (await Approval.get(id=approval.id)).pe_notification_status is NotificationStatus.SUCCESS


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE \"user\" SET email = 'autre@exemple.test', phone = '0611111111', title = 'M' WHERE kind = 'job_seeker'",
        'UPDATE "user" SET first_name = first_name, last_name = last_name',
        "UPDATE job_seeker_profile SET birth_place = '57463', pole_emploi_id = '1234567A', city = 'Metz'",
        "UPDATE job_seeker_profile SET birthdate = birthdate, nir_fingerprint = nir_fingerprint",
    ],
)
async def test_what_france_travail_does_not_compare_keeps_the_certification(raw: RawSQL, change: str):
    job_seeker = await make_certified_job_seeker()

    await raw.execute(change)

    profile = await JobSeekerProfile.get(id=job_seeker.id)
    assert (profile.pe_obfuscated_nir, profile.pe_last_certification_attempt_at) == ("id-of-france-travail", NOW)
    assert await certifiers_of(job_seeker) == {FRANCE_TRAVAIL, API_PARTICULIER}


async def test_a_profile_saved_unchanged_keeps_its_certification_although_the_nir_is_sealed_anew(raw: RawSQL):
    job_seeker = await make_certified_job_seeker()
    [before] = await raw.fetch("SELECT nir FROM job_seeker_profile")

    await (await JobSeekerProfile.get(id=job_seeker.id)).save()

    [after] = await raw.fetch("SELECT nir, pe_obfuscated_nir FROM job_seeker_profile")
    assert before["nir"] != after["nir"]
    assert after["pe_obfuscated_nir"] == "id-of-france-travail"
    assert await certifiers_of(job_seeker) == {FRANCE_TRAVAIL, API_PARTICULIER}


@pytest.mark.usefixtures("database")
async def test_another_nir_set_through_the_model_ends_the_certification():
    job_seeker = await make_certified_job_seeker()
    profile = await JobSeekerProfile.get(id=job_seeker.id)

    profile.set_nir(None)
    profile.lack_of_nir_reason = LackOfNirReason.NO_NIR
    await profile.save()

    assert (await JobSeekerProfile.get(id=job_seeker.id)).pe_obfuscated_nir is None
    assert await certifiers_of(job_seeker) == {API_PARTICULIER}


async def test_the_identity_of_one_person_touches_nobody_else(raw: RawSQL):
    changed, other = await make_certified_job_seeker(), await make_certified_job_seeker()

    await raw.execute("UPDATE \"user\" SET last_name = 'Autrenom' WHERE id = $1", changed.id)
    await raw.execute("UPDATE job_seeker_profile SET birthdate = birthdate + 1 WHERE id = $1", changed.id)

    assert await certifiers_of(changed) == {API_PARTICULIER}
    assert await certifiers_of(other) == {FRANCE_TRAVAIL, API_PARTICULIER}


async def test_an_employer_may_change_name_without_a_profile(raw: RawSQL):
    employer = await make_employer(await make_company())

    await raw.execute("UPDATE \"user\" SET last_name = 'Mariée' WHERE id = $1", employer.id)

    assert (await User.get(id=employer.id)).last_name == "Mariée"
    assert employer.kind is UserKind.EMPLOYER


@pytest.mark.parametrize("model", [Approval, Company, JobApplication, User])
async def test_a_raw_update_moves_updated_at(raw: RawSQL, model: type[Approval | Company | JobApplication | User]):
    approval = await make_approval()
    await make_job_application(await User.get(id=approval.job_seeker_id))
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)

    # The writer's own value does not count: the moment of the change does.
    await raw.execute(f'UPDATE "{model.describe()["table"]}" SET updated_at = $1', long_ago)

    [clock] = await raw.fetch("SELECT now() AS now")
    moments = await model.all().values_list("updated_at", flat=True)
    assert moments
    assert all(timedelta(0) < clock["now"] - moment < timedelta(minutes=1) for moment in moments)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Élodie LEFÈVRE", "elodie lefevre"),
        ("D’Ornano", "d'ornano"),
        ("Nuñez-Güell", "nunez-guell"),
        ("François ŸSEULT", "francois yseult"),
    ],
)
async def test_a_search_key_has_no_accents_and_no_case(typed: str, key: str):
    [row] = await fetch_all("SELECT search_key($1) AS key", typed)

    assert row["key"] == key


async def test_a_nir_is_unreadable_in_the_database_and_found_by_its_fingerprint(raw: RawSQL):
    job_seeker = await make_job_seeker()
    nir = (await JobSeekerProfile.get(id=job_seeker.id)).nir

    [row] = await raw.fetch("SELECT nir, nir_fingerprint FROM job_seeker_profile")

    assert isinstance(nir, str)
    assert nir.encode() not in row["nir"]
    assert nir not in row["nir_fingerprint"]
    found = await JobSeekerProfile.get(nir_fingerprint=key_ring().fingerprint(nir))
    assert found.user_id == job_seeker.id
    assert found.birthdate == date(1993, 4, 12)
