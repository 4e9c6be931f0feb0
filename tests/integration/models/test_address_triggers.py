"""An address that changes is to be geocoded, whoever wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import NOW, make_company, make_job_seeker
from tests.integration.models.conftest import RawSQL

ADDRESS = {"address_line_1": "12 rue Inventée", "post_code": "57000", "city": "Metz"}
PLACE = {"insee_code": "57463", "latitude": 49.1, "longitude": 6.2, "geocoding_score": 0.9, "geocoded_at": NOW}
READ = "SELECT geocoding_due_at IS NOT NULL AS is_due, geocoding_score, insee_code, latitude FROM {table}"


async def make_row(table: str, **values: Any) -> None:
    if table == "company":
        await make_company(**values)
    else:
        await make_job_seeker(profile=values)


pytestmark = pytest.mark.parametrize("table", ["company", "job_seeker_profile"])


async def test_a_new_address_is_due(raw: RawSQL, table: str):
    await make_row(table, **ADDRESS)

    [row] = await raw.fetch(READ.format(table=table))

    assert row["is_due"]


@pytest.mark.parametrize("missing", ADDRESS)
async def test_half_an_address_is_not(raw: RawSQL, table: str, missing: str):
    await make_row(table, **(ADDRESS | {missing: ""}))

    [row] = await raw.fetch(READ.format(table=table))

    assert not row["is_due"]


async def test_an_address_that_comes_with_its_place_is_not(raw: RawSQL, table: str):
    await make_row(table, **ADDRESS, **PLACE)

    [row] = await raw.fetch(READ.format(table=table))

    assert not row["is_due"]


@pytest.mark.parametrize(
    ("change", "insee_code"),
    [
        ("address_line_1 = '14 rue Inventée'", "57463"),
        ("city = 'Thionville', post_code = '57100'", ""),
        ("city = 'Thionville', insee_code = '57672'", "57672"),
    ],
)
async def test_a_change_makes_it_due_and_keeps_the_coordinates(raw: RawSQL, table: str, change: str, insee_code: str):
    await make_row(table, **ADDRESS, **PLACE)

    await raw.execute(f"UPDATE {table} SET {change}")

    [row] = await raw.fetch(READ.format(table=table))
    assert row == {"is_due": True, "geocoding_score": None, "insee_code": insee_code, "latitude": 49.1}


async def test_an_address_that_is_taken_away_is_due_no_more(raw: RawSQL, table: str):
    await make_row(table, **ADDRESS)

    await raw.execute(f"UPDATE {table} SET address_line_1 = '', post_code = '', city = ''")

    [row] = await raw.fetch(READ.format(table=table))
    assert not row["is_due"]


@pytest.mark.parametrize(
    "change",
    [
        "address_line_2 = 'Bâtiment B'",
        "city = city, post_code = post_code",
        "city = 'Metz-Ville', geocoded_at = now(), geocoding_score = 0.8",
        "latitude = 48, longitude = 7",
    ],
)
async def test_whatever_else_changes_leaves_it_as_it_was(raw: RawSQL, table: str, change: str):
    await make_row(table, **ADDRESS, **PLACE)

    await raw.execute(f"UPDATE {table} SET {change}")

    [row] = await raw.fetch(READ.format(table=table))
    assert not row["is_due"]
    assert row["geocoding_score"] is not None
