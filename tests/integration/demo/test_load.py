"""The cast in a real database: every constraint holds, and what is loaded can be read through the models."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from demo.cast.building import Cast, build_cast
from demo.database import connected
from demo.load import DatabaseContent, DatabaseNotOurs, content_of, empty_database, load_cast
from models import Appointment, Approval, Company, JobSeekerProfile, PartnerClient, Survey, User
from models.database import DatabaseConfig, connection_parameters
from models.enums import CompanyKind, NotificationStatus
from models.migrate import migrate
from tests.conftest import KEYS
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


@pytest.fixture
async def other_database(database_url: str) -> AsyncIterator[DatabaseConfig]:
    """A migrated database that a test may take apart."""
    parameters = connection_parameters(database_url)
    name = f"{parameters['database']}_demo"
    async with connected(database_url) as admin:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        config = DatabaseConfig(url=database_url.replace(f"/{parameters['database']}", f"/{name}"), keys=KEYS)
        await migrate(config)
        yield config
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


async def test_a_database_of_the_demo_is_emptied_and_can_be_filled_again(other_database: DatabaseConfig, cast: Cast):
    await load_cast(other_database, cast)

    await empty_database(other_database.url)

    async with connected(other_database.url) as connection:
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    assert tables == 0
    await migrate(other_database)
    assert await content_of(other_database.url) is DatabaseContent.EMPTY


async def test_somebody_elses_database_is_not_emptied(other_database: DatabaseConfig):
    async with connected(other_database.url) as connection:
        await connection.execute(
            'INSERT INTO "user" (id, kind, first_name, last_name, phone, is_active, is_operator, may_read_full_nir,'
            " created_at, updated_at)"
            " VALUES (gen_random_uuid(), 'staff', '', '', '', TRUE, FALSE, FALSE, now(), now())"
        )

    with pytest.raises(DatabaseNotOurs, match="left as it is"):
        await empty_database(other_database.url)

    assert await content_of(other_database.url) is DatabaseContent.SOMETHING_ELSE
