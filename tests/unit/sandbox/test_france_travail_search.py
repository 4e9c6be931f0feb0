"""The simulated identity search."""

from typing import Any

import httpx
import pytest

from tests.unit.sandbox.conftest import PERSON, SEARCH, Caller


async def test_a_well_formed_person_is_found_with_an_identifier_of_43_characters(caller: Caller):
    answer = await caller.search()

    assert answer.status_code == 200
    assert answer.json().keys() == {"idNationalDE", "codeSortie", "certifDE"}
    assert answer.json()["codeSortie"] == "S001"
    assert len(answer.json()["idNationalDE"]) == 43


async def test_the_identifier_follows_the_nir_and_nothing_else(caller: Caller):
    same = {await caller.id_national(), await caller.id_national(nomNaissance="NOUVEAU-NOM", prenom="AUTRE")}

    assert len(same) == 1
    assert await caller.id_national(nirCertifie="2700199999002") not in same


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nirCertifie": ""}, "R010"),
        ({"nirCertifie": "270019999900123"}, "R011"),
        ({"nirCertifie": "9700199999001"}, "R011"),
        ({"nirCertifie": "27001999990AB"}, "R011"),
        ({"nomNaissance": ""}, "R020"),
        ({"nomNaissance": "clairval"}, "R021"),
        ({"nomNaissance": "É"}, "R021"),
        ({"nomNaissance": "A" * 26}, "R021"),
        ({"prenom": ""}, "R030"),
        ({"prenom": "ANNE MARIE"}, "R031"),
        ({"prenom": "A" * 14}, "R031"),
        ({"dateNaissance": ""}, "R040"),
        ({"dateNaissance": "01/01/1970"}, "R041"),
        ({"dateNaissance": "1970-02-30"}, "R041"),
        ({"dateNaissance": "1899-12-31"}, "R042"),
        ({"dateNaissance": "2026-03-19"}, "R042"),
    ],
)
async def test_each_fault_of_the_data_has_its_code(caller: Caller, changes: dict[str, str], code: str):
    answer = await caller.search(**changes)

    assert (answer.status_code, answer.json()["codeSortie"], answer.json()["idNationalDE"]) == (200, code, "")


@pytest.mark.parametrize("nir", ["185052A004033", "285052B004033", "7700199999001", "1702099999001"])
async def test_corsican_temporary_and_month_less_nirs_are_well_formed(caller: Caller, nir: str):
    assert (await caller.search(nirCertifie=nir)).json()["codeSortie"] == "S001"


@pytest.mark.parametrize("missing", PERSON)
async def test_a_missing_key_counts_as_an_empty_one(caller: Caller, missing: str):
    answer = await caller.post(SEARCH, {key: value for key, value in PERSON.items() if key != missing})

    assert answer.json()["codeSortie"] in {"R010", "R020", "R030", "R040"}


@pytest.mark.parametrize("body", [[], "text", {**PERSON, "inconnu": "x"}, {**PERSON, "prenom": None}, {"prenom": 3}])
async def test_a_request_of_another_shape_is_a_protocol_fault(caller: Caller, body: Any):
    assert (await caller.post(SEARCH, body)).status_code == 400


async def test_a_body_that_is_not_declared_as_json_or_is_none_is_a_protocol_fault(
    caller: Caller, http: httpx.AsyncClient
):
    headers = {"Authorization": f"Bearer {caller.token}"}

    undeclared = await http.post(SEARCH, content=b"{}", headers=headers)
    broken = await http.post(SEARCH, content=b"{", headers=headers | {"Content-Type": "application/json"})

    assert (undeclared.status_code, broken.status_code) == (400, 400)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("PERSONNE", "S000"),
        ("FOULE", "S002"),
        ("SANSNIR", "R010"),
        ("NIRFAUX", "R011"),
        ("ANCIEN-TROUVE", "PE001"),
        ("ANCIEN-ABSENT", "PE004"),
        ("ANCIEN-DOUBLE", "PE008"),
        ("SANSNUMERO", "S001"),
        ("INEDIT", "Z999"),
    ],
)
async def test_the_cast_has_its_fate_by_birth_name(caller: Caller, name: str, code: str):
    answer = (await caller.search(nomNaissance=name)).json()

    assert answer["codeSortie"] == code
    assert bool(answer["idNationalDE"]) is (code == "PE001")


async def test_the_person_with_swapped_names_is_found_the_right_way_round_only(caller: Caller):
    wrong = await caller.search(nomNaissance="CAMILLE", prenom="ENVERS")
    right = await caller.search(nomNaissance="ENVERS", prenom="CAMILLE")

    assert (wrong.json()["codeSortie"], right.json()["codeSortie"]) == ("S000", "S001")
