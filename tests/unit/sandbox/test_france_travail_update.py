"""The simulated PASS IAE update."""

from typing import Any

import httpx
import pytest

from sandbox.app import create_app
from tests.unit.sandbox.conftest import Caller, SandboxTime


async def test_a_sound_update_is_accepted(caller: Caller):
    answer = await caller.update()

    assert answer.status_code == 200
    assert answer.json()["codeSortie"] == "S000"
    assert answer.json()["idNational"] == await caller.id_national()


async def test_a_cancellation_has_equal_days_and_is_accepted(caller: Caller):
    answer = await caller.update(dateFinPassIAE="2026-03-02")

    assert answer.json()["codeSortie"] == "S000"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"idNational": "invented"}, "E_ERR_EX042_PROBLEME_DECHIFFREMEMENT"),
        ({"idNational": "A" * 43}, "E_ERR_EX042_PROBLEME_DECHIFFREMEMENT"),
        ({"typeSIAE": None}, "S018"),
        ({"typeSIAE": 835}, "S019"),
        ({"typeSIAE": "836"}, "S019"),
        ({"typeSIAE": True}, "S019"),
        ({"statutReponsePassIAE": None}, "S020"),
        ({"statutReponsePassIAE": "R"}, "S021"),
        ({"dateDebutPassIAE": None}, "S023"),
        ({"dateDebutPassIAE": "2026-03-19"}, "S024"),
        ({"dateFinPassIAE": ""}, "S025"),
        ({"dateFinPassIAE": "2026-03-01"}, "S026"),
        ({"numPassIAE": None}, "S027"),
        ({"origineCandidature": None}, "S028"),
        ({"origineCandidature": "ROBOT"}, "S029"),
        ({"numSIRETsiae": None}, "S031"),
        ({"typologiePrescripteur": ""}, "S035"),
        ({"typologiePrescripteur": "SPIP"}, "S035"),
        ({"typologiePrescripteur": "FT"}, "S035"),
    ],
)
async def test_each_fault_of_the_data_has_its_code(caller: Caller, changes: dict[str, Any], code: str):
    answer = await caller.update(**changes)

    assert (answer.status_code, answer.json()["codeSortie"]) == (200, code)


async def test_an_update_without_identifier_is_s001(caller: Caller, http: httpx.AsyncClient):
    answer = await caller.post("/france-travail/maj-pass-iae/v1/passIAE/miseAjour", {"typeSIAE": 836})

    assert answer.json()["codeSortie"] == "S001"


async def test_without_a_prescriber_the_key_is_absent_and_that_is_sound(caller: Caller):
    assert (await caller.update(typologiePrescripteur=None)).json()["codeSortie"] == "S000"


@pytest.mark.parametrize(
    "changes",
    [
        {"dateDebutPassIAE": "02/03/2026"},
        {"dateFinPassIAE": "2028-02-30"},
        {"numPassIAE": "99999 00 00017"},
        {"numSIRETsiae": "902100009"},
        {"numPassIAE": 999990000017},
        {"inconnu": "x"},
    ],
)
async def test_a_request_of_another_shape_is_a_protocol_fault(caller: Caller, changes: dict[str, Any]):
    assert (await caller.update(**changes)).status_code == 400


async def test_today_is_the_day_in_paris(caller: Caller, time: SandboxTime):
    time.advance(hours=13, minutes=45)  # 23:15 UTC, a quarter past midnight in Paris
    await caller.get_token()

    assert (await caller.update(dateDebutPassIAE="2026-03-19")).json()["codeSortie"] == "S000"
    assert (await caller.update(dateDebutPassIAE="2026-03-20")).json()["codeSortie"] == "S024"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("REFUSE", "S022"),
        ("RADIE", "S008"),
        ("DOUBLON", "S015"),
        ("INCOMPLET", "S009"),
        ("AGENCE", "S032"),
        ("TECHNIQUE", "E_ERR_D98_D_PR_PROBLEME_TECHNIQUE"),
        ("DECHIFFRE", "E_ERR_EX042_PROBLEME_DECHIFFREMEMENT"),
        ("MUET", None),
        ("ANCIEN-TROUVE", "S000"),
    ],
)
async def test_the_fate_of_a_person_follows_the_identifier_given_for_them(caller: Caller, name: str, code: str | None):
    id_national = await caller.id_national(nomNaissance=name, nirCertifie="1810599999777")

    answer = await caller.update(idNational=id_national)

    assert answer.json().get("codeSortie") == code


async def test_an_identifier_given_before_a_restart_is_still_good(caller: Caller, time: SandboxTime):
    id_national = await caller.id_national()
    restarted = create_app(clock=time.clock())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(restarted), base_url="http://sandbox") as http:
        other = Caller(http)
        await other.get_token()
        answer = await other.update(idNational=id_national)

    assert answer.json()["codeSortie"] == "S000"


async def test_a_repeated_update_is_accepted_again_unless_the_sandbox_is_told_to_refuse_it(
    caller: Caller, http: httpx.AsyncClient
):
    first, again = await caller.update(), await caller.update()
    await http.patch("/_settings", json={"partner": "france-travail", "refuse_repeats": True})

    refused, changed = await caller.update(), await caller.update(dateFinPassIAE="2028-03-31")

    codes = [answer.json()["codeSortie"] for answer in (first, again, refused, changed)]
    assert codes == ["S000", "S000", "S015", "S000"]
