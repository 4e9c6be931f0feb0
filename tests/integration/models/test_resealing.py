"""A rotation of keys, from the first restart to the day on which the retired key is thrown away."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import Iterator

import pytest
from tortoise import Tortoise

from models import JobSeekerProfile
from models.database import DatabaseConfig
from models.encryption import EncryptedTextField, EncryptionError, KeyRing, key_ring, use_key_ring
from models.enums import CertificationAuthority
from models.resealing import SEALED_COLUMNS, count_sealed_with_old_keys, reseal
from tests.conftest import KEYS
from tests.factories import make_certification, make_job_seeker
from tests.integration.models.conftest import RawSQL
from tests.integration.models.rows import MAKERS

NEW_KEY = b"tests-only-second-key-of-32-byte"
ROTATED = KeyRing(keys=(NEW_KEY, *KEYS.keys), fingerprint_key=KEYS.fingerprint_key)
RETIRED = KeyRing(keys=(NEW_KEY,), fingerprint_key=KEYS.fingerprint_key)


@pytest.fixture(autouse=True)
def _ring_of_the_other_tests() -> Iterator[None]:
    yield
    use_key_ring(KEYS)


async def make_sealed_rows(raw: RawSQL) -> None:
    for _ in range(3):
        await make_job_seeker()
    for table in sorted({table for table, _ in SEALED_COLUMNS[1:]}):
        await MAKERS[table]()
    for table, column in SEALED_COLUMNS[1:]:
        await raw.execute(f"UPDATE {table} SET {column} = $1", key_ring().seal(f"secret of {table}"))


@pytest.mark.usefixtures("database")
def test_every_sealed_column_of_the_models_is_sealed_again():
    columns = {
        (model._meta.db_table, name)  # pyright: ignore[reportPrivateUsage]: Tortoise's only way to the fields
        for model in Tortoise.apps["models"].values()
        for name, field in model._meta.fields_map.items()  # pyright: ignore[reportPrivateUsage]
        if isinstance(field, EncryptedTextField)
    }

    assert columns == set(SEALED_COLUMNS)


async def test_after_resealing_the_retired_key_is_needed_no_more(raw: RawSQL):
    await make_sealed_rows(raw)
    nirs = {row.id: row.nir for row in await JobSeekerProfile.all()}

    use_key_ring(ROTATED)
    before = await count_sealed_with_old_keys()
    # The cancelled approval and the invitation attempt have job seekers of their own.
    resealed = await reseal(batch_size=2)

    assert before == {
        "job_seeker_profile.nir": 5,
        "cancelled_approval.user_nir": 1,
        "webhook_event.body": 1,
        "mail.recipient": 1,
        "mail.parameters": 1,
        "invitation_attempt.sought": 1,
        "invitation_attempt.refusal": 1,
    }
    assert resealed == 11
    assert set((await count_sealed_with_old_keys()).values()) == {0}
    use_key_ring(RETIRED)
    assert {row.id: row.nir for row in await JobSeekerProfile.all()} == nirs
    for table, column in SEALED_COLUMNS[1:]:
        [row] = await raw.fetch(f"SELECT {column} AS sealed FROM {table}")
        assert RETIRED.open(row["sealed"]) == f"secret of {table}"


async def test_resealing_a_second_time_changes_nothing(raw: RawSQL):
    await make_sealed_rows(raw)
    use_key_ring(ROTATED)
    await reseal()
    before = await raw.fetch("SELECT nir FROM job_seeker_profile ORDER BY id")

    assert await reseal() == 0

    assert await raw.fetch("SELECT nir FROM job_seeker_profile ORDER BY id") == before


async def test_resealing_ends_no_certification(raw: RawSQL):
    job_seeker = await make_job_seeker(profile={"pe_obfuscated_nir": "id-of-france-travail"})
    await make_certification(job_seeker, CertificationAuthority.FRANCE_TRAVAIL)
    use_key_ring(ROTATED)

    await reseal()

    [row] = await raw.fetch("SELECT pe_obfuscated_nir FROM job_seeker_profile JOIN identity_certification ON true")
    assert row["pe_obfuscated_nir"] == "id-of-france-travail"


async def test_a_key_thrown_away_too_early_is_told_and_nothing_is_lost(raw: RawSQL):
    await make_sealed_rows(raw)
    before = await raw.fetch("SELECT nir FROM job_seeker_profile ORDER BY id")
    use_key_ring(RETIRED)

    with pytest.raises(EncryptionError, match="not in the ring"):
        await reseal()

    assert await raw.fetch("SELECT nir FROM job_seeker_profile ORDER BY id") == before


async def run_reseal(database: DatabaseConfig, ring: KeyRing) -> tuple[int | None, str, str]:
    """Run the command in a process of its own; return its status and what it said."""
    environment = os.environ | {
        "ENVIRONMENT": "test",
        "DATABASE_URL": database.url,
        "ENCRYPTION_KEYS": ",".join(base64.b64encode(key).decode() for key in ring.keys),
        "FINGERPRINT_KEY": base64.b64encode(ring.fingerprint_key).decode(),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "reseal"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        told, complained = await process.communicate()
    return process.returncode, told.decode().strip(), complained.decode().strip()


async def test_the_command_says_when_the_retired_key_may_go(database: DatabaseConfig, raw: RawSQL):
    await make_sealed_rows(raw)

    status, told, _ = await run_reseal(database, ROTATED)

    assert (status, told) == (0, "Sealed 11 values again; 0 still need an older key.")
    use_key_ring(RETIRED)
    assert all([row.nir for row in await JobSeekerProfile.all()])


async def test_the_command_says_in_one_sentence_that_a_key_is_missing(database: DatabaseConfig, raw: RawSQL):
    await make_sealed_rows(raw)

    status, told, complaint = await run_reseal(database, RETIRED)

    assert (status, told) == (1, "")
    assert complaint == "sealed value: its key is not in the ring; put the retired key back as second key"
