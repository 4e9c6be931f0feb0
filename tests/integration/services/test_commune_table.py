"""The local table of communes: what is found in it, by code, by name, by post code."""

from __future__ import annotations

from typing import Any

import pytest

from models import Commune
from models.communes import search_text
from models.database import counting_statements
from services.commune_table import find_communes, is_loaded, search_communes
from tests.conftest import NOW
from tests.integration.country import fill_table


@pytest.fixture
async def table(database: object) -> None:
    await fill_table()


async def codes(name: str, post_code: str = "", *, limit: int = 10) -> list[str]:
    return [commune.insee_code for commune in await search_communes(name, post_code, limit=limit)]


async def add(code: str, name: str, **more: Any) -> None:
    values: dict[str, Any] = {"post_codes": ["57999"], "former_codes": [], "population": 10, "updated_at": NOW, **more}
    await Commune.create(insee_code=code, name=name, search_name=search_text(name), **values)


@pytest.mark.usefixtures("database")
async def test_an_empty_table_is_not_loaded():
    assert not await is_loaded()


@pytest.mark.usefixtures("database")
async def test_a_row_made_by_hand_does_not_make_a_table():
    await add("57999", "Zorville", is_manual=True)

    assert not await is_loaded()


@pytest.mark.usefixtures("table")
async def test_fifty_codes_are_one_statement():
    known = [commune.insee_code for commune in await Commune.all().limit(50)]

    async with counting_statements() as counter:
        found = await find_communes(known)

    assert set(found) == set(known)
    assert len(known) == 50
    assert counter.statements == 1


@pytest.mark.usefixtures("table")
async def test_a_commune_is_found_whole():
    found = (await find_communes(["57463"]))["57463"]

    assert (found.name, found.post_codes) == ("Metz", ("57000", "57050", "57070"))
    assert (found.department_code, found.region_code) == ("57", "44")
    assert (found.latitude, found.longitude, found.population) == (49.1081, 6.1955, 121_000)


@pytest.mark.usefixtures("table")
async def test_the_department_of_saint_martin_is_that_of_its_insee_code():
    assert (await find_communes(["97801"]))["97801"].department_code == "978"


@pytest.mark.usefixtures("table")
async def test_former_codes_give_the_communes_of_today():
    found = await find_communes(["91182", "74268", "57463"])

    assert {code: commune.name for code, commune in found.items()} == {
        "57463": "Metz",
        "74268": "Annecy",
        "91182": "Évry-Courcouronnes",
    }


@pytest.mark.usefixtures("table")
async def test_a_former_code_is_followed_through_communes_that_are_gone_as_well():
    await add("57901", "Zorville", former_codes=["57900"], removed_at=NOW)
    await add("57902", "Zorville-la-Neuve", former_codes=["57901"])

    assert (await find_communes(["57900"]))["57900"].insee_code == "57902"


@pytest.mark.usefixtures("table")
async def test_a_commune_that_was_shared_out_gives_none():
    await add("57901", "Zorville", former_codes=["57900"])
    await add("57902", "Quiblac", former_codes=["57900"])

    assert await find_communes(["57900"]) == {}


@pytest.mark.usefixtures("table")
async def test_communes_that_took_each_other_in_end_the_search():
    await add("57901", "Zorville", former_codes=["57902"], removed_at=NOW)
    await add("57902", "Quiblac", former_codes=["57901"], removed_at=NOW)

    assert await find_communes(["57901"]) == {}


@pytest.mark.usefixtures("table")
async def test_a_commune_that_is_listed_no_more_is_found_neither_by_code_nor_by_name():
    await add("57901", "Zorville", removed_at=NOW)

    assert await find_communes(["57901"]) == {}
    assert await codes("zorville") == []
    assert await codes("zorvile") == []
    assert await codes("", "57999") == []


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("metz", "57463"),
        ("METZ", "57463"),
        ("saint etienne", "42218"),
        ("st-étienne", "42218"),
        ("evry courcouronnes", "91228"),
        ("courcouronnes", "91228"),
        ("la roche sur y", "85191"),
        ("Sarguemines", "57631"),
        ("Bezancon", "25056"),
    ],
)
async def test_a_name_is_found_however_it_is_typed(typed: str, first: str):
    found = await codes(typed)

    assert found[:1] == [first]


@pytest.mark.usefixtures("table")
async def test_the_whole_name_comes_before_larger_communes_that_begin_so():
    await add("57901", "Par", population=1)

    assert (await codes("par"))[:2] == ["57901", "75056"]


@pytest.mark.usefixtures("table")
async def test_the_large_one_of_two_homonyms_comes_first():
    assert (await codes("saint denis"))[:2] == ["97411", "93066"]


@pytest.mark.usefixtures("table")
async def test_a_name_alone_finds_no_arrondissements():
    assert await codes("paris") == ["75056"]


@pytest.mark.usefixtures("table")
async def test_no_more_than_wanted_are_found():
    assert len(await codes("saint", limit=3)) == 3


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("typed", ["%", "_", "\\", "'", "’", "", "   "])
async def test_signs_find_nothing_and_break_nothing(typed: str):
    assert await codes(typed) == []


@pytest.mark.usefixtures("table")
async def test_a_post_code_finds_every_commune_that_has_it():
    assert set(await codes("", "33360")) == {"33085", "33099", "33118", "33234", "33245", "33349"}


@pytest.mark.usefixtures("table")
async def test_paris_with_the_post_code_of_an_arrondissement_is_the_arrondissement():
    assert await codes("Paris", "75008") == ["75108", "75056"]
    assert (await codes("", "75008"))[0] == "75108"


@pytest.mark.usefixtures("table")
async def test_another_name_than_those_of_the_post_code_finds_nothing():
    assert await codes("Lyon", "75008") == []


@pytest.mark.usefixtures("table")
async def test_a_name_chooses_among_the_communes_of_a_post_code():
    assert (await codes("Cenac", "33360"))[0] == "33118"
    assert (await codes("carignan", "33360"))[0] == "33099"


@pytest.mark.usefixtures("table")
async def test_of_two_that_fit_the_one_with_fewer_post_codes_is_meant():
    await add("57901", "Zorville", post_codes=["57999", "57998"])
    await add("57902", "Zorville", post_codes=["57999"])

    assert await codes("zorville", "57999") == ["57902", "57901"]


def test_names_are_compared_without_accents_signs_and_capitals():
    assert search_text("L’Haÿ-les-Roses") == "l hay les roses"
    assert search_text("ŒUILLY") == "oeuilly"
    assert search_text("  Le   Mans ") == "le mans"
