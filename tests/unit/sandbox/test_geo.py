"""The simulated API Géo: by itself, and with the real client."""

from collections import Counter
from typing import Any

import httpx
import pytest

from clients.api_geo import FEWEST_ARRONDISSEMENTS, APIGeoClient, APIGeoConfig
from clients.errors import PartnerRateLimited, PartnerUnavailable
from models.departments import department_code_of
from sandbox.app import Sandbox
from sandbox.gazetteer import COMMUNES, COMMUNES_BY_CODE, DEPARTMENTS, REGIONS
from tests.unit.clients.doubles import RecordingPacer
from tests.unit.sandbox.conftest import SandboxTime

CONFIG = APIGeoConfig(base_url="http://sandbox/geo")


@pytest.fixture
def client(http: httpx.AsyncClient) -> APIGeoClient:
    return APIGeoClient(CONFIG, http, RecordingPacer())


async def listed(http: httpx.AsyncClient, path: str = "/geo/communes", **query: Any) -> Any:
    answer = await http.get(path, params=query)
    assert answer.status_code == 200
    return answer.json()


async def codes(http: httpx.AsyncClient, **query: Any) -> list[str]:
    return [commune["code"] for commune in await listed(http, **query)]


def test_the_gazetteer_agrees_with_itself():
    assert len(DEPARTMENTS) == 109
    assert len(REGIONS) == 18
    assert sum(1 for department in DEPARTMENTS.values() if department.region_code) == 101
    assert sum(1 for commune in COMMUNES if commune.is_arrondissement) == FEWEST_ARRONDISSEMENTS
    for commune in COMMUNES:
        assert commune.department.code == commune.code[: len(commune.department.code)]
        assert commune.city == (COMMUNES_BY_CODE[commune.parent_code].name if commune.parent_code else commune.name)


async def test_the_client_finds_a_commune_by_its_code(client: APIGeoClient):
    metz = await client.commune("57463")

    assert metz is not None
    assert (metz.name, metz.post_codes) == ("Metz", ("57000", "57050", "57070"))
    assert (metz.department_code, metz.region_code, metz.parent_code) == ("57", "44", None)
    assert (metz.latitude, metz.longitude) == (49.1081, 6.1955)
    assert metz.epci_code


async def test_the_client_finds_an_arrondissement_by_its_code(client: APIGeoClient):
    found = await client.commune("75115")

    assert found is not None
    assert (found.name, found.parent_code, found.epci_code) == ("Paris 15e Arrondissement", "75056", None)


async def test_the_client_is_told_that_a_code_is_unknown(client: APIGeoClient, http: httpx.AsyncClient):
    assert await client.commune("99999") is None

    answer = await http.get("/geo/communes/99999")
    assert (answer.status_code, answer.text) == (404, "Not Found")


@pytest.mark.parametrize(("former", "current"), [("91182", "91228"), ("57463", None)])
async def test_the_client_follows_a_former_code(client: APIGeoClient, former: str, current: str | None):
    found = await client.commune_of_former_code(former)

    assert (found.insee_code if found else None) == current


async def test_the_client_finds_all_communes_of_a_post_code(client: APIGeoClient):
    found = await client.communes(post_code="33360")

    assert {commune.name for commune in found} == {
        *("Latresne", "Camblanes-et-Meynac", "Quinsac", "Cénac", "Carignan-de-Bordeaux", "Lignan-de-Bordeaux")
    }


async def test_the_client_finds_arrondissements_only_when_it_asks_for_them(client: APIGeoClient):
    plain = await client.communes(post_code="75015")
    all_kinds = await client.communes(post_code="75015", with_arrondissements=True)

    assert [commune.insee_code for commune in plain] == ["75056"]
    assert {commune.insee_code for commune in all_kinds} == {"75056", "75115"}


@pytest.mark.parametrize(
    ("name", "first"),
    [("metz", "57463"), ("saint etienne", "42218"), ("EVRY COURCOURONNES", "91228"), ("Sarreguemine", "57631")],
)
async def test_the_client_finds_a_name_however_it_is_typed(client: APIGeoClient, name: str, first: str):
    found = await client.communes(name=name)

    assert found[0].insee_code == first


async def test_the_client_finds_the_large_one_of_two_homonyms_first(client: APIGeoClient):
    found = await client.communes(name="Saint-Denis")
    narrowed = await client.communes(name="Saint-Denis", department_code="93")

    assert [commune.insee_code for commune in found[:2]] == ["97411", "93066"]
    assert narrowed[0].insee_code == "93066"


async def test_the_client_reads_the_whole_country(client: APIGeoClient):
    country = await client.country()

    assert len(country) == 34_900 + FEWEST_ARRONDISSEMENTS
    assert len({commune.insee_code for commune in country}) == len(country)
    names = {commune.insee_code: commune.name for commune in country}
    assert (names["57463"], names["75101"]) == ("Metz", "Paris 1er Arrondissement")


async def test_invented_communes_are_shaped_like_real_ones(client: APIGeoClient):
    country = await client.country()

    names = Counter(commune.name for commune in country)
    sharing = Counter(post_code for commune in country for post_code in commune.post_codes)
    former = [code for commune in country for code in commune.former_codes]
    assert {commune.department_code for commune in country} >= {
        department.code for department in DEPARTMENTS.values() if department.zone != "com"
    }
    assert max(names.values()) < 100
    assert max(sharing.values()) < 50
    assert all(
        department_code_of(post_code=commune.post_codes[0]) == commune.department_code
        for commune in country
        if commune.department_code not in {"977", "978"}
    )
    assert len(set(former)) == len(former) > 500
    assert not set(former) & {commune.insee_code for commune in country}


