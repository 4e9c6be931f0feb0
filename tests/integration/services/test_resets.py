"""What the database forgets or makes due by itself, whoever writes."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from models import Approval, CancelledApproval, IdentityCertification, JobSeekerProfile, User
from models.database import write
from models.enums import CertificationAuthority, NotificationEndpoint
from models.enums import NotificationStatus as Status
from tests.conftest import NOW
from tests.factories import make_approval, make_certification, make_job_seeker, make_nir
from tests.integration.services.notifications import make_cancellation, profile_of, state_of, status_of

pytestmark = pytest.mark.usefixtures("database")

LONGER = "UPDATE approval SET end_at = end_at + 1 WHERE id = $1 RETURNING id"


async def make_certified_job_seeker() -> User:
    job_seeker = await make_job_seeker(
        profile={"pe_obfuscated_nir": "identifier", "pe_last_certification_attempt_at": NOW}
    )
    for authority in CertificationAuthority:
        await make_certification(job_seeker, authority)
    return job_seeker


async def what_is_known(job_seeker: User) -> tuple[object, ...]:
    profile = await profile_of(job_seeker.id)
    certifications = await IdentityCertification.filter(jobseeker_profile_id=job_seeker.id).order_by("certifier")
    return (
        profile.pe_obfuscated_nir,
        profile.pe_last_certification_attempt_at,
        [certification.certifier for certification in certifications],
    )


EVERYTHING = ("identifier", NOW, [CertificationAuthority.API_PARTICULIER, CertificationAuthority.FRANCE_TRAVAIL])
NOTHING_OF_FRANCE_TRAVAIL = (None, None, [CertificationAuthority.API_PARTICULIER])


@pytest.mark.parametrize("status", list(Status))
async def test_new_dates_make_an_approval_due_from_any_state(status: Status):
    approval = await make_approval(
        pe_notification_status=status,
        pe_notification_time=NOW,
        pe_notification_endpoint=NotificationEndpoint.MISE_A_JOUR_PASS_IAE,
        pe_notification_exit_code="S022",
        next_attempt_at=NOW + timedelta(hours=1),
    )

    await write(LONGER, approval.id)

    update = NotificationEndpoint.MISE_A_JOUR_PASS_IAE
    assert await state_of(approval) == (Status.PENDING, NOW, update, "S022")
    assert approval.next_attempt_at is None


async def test_the_same_dates_written_again_change_nothing():
    approval = await make_approval(pe_notification_status=Status.SUCCESS)

    await write("UPDATE approval SET start_at = $2, end_at = $3 WHERE id = $1 RETURNING id",
                approval.id, approval.start_at, approval.end_at)  # fmt: skip

    assert await status_of(approval) is Status.SUCCESS


async def test_dates_and_status_may_not_change_in_one_statement():
    approval = await make_approval(pe_notification_status=Status.READY)

    with pytest.raises(Exception, match="change the dates alone") as refusal:
        await write(
            "UPDATE approval SET end_at = end_at + 1, pe_notification_status = 'notification_success'"
            " WHERE id = $1 RETURNING id",
            approval.id,
        )

    assert isinstance(refusal.value.__cause__ or refusal.value, asyncpg.CheckViolationError)
    assert await status_of(approval) is Status.READY


async def test_the_dates_of_a_cancellation_have_no_such_effect():
    cancellation = await make_cancellation(Status.SUCCESS)

    await CancelledApproval.filter(id=cancellation.id).update(end_at=cancellation.end_at + timedelta(days=1))

    assert await status_of(cancellation) is Status.SUCCESS


@pytest.mark.parametrize("field", ["first_name", "last_name"])
async def test_another_name_removes_what_france_travail_knew_and_leaves_the_approval(field: str):
    job_seeker = await make_certified_job_seeker()
    approval = await make_approval(job_seeker, pe_notification_status=Status.SUCCESS)

    await User.filter(id=job_seeker.id).update(**{field: "Autrement"})

    assert await what_is_known(job_seeker) == NOTHING_OF_FRANCE_TRAVAIL
    assert await status_of(approval) is Status.SUCCESS


async def test_another_birthdate_or_nir_does_the_same():
    by_birthdate, by_nir = await make_certified_job_seeker(), await make_certified_job_seeker()
    profile = await profile_of(by_nir.id)
    assert profile.birthdate is not None
    assert by_nir.title is not None
    profile.set_nir(make_nir(by_nir.title, profile.birthdate))

    await JobSeekerProfile.filter(user_id=by_birthdate.id).update(birthdate=profile.birthdate + timedelta(days=1))
    await profile.save(update_fields=["nir", "nir_fingerprint"])

    assert await what_is_known(by_birthdate) == NOTHING_OF_FRANCE_TRAVAIL
    assert await what_is_known(by_nir) == NOTHING_OF_FRANCE_TRAVAIL


async def test_the_same_identity_sealed_anew_removes_nothing():
    job_seeker = await make_certified_job_seeker()
    profile = await profile_of(job_seeker.id)
    profile.set_nir(str(profile.nir))

    await profile.save(update_fields=["nir", "nir_fingerprint"])
    await User.filter(id=job_seeker.id).update(first_name=job_seeker.first_name)

    assert await what_is_known(job_seeker) == EVERYTHING


@pytest.mark.parametrize(
    "change",
    [{"email": "autre@exemple.test"}, {"phone": "0700000000"}, {"title": "M"}],
    ids=lambda change: next(iter(change)),
)
async def test_contact_details_remove_nothing(change: dict[str, str]):
    job_seeker = await make_certified_job_seeker()

    await User.filter(id=job_seeker.id).update(**change)

    assert await what_is_known(job_seeker) == EVERYTHING


async def test_another_birth_place_removes_nothing():
    job_seeker = await make_certified_job_seeker()

    await JobSeekerProfile.filter(user_id=job_seeker.id).update(birth_place="57463")

    assert await what_is_known(job_seeker) == EVERYTHING


async def test_a_change_of_identity_leaves_an_error_in_place_until_a_new_identifier_is_found():
    job_seeker = await make_certified_job_seeker()
    approval = await make_approval(job_seeker, pe_notification_status=Status.ERROR)

    await User.filter(id=job_seeker.id).update(last_name="Autrement")

    assert await status_of(await Approval.get(id=approval.id)) is Status.ERROR
