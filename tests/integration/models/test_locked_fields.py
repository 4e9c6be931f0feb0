"""Which fields of a person a certification locks: read from real rows, as services read them."""

from __future__ import annotations

from typing import Any

import pytest

from models import JobSeekerProfile, User
from models.enums import CertificationAuthority
from models.people import FRANCE
from tests.factories import make_certification, make_job_seeker

pytestmark = pytest.mark.usefixtures("database")

API_PARTICULIER = CertificationAuthority.API_PARTICULIER
FRANCE_TRAVAIL = CertificationAuthority.FRANCE_TRAVAIL
NAMES = {"first_name", "last_name", "title", "birthdate"}
BIRTH = {"birth_place", "birth_country"}
BORN_IN_LYON = {"birth_country": FRANCE, "birth_place": "69123"}


async def certified_profile(*certifiers: CertificationAuthority, **values: Any) -> JobSeekerProfile:
    job_seeker = await make_job_seeker(profile=values)
    for certifier in certifiers:
        await make_certification(job_seeker, certifier)
    return await JobSeekerProfile.get(id=job_seeker.id).prefetch_related("identity_certifications")


@pytest.mark.parametrize(
    ("certifiers", "values", "locked"),
    [
        # Nobody, or France Travail alone, locks nothing.
        ([], BORN_IN_LYON, set[str]()),
        ([FRANCE_TRAVAIL], BORN_IN_LYON, set[str]()),
        ([API_PARTICULIER], BORN_IN_LYON, NAMES | BIRTH | {"nir"}),
        ([FRANCE_TRAVAIL, API_PARTICULIER], BORN_IN_LYON, NAMES | BIRTH | {"nir"}),
        # What was never known stays open, or it could never be filled in.
        ([API_PARTICULIER], {"birth_country": FRANCE, "birth_place": None}, NAMES | {"nir"}),
        ([API_PARTICULIER], {"birth_country": None, "birth_place": None}, NAMES | {"nir"}),
        # A birth abroad has no commune to wait for.
        ([API_PARTICULIER], {"birth_country": "99352", "birth_place": None}, NAMES | BIRTH | {"nir"}),
        ([API_PARTICULIER], BORN_IN_LYON | {"nir": None}, NAMES | BIRTH),
        (
            [API_PARTICULIER],
            BORN_IN_LYON | {"pole_emploi_id": "1234567A"},
            NAMES | BIRTH | {"nir", "pole_emploi_id"},
        ),
    ],
)
async def test_only_api_particulier_locks_and_only_what_is_known(
    certifiers: list[CertificationAuthority], values: dict[str, Any], locked: set[str]
):
    profile = await certified_profile(*certifiers, **values)

    assert profile.readonly_pii_fields() == locked


async def test_a_certification_that_is_gone_locks_nothing_any_more():
    profile = await certified_profile(API_PARTICULIER, **BORN_IN_LYON)
    await profile.identity_certifications.all().delete()

    await profile.fetch_related("identity_certifications")

    assert profile.readonly_pii_fields() == frozenset()


async def test_every_locked_name_is_a_column_of_the_person():
    profile = await certified_profile(API_PARTICULIER, **BORN_IN_LYON, pole_emploi_id="1234567A")

    described: list[Any] = [User.describe(), JobSeekerProfile.describe()]
    columns: set[str] = {field["name"] for model in described for field in model["data_fields"]}

    assert profile.readonly_pii_fields() <= columns
