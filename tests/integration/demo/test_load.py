"""The cast in a real database: every constraint holds, and what is loaded can be read through the models."""

from __future__ import annotations

import asyncpg
import pytest

from demo.cast import Cast, build_cast
from demo.database import connected
from demo.load import DatabaseContent, content_of, load_cast
from models import Appointment, Approval, Company, JobSeekerProfile, PartnerClient, Survey, User
from models.database import DatabaseConfig
from models.enums import CompanyKind, NotificationStatus
from tests.factories import make_user
from tests.unit.demo.conftest import LOADED_AT, WORLD


@pytest.fixture(scope="module")
def cast() -> Cast:
    return build_cast(LOADED_AT, WORLD)


async def test_everything_is_loaded_and_read_through_the_models(database: DatabaseConfig, cast: Cast):
    heard: dict[str, int] = {}

    total = await load_cast(database, cast, on_table=heard.__setitem__)

    assert total == sum(heard.values()) == sum(len(table) for table in cast.tables())
    assert await User.all().count() == len(cast.users)
    invented = next(row for row in cast.profiles if row.nir is not None)
    profile = await JobSeekerProfile.get(nir_fingerprint=database.keys.fingerprint(invented.nir or ""))
    assert (profile.id, profile.nir) == (invented.id, invented.nir)
    company = await Company.get(number=1)
    assert (company.kind, company.display_name) == (CompanyKind.ACI, "Les Ateliers du Graoully")
    assert await Approval.filter(pe_notification_status=NotificationStatus.READY).count() == 10


async def test_json_and_durations_come_back_as_they_were(database: DatabaseConfig, cast: Cast):
    await load_cast(database, cast)

    survey = await Survey.get(id=cast.surveys[0].id)
    appointment = await Appointment.get(id=cast.appointments[0].id)
    client = await PartnerClient.get(id=cast.partner_clients[0].id).prefetch_related("companies")

    assert survey.context == cast.surveys[0].context
    assert appointment.duration == cast.appointments[0].duration
    assert client.scopes == cast.partner_clients[0].scopes
    assert len(client.companies) == 6


async def test_no_nir_can_be_read_from_the_table(database: DatabaseConfig, cast: Cast):
    await load_cast(database, cast)

    async with connected(database.url) as connection:
        sealed: bytes = await connection.fetchval("SELECT nir FROM job_seeker_profile WHERE nir IS NOT NULL LIMIT 1")

    nirs = {profile.nir for profile in cast.profiles if profile.nir}
    assert database.keys.open(sealed) in nirs
    assert not any(nir.encode() in sealed for nir in nirs)


async def test_a_load_that_fails_leaves_nothing_behind(database: DatabaseConfig, cast: Cast):
    # Some company is there already: the load stumbles over it after the users went in.
    await Company.create(number=1, siret="90300000100015", kind=CompanyKind.EI, name="Déjà là")

    with pytest.raises(asyncpg.UniqueViolationError):
        await load_cast(database, cast)

    assert await User.all().count() == 0


async def test_the_content_of_a_database_is_told(database: DatabaseConfig, cast: Cast):
    assert await content_of(database.url) is DatabaseContent.EMPTY

    await load_cast(database, cast)

    assert await content_of(database.url) is DatabaseContent.DEMO


@pytest.mark.usefixtures("database")
async def test_somebody_elses_accounts_are_not_taken_for_the_demo(database: DatabaseConfig):
    await make_user()

    assert await content_of(database.url) is DatabaseContent.SOMETHING_ELSE
