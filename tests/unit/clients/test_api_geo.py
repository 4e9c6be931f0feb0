"""API Géo: what is asked, and what each answer becomes."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import httpx
import pytest
import respx
from respx.models import Call

from clients.api_geo import (
    FEWEST_ARRONDISSEMENTS,
    FEWEST_COMMUNES,
    APIGeoClient,
    APIGeoConfig,
    CommuneRecord,
    build_api_geo_http,
)
from clients.breaker import BreakerPolicy
from clients.errors import PartnerRejected, PartnerUnavailable
from tests.unit.clients.doubles import RecordingPacer
from tests.unit.clients.partner_faults import FAULTS, Fault

BASE = "https://geo.example"
CONFIG = APIGeoConfig(base_url=BASE, breaker=BreakerPolicy(failures=10_000))
FIELDS = "nom,code,codesPostaux,codeDepartement,codeRegion,codeEpci,codeParent,anciensCodes,population,centre"
METZ: dict[str, Any] = {
    "nom": "Metz",
    "code": "57463",
    "codesPostaux": ["57000", "57050", "57070"],
    "codeDepartement": "57",
    "codeRegion": "44",
    "codeEpci": "200039865",
    "anciensCodes": ["57999"],
    "population": 120_000,
    "centre": {"type": "Point", "coordinates": [6.1956, 49.1081]},
}
METZ_RECORD = CommuneRecord(
    insee_code="57463",
    name="Metz",
    post_codes=("57000", "57050", "57070"),
    department_code="57",
    region_code="44",
    epci_code="200039865",
    parent_code=None,
    population=120_000,
    latitude=49.1081,
    longitude=6.1956,
    former_codes=("57999",),
)


@dataclass
class Geo:
    client: APIGeoClient
    one: respx.Route
    many: respx.Route
    pacer: RecordingPacer
    pauses: list[float] = field(default_factory=list[float])

    @property
    def paths(self) -> list[str]:
        return [call.request.url.path for call in cast("Sequence[Call]", self.one.calls)]

    @property
    def queries(self) -> list[dict[str, str]]:
        return [dict(call.request.url.params) for call in cast("Sequence[Call]", self.many.calls)]


@asynccontextmanager
async def geo_within(deadline_seconds: float = 5.0) -> AsyncGenerator[Geo]:
    config = replace(CONFIG, timeout_seconds=deadline_seconds)
    pacer = RecordingPacer()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    with respx.mock(assert_all_called=False) as router:
        async with build_api_geo_http(config) as http:
            yield Geo(
                client=APIGeoClient(config, http, pacer, sleep=sleep),
                one=router.get(url__regex=rf"{BASE}/communes/.+").respond(200, json=METZ),
                many=router.get(f"{BASE}/communes").respond(200, json=[METZ]),
                pacer=pacer,
                pauses=pauses,
            )


@pytest.fixture
async def geo() -> AsyncIterator[Geo]:
    async with geo_within() as geo:
        yield geo


def numbered(count: int) -> list[dict[str, str]]:
    return [{"nom": f"Commune {number}", "code": f"{number:05d}"} for number in range(count)]


@pytest.mark.parametrize("code", ["57463", " 57463 "])
async def test_a_commune_is_found_by_its_insee_code(geo: Geo, code: str):
    assert await geo.client.commune(code) == METZ_RECORD

    assert geo.paths == ["/communes/57463"]
    assert dict(geo.one.calls.last.request.url.params) == {"fields": FIELDS, "format": "json"}
    assert geo.pacer.waits == ["api_geo:communes"]


async def test_letters_of_corsica_are_upper_case_in_the_path(geo: Geo):
    await geo.client.commune("2b033")

    assert geo.paths == ["/communes/2B033"]


async def test_an_unknown_code_is_none_although_the_answer_is_no_json(geo: Geo):
    geo.one.respond(404, text="Not Found")

    assert await geo.client.commune("99999") is None


@pytest.mark.parametrize("code", ["", "5746", "574630", "2C004", "57/63", "../57", "５７４６３"])
async def test_what_is_no_insee_code_costs_no_call(geo: Geo, code: str):
    assert await geo.client.commune(code) is None
    assert await geo.client.commune_of_former_code(code) is None

    assert (geo.one.call_count, geo.many.call_count) == (0, 0)


async def test_an_arrondissement_tells_its_parent_and_may_lack_the_rest(geo: Geo):
    paris_15 = {"nom": "Paris 15e Arrondissement", "code": "75115", "codesPostaux": ["75015"], "codeParent": "75056"}
    geo.one.respond(200, json=paris_15)

    found = await geo.client.commune("75115")

    assert found == CommuneRecord(
        insee_code="75115",
        name="Paris 15e Arrondissement",
        post_codes=("75015",),
        department_code=None,
        region_code=None,
        epci_code=None,
        parent_code="75056",
        population=None,
        latitude=None,
        longitude=None,
    )


async def test_a_former_code_leads_to_the_commune_that_took_it_in(geo: Geo):
    assert await geo.client.commune_of_former_code("57999") == METZ_RECORD

    assert geo.queries == [{"ancienCode": "57999", "limit": "1", "fields": FIELDS, "format": "json"}]


async def test_a_point_leads_to_the_commune_around_it(geo: Geo):
    assert await geo.client.commune_at(49.119312, 6.175716) == METZ_RECORD

    assert geo.queries == [{"lat": "49.1193", "lon": "6.1757", "limit": "1", "fields": FIELDS, "format": "json"}]


async def test_a_point_at_sea_lies_in_no_commune(geo: Geo):
    geo.many.respond(200, json=[])

    assert await geo.client.commune_at(46.0, -5.0) is None


async def test_a_former_code_that_nobody_remembers_is_none(geo: Geo):
    geo.many.respond(200, json=[])

    assert await geo.client.commune_of_former_code("57999") is None


async def test_a_post_code_gives_every_commune_that_has_it(geo: Geo):
    geo.many.respond(200, json=[METZ, {**METZ, "code": "57001", "nom": "Voisine"}])

    found = await geo.client.communes(post_code="57000", limit=50)

    assert [commune.name for commune in found] == ["Metz", "Voisine"]
    assert geo.queries == [{"codePostal": "57000", "limit": "50", "fields": FIELDS, "format": "json"}]


async def test_a_name_favours_large_communes_and_may_be_narrowed(geo: Geo):
    await geo.client.communes(
        name=" saint  aubin ", department_code="2a", post_code=" 20000", limit=5, with_arrondissements=True
    )

    assert geo.queries == [
        {
            "nom": "saint aubin",
            "codePostal": "20000",
            "codeDepartement": "2A",
            "boost": "population",
            "type": "commune-actuelle,arrondissement-municipal",
            "limit": "5",
            "fields": FIELDS,
            "format": "json",
        }
    ]


async def test_nothing_found_is_an_empty_list(geo: Geo):
    geo.many.respond(200, json=[])

    assert await geo.client.communes(name="Nulle-Part") == []


@pytest.mark.parametrize("filters", [{}, {"name": " "}, {"post_code": ""}, {"name": "Metz", "limit": 0}])
async def test_all_of_france_and_none_of_it_are_errors_of_ours(geo: Geo, filters: dict[str, Any]):
    with pytest.raises(ValueError, match=r"nothing to search by|at least 1"):
        await geo.client.communes(**filters)

    assert geo.many.call_count == 0


async def test_the_country_is_all_communes_then_all_arrondissements(geo: Geo):
    arrondissements = [{**METZ, "code": f"751{number:02d}", "codeParent": "75056"} for number in range(45)]
    geo.many.mock(
        side_effect=[httpx.Response(200, json=numbered(FEWEST_COMMUNES)), httpx.Response(200, json=arrondissements)]
    )

    country = await geo.client.country()

    assert len(country) == FEWEST_COMMUNES + FEWEST_ARRONDISSEMENTS
    assert country[-1].parent_code == "75056"
    assert geo.queries == [
        {"fields": FIELDS, "type": "commune-actuelle", "format": "json"},
        {"fields": FIELDS, "type": "arrondissement-municipal", "format": "json"},
    ]


@pytest.mark.parametrize(
    ("communes", "arrondissements"), [(12, 45), (FEWEST_COMMUNES - 1, 45), (FEWEST_COMMUNES, 44), (FEWEST_COMMUNES, 0)]
)
async def test_a_country_cut_short_is_no_answer_at_all(geo: Geo, communes: int, arrondissements: int):
    geo.many.mock(
        side_effect=[
            httpx.Response(200, json=numbered(communes)),
            httpx.Response(200, json=numbered(arrondissements)),
        ]
    )

    with pytest.raises(PartnerUnavailable) as caught:
        await geo.client.country()

    assert (caught.value.operation, caught.value.code) == ("country", "unexpected_shape")


@pytest.mark.parametrize(("header", "pause"), [({"Retry-After": "2"}, 2), ({}, 5)])
async def test_a_short_wait_that_the_api_asks_for_is_waited_and_the_call_repeated(
    geo: Geo, header: dict[str, str], pause: float
):
    geo.one.mock(side_effect=[httpx.Response(429, headers=header), httpx.Response(200, json=METZ)])

    assert await geo.client.commune("57463") == METZ_RECORD

    assert geo.pauses == [pause]
    assert geo.pacer.holds == [("api_geo:communes", pause)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_is_unavailable_at_once_so_that_the_local_table_can_answer(fault: Fault):
    async with geo_within(fault.deadline_seconds) as geo:
        geo.one.mock(**fault.answers())
        geo.many.mock(**fault.answers())

        for look_up in (geo.client.commune("57463"), geo.client.communes(post_code="57000")):
            with pytest.raises(PartnerUnavailable) as caught:
                await look_up
            assert (type(caught.value), caught.value.code) == (fault.kind, fault.code)

        assert (geo.one.call_count, geo.many.call_count) == (1, 1)


@pytest.mark.parametrize("status", [400, 401])
async def test_a_request_that_is_wrong_in_itself_is_rejected(geo: Geo, status: int):
    geo.many.respond(status, text="Bad Request")

    with pytest.raises(PartnerRejected) as caught:
        await geo.client.communes(name="Metz")

    assert caught.value.http_status == status


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "574"},
        {"code": "57463\n"},
        {"nom": ""},
        {"nom": None},
        {"centre": {"coordinates": [932_000, 6_895_000]}},
        {"centre": {"coordinates": ["NaN", 49.1]}},
    ],
)
async def test_a_commune_without_its_essentials_is_not_taken(geo: Geo, changes: dict[str, Any]):
    geo.one.respond(200, json=METZ | changes)

    with pytest.raises(PartnerUnavailable, match="unexpected_shape"):
        await geo.client.commune("57463")
