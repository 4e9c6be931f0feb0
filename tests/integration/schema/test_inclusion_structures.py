"""Structures of data·inclusion that the platform does not hold: by place, quality, source and network, in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import redis.asyncio
import structlog

from execution.engine import GraphQLEngine
from models import User
from models.enums import UserKind
from resolvers.context import Resources
from tests.factories import make_company, make_partner_client, make_prescriber_organization, make_user
from tests.integration.directory import METZ_LATITUDE, METZ_LONGITUDE, FakedDirectory, faked_directory
from tests.integration.schema.client import GraphQLClient, serve
from tests.unit.clients.data_inclusion import LOCAL_MISSION, TOKEN, UID, WORKSHOP, page

STRUCTURES = """
query Structures($filter: InclusionStructureFilter!, $first: Int, $after: String) {
  inclusionStructures(filter: $filter, first: $first, after: $after) {
    totalCount
    edges { cursor }
    nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
WHOLE = """
{ inclusionStructures(filter: { departmentCode: "57" }, first: 1) { nodes {
  id source name siret phone email website description networks qualityScore updatedOn
  address { line1 line2 postCode city inseeCode coordinates { latitude longitude } department { code } }
} } }
"""
MOSELLE = {"departmentCode": "57"}
METZ = {"latitude": METZ_LATITUDE, "longitude": METZ_LONGITUDE}
BOTH = ["dora--a1", "mission-locale--b2"]
OWN = "emplois-de-linclusion"


@pytest.fixture
async def directory(valkey: redis.asyncio.Redis) -> AsyncIterator[FakedDirectory]:
    async with faked_directory(valkey) as directory:
        yield directory


@pytest.fixture
async def api(
    database: object, engine: GraphQLEngine, resources: Resources, directory: FakedDirectory
) -> AsyncIterator[GraphQLClient]:
    known = replace(resources, inclusion_structures=directory.found, inclusion_structure_searches=directory.searches)
    async with serve(engine, known) as client:
        yield client


@pytest.fixture
async def staff(database: object) -> User:
    return await make_user(UserKind.STAFF)


def structure(number: int, **changes: Any) -> dict[str, Any]:
    own = {"id": f"dora--{number:03d}", "nom": f"Structure inventée {number}", "siret": None}
    return {**WORKSHOP, **own, **changes}


async def ids(api: GraphQLClient, viewer: User, wanted: dict[str, Any] = MOSELLE, **page: Any) -> list[str]:
    answer = await api(STRUCTURES, {"filter": wanted, **page}, as_=viewer)
    return [node["id"] for node in answer.data["inclusionStructures"]["nodes"]]


async def test_a_structure_is_shown_whole_and_without_html(api: GraphQLClient, staff: User):
    answer = await api(WHOLE, as_=staff)

    assert answer.data["inclusionStructures"]["nodes"] == [
        {
            "id": "dora--a1",
            "source": "dora",
            "name": "Atelier Deux-Roues",
            "siret": "90210010800018",
            "phone": "+33300000001",
            "email": "contact@atelier.example",
            "website": "https://atelier.example/",
            "description": "Prêt de scooters.",
            "networks": ["mobin"],
            "qualityScore": 0.82,
            "updatedOn": "2026-09-14",
            "address": {
                "line1": "3 rue des Tilleuls Inventés",
                "line2": None,
                "postCode": "57000",
                "city": "Metz",
                "inseeCode": "57463",
                "coordinates": {"latitude": 49.11, "longitude": 6.17},
                "department": {"code": "57"},
            },
        }
    ]


@pytest.mark.parametrize(
    "website", ["javascript:alert(1)", "data:text/html,x", "atelier.example", "http://", "http://[", ""]
)
async def test_an_address_that_no_browser_should_open_is_left_out(
    api: GraphQLClient, staff: User, directory: FakedDirectory, website: str
):
    directory.hold(WORKSHOP | {"site_web": website})

    answer = await api(WHOLE, as_=staff)

    assert answer.data["inclusionStructures"]["nodes"][0]["website"] is None


async def test_the_best_come_first_and_the_total_counts_what_is_shown(api: GraphQLClient, staff: User):
    answer = await api(STRUCTURES, {"filter": MOSELLE}, as_=staff)

    found = answer.data["inclusionStructures"]
    assert ([node["id"] for node in found["nodes"]], found["totalCount"]) == (BOTH, 2)


async def test_all_sources_but_our_own_are_asked_for_as_repeated_keys(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    await ids(api, staff)

    assert directory.queries[0] == [
        ("code_departement", "57"),
        ("sources", "dora"),
        ("sources", "mission-locale"),
        ("page", "1"),
        ("size", "1000"),
    ]


async def test_our_own_source_alone_is_nothing_and_costs_no_call(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    assert await ids(api, staff, {**MOSELLE, "sources": [OWN]}) == []

    assert (directory.structures.call_count, directory.sources.call_count) == (0, 0)


async def test_a_record_of_our_own_source_is_dropped_even_where_nobody_knows_its_id(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    directory.hold(
        WORKSHOP, structure(1, source=OWN, id=f"{OWN}--{UID}"), structure(2, source="dora", id=f"{OWN}--{UID}-b")
    )

    assert await ids(api, staff) == ["dora--a1"]


@pytest.mark.parametrize("make", [make_company, make_prescriber_organization])
async def test_a_structure_with_the_siret_of_one_of_ours_is_held(api: GraphQLClient, staff: User, make: Any):
    await make(siret=WORKSHOP["siret"])

    assert await ids(api, staff) == ["mission-locale--b2"]


@pytest.mark.parametrize("make", [make_company, make_prescriber_organization])
async def test_a_structure_known_as_a_duplicate_of_one_of_ours_is_held(api: GraphQLClient, staff: User, make: Any):
    await make(id=UID)

    assert await ids(api, staff) == ["dora--a1"]


async def test_another_establishment_of_the_same_company_is_not_held(api: GraphQLClient, staff: User):
    await make_company(siret=WORKSHOP["siret"][:9] + "99999")

    assert await ids(api, staff) == BOTH


async def test_a_duplicate_with_an_id_that_is_none_of_ours_is_not_held(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    directory.hold(structure(1, doublons=[{"source": OWN, "id": f"{OWN}--not-a-uuid"}]))

    assert await ids(api, staff) == ["dora--001"]


async def test_quality_is_asked_for_here_since_the_partner_ignores_it(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    assert await ids(api, staff, {**MOSELLE, "minimumQualityScore": 0.82}) == ["dora--a1"]

    assert "score_qualite_minimum" not in dict(directory.queries[0])


@pytest.mark.parametrize(
    ("narrowed", "sent"),
    [({"sources": ["dora", OWN]}, ("sources", "dora")), ({"networks": ["mobin"]}, ("reseaux_porteurs", "mobin"))],
)
async def test_sources_and_networks_are_sent_and_hold_even_where_they_are_ignored(
    api: GraphQLClient, staff: User, directory: FakedDirectory, narrowed: dict[str, Any], sent: tuple[str, str]
):
    assert await ids(api, staff, MOSELLE | narrowed) == ["dora--a1"]

    assert [item for item in directory.queries[0] if item[0] == sent[0]] == [sent]


async def test_a_network_that_nobody_has_heard_of_is_shown(api: GraphQLClient, staff: User, directory: FakedDirectory):
    directory.hold(WORKSHOP | {"reseaux_porteurs": ["nouveau-reseau"]})

    answer = await api(WHOLE, as_=staff)

    assert answer.data["inclusionStructures"]["nodes"][0]["networks"] == ["nouveau-reseau"]


# -- places


async def test_a_commune_is_asked_for_as_such(api: GraphQLClient, staff: User, directory: FakedDirectory):
    assert await ids(api, staff, {"communeInseeCode": " 57463 "}) == BOTH

    assert directory.queries[0][0] == ("code_commune", "57463")


async def test_a_commune_of_another_department_is_nothing(api: GraphQLClient, staff: User, directory: FakedDirectory):
    assert await ids(api, staff, {"communeInseeCode": "57463", "departmentCode": "54"}) == []

    assert directory.structures.call_count == 0


async def test_a_city_of_arrondissements_is_found_whole(api: GraphQLClient, staff: User, directory: FakedDirectory):
    codes = ["69123", "69381", "69389", "69266"]
    directory.hold(*(structure(number, code_insee=code) for number, code in enumerate(codes)))

    assert await ids(api, staff, {"communeInseeCode": "69123"}) == ["dora--000", "dora--001", "dora--002"]

    assert directory.queries[0][0] == ("code_departement", "69")


async def test_a_circle_narrows_a_department_without_asking_what_lies_around(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    directory.hold(
        structure(1, latitude=METZ_LATITUDE + 0.17),  # 18.9 km
        structure(2, latitude=METZ_LATITUDE + 0.19),  # 21.1 km
        structure(3, latitude=None),
    )

    assert await ids(api, staff, {**MOSELLE, "near": {**METZ, "radiusKm": 20}}) == ["dora--001"]

    assert directory.geo.call_count == 0


async def test_a_circle_alone_is_asked_for_in_every_department_that_it_touches(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    # A border 24.5 km south of the centre, behind which lies Meurthe-et-Moselle.
    directory.communes_from = [(METZ_LATITUDE - 24.5 / 111.19, "57463"), (-90.0, "54395")]

    assert await ids(api, staff, {"near": METZ}) == ["dora--a1"]

    assert sorted(query[0] for query in directory.queries) == [("code_departement", "54"), ("code_departement", "57")]


async def test_what_lies_around_a_point_is_remembered_for_its_neighbours(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    await ids(api, staff, {"near": METZ})
    asked = directory.geo.call_count

    await ids(api, staff, {"near": {**METZ, "latitude": METZ_LATITUDE + 0.004}})

    assert (asked, directory.geo.call_count) == (17, 17)
    assert directory.structures.call_count == 1


async def test_where_somebody_searches_is_not_written_in_the_cache(
    api: GraphQLClient, staff: User, valkey: redis.asyncio.Redis
):
    await ids(api, staff, {"near": METZ})

    keys = b" ".join(await valkey.keys("*"))
    assert b"commune_at" in keys
    assert b"49.1" not in keys


async def test_overseas_a_collectivity_is_searched_by_commune(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    directory.communes_from = [(-90.0, "97502")]

    await ids(api, staff, {"near": METZ})

    assert directory.queries[0][0] == ("code_commune", "97502")


async def test_in_the_open_sea_there_is_nothing_to_ask_for(api: GraphQLClient, staff: User, directory: FakedDirectory):
    directory.communes_from = []

    assert await ids(api, staff, {"near": METZ}) == []

    assert directory.structures.call_count == 0


# -- pages


async def test_pages_follow_each_other_without_asking_the_partner_again(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    directory.hold(*(structure(number, score_qualite=number % 3 / 10) for number in range(50)))
    seen: list[str] = []
    after: str | None = None

    while True:
        answer = await api(STRUCTURES, {"filter": MOSELLE, "first": 7, "after": after}, as_=staff)
        found = answer.data["inclusionStructures"]
        seen += [node["id"] for node in found["nodes"]]
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break

    assert seen == [f"dora--{number:03d}" for rest in (2, 1, 0) for number in range(rest, 50, 3)]
    assert (directory.structures.call_count, directory.sources.call_count) == (1, 1)


async def test_a_page_of_fifty_is_one_statement(api: GraphQLClient, staff: User, directory: FakedDirectory):
    directory.hold(structure(0, siret=WORKSHOP["siret"]))
    one = await api(STRUCTURES, {"filter": MOSELLE, "first": 50}, as_=staff)
    directory.hold(*(structure(number, siret=f"9021001080{number:04d}") for number in range(50)))

    fifty = await api(STRUCTURES, {"filter": {**MOSELLE, "sources": ["dora"]}, "first": 50}, as_=staff)

    assert len(fifty.data["inclusionStructures"]["nodes"]) == 50
    assert fifty.statements == one.statements


async def test_a_position_holds_when_the_list_was_read_anew_and_its_row_is_gone(
    api: GraphQLClient, staff: User, directory: FakedDirectory, valkey: redis.asyncio.Redis
):
    directory.hold(*(structure(number) for number in range(4)))
    first = await api(STRUCTURES, {"filter": MOSELLE, "first": 2}, as_=staff)
    cursor = first.data["inclusionStructures"]["pageInfo"]["endCursor"]
    await valkey.flushall()
    directory.hold(structure(0), structure(3), structure(2), structure(9, score_qualite=0.99))

    assert await ids(api, staff, first=2, after=cursor) == ["dora--002", "dora--003"]


async def test_a_record_on_two_of_the_partners_pages_is_shown_once(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    directory.pages = [page(WORKSHOP, number=1, pages=2), page(WORKSHOP, LOCAL_MISSION, number=2, pages=2)]

    assert await ids(api, staff) == BOTH

    assert directory.structures.call_count == 2


async def test_an_empty_place_is_an_empty_page_after_one_call(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    directory.pages = [page(pages=0)]

    answer = await api(STRUCTURES, {"filter": MOSELLE}, as_=staff)

    assert answer.data["inclusionStructures"] == {
        "totalCount": 0,
        "edges": [],
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }
    assert directory.structures.call_count == 1


# -- what cannot be asked


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"communeInseeCode": "Metz"},
        {"departmentCode": "975"},
        {"departmentCode": "99"},
        {"near": {**METZ, "radiusKm": 50.1}},
        {"near": {**METZ, "radiusKm": 0}},
        {"near": {**METZ, "latitude": 91}},
        {**MOSELLE, "minimumQualityScore": 1.01},
        {**MOSELLE, "sources": ["dora&page=2"]},
        {**MOSELLE, "networks": ["aci"] * 3 + [f"n{number}" for number in range(50)]},
    ],
    ids=str,
)
async def test_a_wrong_filter_is_refused_before_anybody_is_asked(
    api: GraphQLClient, staff: User, directory: FakedDirectory, wanted: dict[str, Any]
):
    answer = await api(STRUCTURES, {"filter": wanted}, as_=staff)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert directory.structures.call_count == 0


@pytest.mark.parametrize("page", [{"after": "forged"}, {"first": 101}])
async def test_a_wrong_page_is_refused(api: GraphQLClient, staff: User, page: dict[str, Any]):
    answer = await api(STRUCTURES, {"filter": MOSELLE, **page}, as_=staff)

    assert answer.codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("detail", ["unknown commune", [{"loc": ["query", "size"], "msg": "too large", "type": "x"}]])
async def test_what_the_partner_refuses_is_the_callers_mistake(
    api: GraphQLClient, staff: User, directory: FakedDirectory, detail: Any
):
    directory.structures.mock(return_value=httpx.Response(422, json={"detail": detail}))

    answer = await api(STRUCTURES, {"filter": MOSELLE}, as_=staff)

    assert answer.codes == ["BAD_USER_INPUT"]


async def test_who_is_not_signed_in_and_machine_clients_learn_nothing(api: GraphQLClient, directory: FakedDirectory):
    machine = await make_partner_client()

    anonymous = await api(STRUCTURES, {"filter": MOSELLE})
    refused = await api(STRUCTURES, {"filter": MOSELLE}, as_=machine)

    assert (anonymous.codes, refused.codes) == (["UNAUTHENTICATED"], ["FORBIDDEN"])
    assert directory.structures.call_count == 0


async def test_one_account_cannot_have_the_whole_country_fetched(
    database: object, engine: GraphQLEngine, resources: Resources, valkey: redis.asyncio.Redis, staff: User
):
    async with faked_directory(valkey, per_minute=1) as directory:
        known = replace(
            resources, inclusion_structures=directory.found, inclusion_structure_searches=directory.searches
        )
        async with serve(engine, known) as api:
            await ids(api, staff)

            refused = await api(STRUCTURES, {"filter": {"departmentCode": "54"}}, as_=staff)

    assert refused.codes == ["LIMIT_EXCEEDED"]


# -- outages


@pytest.mark.parametrize(
    ("failure", "calls"),
    [
        (httpx.Response(401, json={"detail": "Not authenticated"}), 1),
        (httpx.Response(403, json={"detail": "Forbidden"}), 1),
        (httpx.Response(500, text="Internal Server Error"), 2),
        (httpx.ReadTimeout("too slow"), 2),
    ],
    ids=["401", "403", "500", "timeout"],
)
async def test_an_outage_blanks_the_field_and_nothing_else(
    api: GraphQLClient, staff: User, directory: FakedDirectory, failure: Any, calls: int
):
    directory.structures.mock(side_effect=failure if isinstance(failure, Exception) else [failure] * 2)
    query = '{ viewer { kind } inclusionStructures(filter: { departmentCode: "57" }) { totalCount } }'

    with structlog.testing.capture_logs() as logs:
        answer = await api(query, as_=staff)

    assert answer.body["data"] == {"viewer": {"kind": "STAFF"}, "inclusionStructures": None}
    (error,) = answer.body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["partner"]) == ("PARTNER_UNAVAILABLE", "DATA_INCLUSION")
    assert directory.structures.call_count == calls
    assert TOKEN not in str(logs) + str(answer.body)
    assert any(entry["event"] == "data_inclusion_misconfigured" for entry in logs) is (calls == 1)


async def test_a_directory_that_is_off_says_so(graphql: GraphQLClient, staff: User):
    answer = await graphql(STRUCTURES, {"filter": MOSELLE}, as_=staff)

    (error,) = answer.body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["reason"]) == ("PARTNER_UNAVAILABLE", "NOT_CONFIGURED")


async def test_without_api_geo_a_circle_alone_is_unavailable_and_a_department_is_not(
    api: GraphQLClient, staff: User, directory: FakedDirectory
):
    directory.geo.mock(return_value=httpx.Response(503, text="Service Unavailable"))

    away = await api(STRUCTURES, {"filter": {"near": METZ}}, as_=staff)

    assert away.body["errors"][0]["extensions"]["partner"] == "API_GEO"
    assert await ids(api, staff) == BOTH


async def test_where_api_geo_is_off_a_circle_alone_says_so(
    database: object, engine: GraphQLEngine, resources: Resources, valkey: redis.asyncio.Redis, staff: User
):
    async with (
        faked_directory(valkey, with_communes=False) as directory,
        serve(engine, replace(resources, inclusion_structures=directory.found)) as api,
    ):
        answer = await api(STRUCTURES, {"filter": {"near": METZ}}, as_=staff)

    extensions = answer.body["errors"][0]["extensions"]
    assert (extensions["partner"], extensions["reason"]) == ("API_GEO", "NOT_CONFIGURED")