async def test_an_invented_commune_is_found_by_its_code_as_well(client: APIGeoClient):
    country = {commune.insee_code: commune for commune in await client.country()}

    assert await client.commune("57001") == country["57001"]


async def test_a_country_that_is_cut_short_stops_the_client(client: APIGeoClient, http: httpx.AsyncClient):
    (await http.patch("/_settings", json={"partner": "geo", "country_size": 12})).raise_for_status()

    with pytest.raises(PartnerUnavailable, match="unexpected_shape"):
        await client.country()


async def test_the_client_is_held_back_when_it_is_too_fast(client: APIGeoClient, sandbox: Sandbox):
    sandbox.partners["geo"].change_settings({"rate_per_second": 1, "retry_after_s": 30})
    await client.commune("57463")

    with pytest.raises(PartnerRateLimited) as caught:
        await client.commune("57463")

    assert caught.value.retry_after == 30


async def test_a_second_later_the_client_is_served_again(client: APIGeoClient, sandbox: Sandbox, time: SandboxTime):
    sandbox.partners["geo"].change_settings({"rate_per_second": 1})
    await client.commune("57463")
    time.advance(seconds=1)

    assert await client.commune("57463") is not None


async def test_an_answer_has_the_documented_fields_and_those_asked_for(http: httpx.AsyncClient):
    by_default = (await listed(http, code="57463"))[0]
    asked = (await listed(http, code="57463", fields="centre,region,nonsense"))[0]

    assert by_default.keys() == {
        *("nom", "code", "codesPostaux", "siren", "codeEpci", "codeDepartement", "codeRegion", "population")
    }
    assert asked == {
        "nom": "Metz",
        "code": "57463",
        "centre": {"type": "Point", "coordinates": [6.1955, 49.1081]},
        "region": {"code": "44", "nom": "Grand Est"},
    }


async def test_overseas_collectivities_have_neither_region_nor_epci(http: httpx.AsyncClient):
    saint_martin = (await listed(http, codePostal="97150"))[0]

    assert saint_martin["codeDepartement"] == "978"
    assert {"codeRegion", "codeEpci"}.isdisjoint(saint_martin)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"codePostal": "57000", "limit": "0"}, []),
        ({"codePostal": "00000"}, []),
        ({"nom": "Nulle-Part-Ailleurs"}, []),
        ({"codeParent": "69123", "type": "arrondissement-municipal", "limit": "2"}, ["69381", "69382"]),
        ({"codeDepartement": "2A"}, ["2A004"]),
        ({"codeRegion": "94"}, ["2A004", "2B033"]),
        ({"lat": "49.10", "lon": "6.19"}, ["57463"]),
        ({"codePostal": "57000", "lat": "49.10"}, ["57463"]),
        ({"codePostal": "97150", "zone": "metro"}, []),
        ({"siren": "inconnu"}, []),
    ],
)
async def test_filters_narrow_as_documented(http: httpx.AsyncClient, query: dict[str, str], expected: list[str]):
    assert await codes(http, **query) == expected


async def test_a_name_adds_a_score_and_boosting_multiplies_it(http: httpx.AsyncClient):
    plain = (await listed(http, nom="Nantes", limit=1))[0]
    boosted = (await listed(http, nom="Nantes", boost="population", limit=1))[0]

    assert (plain["_score"], boosted["_score"]) == (1.0, 4.25)


async def test_geojson_moves_the_geometry_out_of_the_properties(http: httpx.AsyncClient):
    one = await listed(http, "/geo/communes/57463", format="geojson", fields="nom,code,centre")
    several = await listed(http, code="57463", format="geojson", geometry="contour", fields="nom")

    assert one == {
        "type": "Feature",
        "properties": {"nom": "Metz", "code": "57463"},
        "geometry": {"type": "Point", "coordinates": [6.1955, 49.1081]},
    }
    assert several["features"][0]["geometry"]["type"] == "Polygon"


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "-1"},
        {"code": "57463", "limit": "ten"},
        {"format": "geojson"},
        {"fields": "nom,contour"},
        {"nome": "Metz"},
        {"code": "57463", "format": "geojson", "geometry": "nonsense"},
    ],
)
async def test_what_is_wrong_or_too_heavy_is_a_400_in_plain_text(http: httpx.AsyncClient, query: dict[str, str]):
    answer = await http.get("/geo/communes", params=query)

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_another_method_is_a_401(http: httpx.AsyncClient, method: str):
    answer = await http.request(method, "/geo/communes")

    assert (answer.status_code, answer.text) == (401, "Unauthorized")


async def test_departments_and_regions_are_listed_with_and_without_the_collectivities(http: httpx.AsyncClient):
    assert len(await listed(http, "/geo/departements")) == 101
    assert len(await listed(http, "/geo/departements", zone="metro,drom,com")) == 109
    assert await listed(http, "/geo/departements/2A") == {"nom": "Corse-du-Sud", "code": "2A", "codeRegion": "94"}
    assert await listed(http, "/geo/regions/94") == {"nom": "Corse", "code": "94"}
    assert len(await listed(http, "/geo/regions")) == 18
    assert [found["code"] for found in await listed(http, "/geo/regions/94/departements")] == ["2A", "2B"]
    assert [found["code"] for found in await listed(http, "/geo/departements/2B/communes")] == ["2B033"]


@pytest.mark.parametrize(
    "path", ["/departements/96", "/regions/00", "/departements/96/communes", "/regions/00/departements"]
)
async def test_unknown_departments_and_regions_are_404(http: httpx.AsyncClient, path: str):
    assert (await http.get(f"/geo{path}")).status_code == 404
