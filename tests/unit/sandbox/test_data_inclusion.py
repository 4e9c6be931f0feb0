"""The simulated data·inclusion, alone and with the real client: both sides read the same contract."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from clients.data_inclusion import (
    DataInclusionClient,
    DataInclusionConfig,
    DataInclusionMisconfigured,
    DirectoryFailure,
    FoundStructures,
    Location,
    directory_failure,
)
from clients.errors import PartnerRejected, PartnerUnavailable
from sandbox.app import Sandbox
from sandbox.cast import COMPANIES
from sandbox.data_inclusion.directory import PLATFORM_UIDS
from sandbox.data_inclusion.settings import TOKEN

STRUCTURES = "/data-inclusion/api/v1/structures"
SERVICES = "/data-inclusion/api/v1/services"
CONFIG = DataInclusionConfig(base_url="http://sandbox/data-inclusion", token=TOKEN)
METZ = Location(commune_insee_code="57463")
MOSELLE = Location(department_code="57")


async def no_sleep(_: float) -> None:
    return None


@pytest.fixture
def client(http: httpx.AsyncClient) -> DataInclusionClient:
    return DataInclusionClient(CONFIG, http, sleep=no_sleep)


async def search(client: DataInclusionClient, location: Location = MOSELLE, **changes: Any) -> FoundStructures:
    sources: Sequence[str] = changes.pop("sources", None) or [source.slug for source in await client.sources()]
    return await client.search_structures(location, sources=sources, **changes)


async def ask(http: httpx.AsyncClient, path: str = STRUCTURES, *, token: str = TOKEN, **query: Any) -> httpx.Response:
    return await http.get(path, params=query, headers={"Authorization": f"Bearer {token}"})


async def paths_called(http: httpx.AsyncClient) -> list[str]:
    return [call["path"] for call in (await http.get("/_calls", params={"partner": "data-inclusion"})).json()]


async def test_a_department_of_more_than_a_page_is_found_whole_and_without_the_platforms_own(
    client: DataInclusionClient, http: httpx.AsyncClient
):
    found = await search(client)

    ids = {structure.id for structure in found.structures}
    total = (await ask(http, code_departement="57", size=1)).json()["total"]
    assert len(ids) == len(found.structures) == total - len(PLATFORM_UIDS)
    assert {"dora--atelier-deux-roues", "mission-locale--trois-vallees", "fredo--reseau-nouveau"} <= ids
    assert not any(structure.is_own for structure in found.structures)
    assert (await paths_called(http)).count(STRUCTURES) == 3  # two pages, and the total above


async def test_items_that_move_between_two_pages_are_found_once(client: DataInclusionClient, sandbox: Sandbox):
    before = await search(client)
    sandbox.partners["data-inclusion"].change_settings({"overlap": 5})

    found = await search(client)

    ids = [structure.id for structure in found.structures]
    assert len(ids) == len(set(ids))
    assert set(ids) <= {structure.id for structure in before.structures}


@pytest.mark.parametrize(
    ("location", "prefixes"),
    [
        (Location(commune_insee_code="57672"), {"57672"}),
        (Location(department_code="57"), {"57463", "57672", "57227"}),
        (Location(region_code="11"), {"75056", "93066"}),
        (Location(department_code="2A"), {"2A004"}),
        (Location(commune_insee_code="97502"), {"97502"}),
    ],
)
async def test_a_place_narrows_the_search(client: DataInclusionClient, location: Location, prefixes: set[str]):
    found = await search(client, location)

    assert {structure.insee_code for structure in found.structures} == prefixes


async def test_sources_and_networks_narrow_the_search(client: DataInclusionClient):
    found = await search(client, sources=["dora", "fredo"], networks=["aci", "nouveau-reseau"])

    assert {structure.source for structure in found.structures} == {"dora", "fredo"}
    assert {network for structure in found.structures for network in structure.networks} == {"aci", "nouveau-reseau"}


@pytest.mark.parametrize("changes", [{"sources": ["nobody"]}, {"networks": ["nobody"]}])
async def test_an_unknown_source_or_network_is_an_empty_page(client: DataInclusionClient, changes: dict[str, Any]):
    assert await search(client, **changes) == FoundStructures()


async def test_an_unknown_commune_is_an_empty_page(client: DataInclusionClient):
    assert await search(client, Location(commune_insee_code="57999")) == FoundStructures()


@pytest.mark.parametrize("theme", ["mobilite", "mobilite--preparer-un-permis"])
async def test_structures_are_found_by_the_theme_of_their_services(client: DataInclusionClient, theme: str):
    ids = await client.structures_with_themes(METZ, sources=["dora"], themes=[theme])

    assert {"dora--atelier-deux-roues", "dora--jardins-autrement"} <= ids
    found = {structure.id: structure for structure in (await search(client, METZ, sources=["dora"])).structures}
    assert ids < found.keys()
    assert all(found[id_].quality_score > 0 for id_ in ids)


async def test_what_the_platform_may_know_already_can_be_told(client: DataInclusionClient):
    found = {structure.id: structure for structure in (await search(client, METZ)).structures}

    assert found["mission-locale--trois-vallees"].own_uids == {PLATFORM_UIDS[0]}
    assert found["dora--jardins-autrement"].siret == COMPANIES[0].siret
    second_site = found["dora--jardins-second-site"].siret
    assert second_site is not None
    assert second_site[:9] == COMPANIES[0].siret[:9]
    assert second_site != COMPANIES[0].siret


async def test_odd_records_are_skipped_and_named(client: DataInclusionClient, sandbox: Sandbox):
    sandbox.partners["data-inclusion"].change_settings({"has_odd_records": True})

    found = await search(client, METZ)

    assert found.skipped_ids == ("fredo--zz-sans-score", "fredo--zz-sans-nom")
    assert len(found.structures) > 1_000


async def test_one_structure_comes_with_its_services_and_full_duplicates(
    client: DataInclusionClient, http: httpx.AsyncClient
):
    structure = await client.structure("mission-locale--trois-vallees")
    body = (await ask(http, f"{STRUCTURES}/mission-locale--trois-vallees")).json()

    assert structure is not None
    assert structure.own_uids == {PLATFORM_UIDS[0]}
    assert body["doublons"][0]["nom"] == COMPANIES[0].name
    assert body["services"] == []
    assert await client.structure("dora--nobody") is None


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"size": 10_001}, "size"),
        ({"size": 0}, "size"),
        ({"size": "many"}, "size"),
        ({"page": 0}, "page"),
        ({"code_departement": "975"}, "code_departement"),
        ({"code_region": "99"}, "code_region"),
        ({"code_commune": "5746"}, "code_commune"),
    ],
)
async def test_a_wrong_parameter_is_422_and_named(http: httpx.AsyncClient, query: dict[str, Any], name: str):
    answer = await ask(http, **query)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", name]


async def test_a_department_that_does_not_exist_reaches_the_caller_as_a_wrong_argument(client: DataInclusionClient):
    with pytest.raises(PartnerRejected) as caught:
        await search(client, Location(department_code="99"))

    assert directory_failure(caught.value) is DirectoryFailure.INVALID_ARGUMENT


async def test_quality_is_ignored_for_structures_and_the_log_says_so(http: httpx.AsyncClient):
    filtered = await ask(http, code_commune="57463", score_qualite_minimum=0.9)
    all_of_them = await ask(http, code_commune="57463")
    services = await ask(http, SERVICES, code_commune="57463", score_qualite_minimum=0.9)

    assert filtered.json()["total"] == all_of_them.json()["total"]
    assert all(service["score_qualite"] >= 0.9 for service in services.json()["items"])
    codes = [call["code"] for call in (await http.get("/_calls", params={"partner": "data-inclusion"})).json()]
    assert codes == ["ignored score_qualite_minimum", "ok", "ok"]


async def test_a_page_says_how_many_items_it_has_and_one_beyond_the_last_is_empty(http: httpx.AsyncClient):
    last = (await ask(http, code_commune="57672", size=20, page=2)).json()
    beyond = (await ask(http, code_commune="57672", size=20, page=3)).json()
    nothing = (await ask(http, code_commune="57999")).json()

    assert {key: last[key] for key in ("total", "page", "size", "pages")} == {
        "total": 24,
        "page": 2,
        "size": 4,
        "pages": 2,
    }
    assert (beyond["items"], beyond["size"], beyond["pages"]) == ([], 0, 2)
    assert nothing == {"items": [], "total": 0, "page": 1, "size": 0, "pages": 0}


async def test_a_slash_at_the_end_is_redirected(http: httpx.AsyncClient):
    assert (await ask(http, "/data-inclusion/api/v1/sources/")).status_code == 307


@pytest.mark.parametrize(
    ("headers", "status", "detail"),
    [({}, 401, "Not authenticated"), ({"Authorization": "Bearer wrong"}, 401, "Unauthorized")],
)
async def test_a_token_is_needed(http: httpx.AsyncClient, headers: dict[str, str], status: int, detail: str):
    answer = await http.get(STRUCTURES, headers=headers)

    assert (answer.status_code, answer.json()) == (status, {"detail": detail})


async def test_a_token_of_another_scope_rings_the_alarm(client: DataInclusionClient, sandbox: Sandbox):
    sandbox.partners["data-inclusion"].change_settings({"scopes": ["widget"]})

    with pytest.raises(DataInclusionMisconfigured) as caught:
        await client.sources()

    assert caught.value.http_status == 403


async def test_a_fault_is_tried_twice_and_then_told(client: DataInclusionClient, http: httpx.AsyncClient):
    await http.post("/_faults", json={"partner": "data-inclusion", "path": STRUCTURES, "status": 503, "times": 3})

    with pytest.raises(PartnerUnavailable) as caught:
        await search(client, METZ, sources=["dora"])
    found = await search(client, METZ, sources=["dora"])

    assert directory_failure(caught.value) is DirectoryFailure.UNAVAILABLE
    assert found.structures
    assert (await paths_called(http)).count(STRUCTURES) == 4


async def test_companies_of_the_directory_are_listed(http: httpx.AsyncClient):
    names = {company["name"] for company in (await http.get("/_companies")).json()}

    assert "Atelier Deux-Roues" in names
