"""Which department a commune or a post code belongs to."""

from __future__ import annotations

import pytest

from models.departments import DEPARTMENTS, REGIONS, department_code_of


@pytest.mark.parametrize(
    ("insee_code", "department"),
    [
        ("57463", "57"),
        ("01004", "01"),
        ("2A004", "2A"),
        ("2b033", "2B"),
        ("97105", "971"),
        ("97411", "974"),
        ("69383", "69"),
        ("97502", "975"),
        ("97701", "977"),
        ("97801", "978"),
        ("98735", "987"),
        ("98818", "988"),
        ("75056", "75"),
        ("20004", None),  # Corsica's number of before 1976
        ("99352", None),  # a country
        ("96000", None),
    ],
)
def test_a_commune_tells_its_department(insee_code: str, department: str | None):
    assert department_code_of(insee_code=insee_code) == department


@pytest.mark.parametrize(
    ("post_code", "department"),
    [
        ("57000", "57"),
        ("01000", "01"),
        ("20000", "2A"),
        ("20137", "2A"),
        ("20190", "2A"),
        ("20700", "2A"),
        ("20200", "2B"),
        ("20405", "2B"),
        ("20600", "2B"),
        ("20300", None),
        ("75116", "75"),
        ("97110", "971"),
        ("97200", "972"),
        ("97300", "973"),
        ("97400", "974"),
        ("97600", "976"),
        ("98714", "987"),
        ("98800", "988"),
        ("97133", "977"),
        ("97150", "978"),
        ("97500", "975"),
        ("98713", "987"),
        ("98000", None),  # Monaco
        ("00100", None),
    ],
)
def test_a_post_code_tells_its_department(post_code: str, department: str | None):
    assert department_code_of(post_code=post_code) == department


def test_the_commune_wins_over_a_post_code_that_crosses_the_border():
    # Le Fresne-sur-Loire was delivered from Maine-et-Loire.
    assert department_code_of(insee_code="44060", post_code="49123") == "44"
    # Saint-Martin kept a post code of Guadeloupe.
    assert department_code_of(insee_code="97801", post_code="97150") == "978"


def test_nothing_known_is_no_department():
    assert department_code_of() is None
    assert department_code_of(insee_code="", post_code="") is None


def test_the_table_holds_every_department_once_and_in_an_existing_region():
    listed = [code for region in REGIONS.values() for code in region.department_codes]

    assert len(listed) == len(set(listed)) == len(DEPARTMENTS) == 109
    assert set(listed) == set(DEPARTMENTS)
    metropolitan = [code for code in DEPARTMENTS if len(code) == 2]
    assert len(metropolitan) == 96
    assert {"971", "972", "973", "974", "976"} <= set(DEPARTMENTS)
    assert all(code in REGIONS[department.region_code].department_codes for code, department in DEPARTMENTS.items())


def test_the_table_lists_the_eighteen_regions_and_the_overseas_collectivities():
    regions = [region for region in REGIONS.values() if len(region.code) == 2]
    assert len(regions) == 18
    assert sum(len(region.department_codes) for region in regions) == 101
    assert {code for code in REGIONS if len(code) == 3} == {"975", "977", "978", "984", "986", "987", "988", "989"}


def test_names_are_whole():
    assert (DEPARTMENTS["2A"].name, DEPARTMENTS["90"].name) == ("Corse-du-Sud", "Territoire de Belfort")
    assert REGIONS[DEPARTMENTS["57"].region_code].name == "Grand Est"
    assert all(record.name == record.name.strip() != "" for record in [*DEPARTMENTS.values(), *REGIONS.values()])
