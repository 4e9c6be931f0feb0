"""Addresses and communes, as a front end asks for them, anonymous or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import redis.asyncio

from execution.engine import GraphQLEngine
from models.enums import UserKind
from resolvers.context import Resources
from resolvers.global_ids import encode
from sandbox.gazetteer import COMMUNES as KNOWN_COMMUNES
from tests.factories import (
    make_appointment,
    make_company,
    make_employer,
    make_institution,
    make_job_application,
    make_job_seeker,
    make_labor_inspector,
    make_participation,
    make_partner_client,
    make_user,
)
from tests.integration.country import fill_table
from tests.integration.places import COMMUNES, Places, faked_places
from tests.integration.schema.client import GraphQLClient, serve
from tests.unit.clients.ban import METZ_STREET, collection, feature

SUGGEST = """
query Suggest($text: String!, $limit: Int! = 5, $near: NearInput) {
  addressSuggestions(text: $text, limit: $limit, near: $near) {
    label line1 postCode city inseeCode score coordinates { latitude longitude }
  }
}
"""
GEOCODE = """
query Geocode($address: String!, $postCode: String) {
  geocode(address: $address, postCode: $postCode) {
    __typename
    ... on GeocodedAddress { label line1 postCode city inseeCode score coordinates { latitude longitude } }
    ... on Error { code message }
    ... on PartnerUnavailable { partner }
    ... on InvalidInput { problems { path } }
  }
}
"""
COMMUNE = """
query Commune($code: String!) {
  commune(inseeCode: $code) {
    inseeCode name postCodes population coordinates { latitude longitude } department { code region { name } }
  }
}
"""
BIRTH_PLACES = """
query Page {
  jobApplications(first: 50) {
    nodes {
      company { address { city commune { name department { code } } } }
      jobSeeker { firstName birthPlace { name } address { commune { inseeCode } } }
    }
  }
}
"""


@pytest.fixture
async def places(valkey: redis.asyncio.Redis) -> AsyncIterator[Places]:
    async with faked_places(valkey) as places:
        yield places


@pytest.fixture
async def api(
    database: object, engine: GraphQLEngine, resources: Resources, places: Places
) -> AsyncIterator[GraphQLClient]:
    known = replace(resources, communes=places.communes, geocoding=places.geocoding, address_searches=places.searches)
    async with serve(engine, known) as client:
        yield client


async def test_suggestions_are_for_everyone(api: GraphQLClient):
    answer = await api(SUGGEST, {"text": "12 rue des Till"})

    assert answer.data["addressSuggestions"] == [
        {
            "label": "12 Rue des Tilleuls Inventés 57000 Metz",
            "line1": "12 Rue des Tilleuls Inventés",
            "postCode": "57000",
            "city": "Metz",
            "inseeCode": "57463",
            "score": 0.9729,
            "coordinates": {"latitude": 49.119309, "longitude": 6.175619},
        }
    ]


async def test_two_letters_suggest_nothing_and_ask_nobody(api: GraphQLClient, places: Places):
    answer = await api(SUGGEST, {"text": " ce"})

    assert answer.data == {"addressSuggestions": []}
    assert places.ban_queries == []


async def test_suggested_communes_carry_their_context(api: GraphQLClient, places: Places):
    metz = feature(type="municipality", label="Metz", name="Metz")
    places.search.respond(200, json=collection(metz))

    answer = await api(SUGGEST, {"text": "Metz"})

    assert answer.data["addressSuggestions"][0]["label"] == "Metz (57, Moselle, Grand Est)"


@pytest.mark.parametrize(
    "given",
    [
        {"limit": 0},
        {"limit": 21},
        {"near": {"latitude": 91, "longitude": 0}},
        {"near": {"latitude": 0, "longitude": -181}},
    ],
)
async def test_a_limit_or_a_point_out_of_range_is_refused(api: GraphQLClient, places: Places, given: dict[str, object]):
    answer = await api(SUGGEST, {"text": "cernay", **given})

    assert answer.codes == ["BAD_USER_INPUT"]
    assert places.ban_queries == []


async def test_a_silent_geocoder_leaves_the_rest_of_the_answer(api: GraphQLClient, places: Places):
    places.search.mock(side_effect=httpx.ConnectError)

    answer = await api('{ addressSuggestions(text: "cernay") { label } department(code: "57") { name } }')

    assert answer.body["data"] == {"addressSuggestions": None, "department": {"name": "Moselle"}}
    assert answer.codes == ["PARTNER_UNAVAILABLE"]
    assert answer.body["errors"][0]["extensions"]["partner"] == "BAN"


async def test_what_is_not_configured_says_so(graphql: GraphQLClient):
    staff = await make_user(UserKind.STAFF)
    answer = await graphql('{ addressSuggestions(text: "cernay") { label } commune(inseeCode: "57463") { name } }')
    geocoded = await graphql(GEOCODE, {"address": METZ_STREET}, as_=staff)

    assert answer.codes == ["PARTNER_UNAVAILABLE", "PARTNER_UNAVAILABLE"]
    assert {error["extensions"]["reason"] for error in answer.body["errors"]} == {"NOT_CONFIGURED"}
    assert geocoded.data["geocode"]["code"] == "NOT_CONFIGURED"


async def test_a_client_that_searches_too_often_is_told_to_wait(
    database: object, engine: GraphQLEngine, resources: Resources, valkey: redis.asyncio.Redis
):
    staff = await make_user(UserKind.STAFF)
    aliases = " ".join(f'a{number}: addressSuggestions(text: "cernay {number}") {{ label }}' for number in range(5))
    async with faked_places(valkey, per_minute=3) as places:
        known = replace(resources, geocoding=places.geocoding, address_searches=places.searches)
        async with serve(engine, known) as api:
            many = await api(f"{{ {aliases} }}")
            another = await api('{ addressSuggestions(text: "cernay") { label } }', as_=staff)

    assert many.codes == ["LIMIT_EXCEEDED", "LIMIT_EXCEEDED"]
    assert [many.body["data"][f"a{number}"] is not None for number in range(5)].count(True) == 3
    assert another.data["addressSuggestions"]
    assert len(places.ban_queries) == 4


async def test_geocoding_past_the_limit_is_an_answer_too(
    database: object, engine: GraphQLEngine, resources: Resources, valkey: redis.asyncio.Redis
):
    staff = await make_user(UserKind.STAFF)
    async with faked_places(valkey, per_minute=1) as places:
        known = replace(resources, geocoding=places.geocoding, address_searches=places.searches)
        async with serve(engine, known) as api:
            await api(GEOCODE, {"address": METZ_STREET}, as_=staff)
            answer = await api(GEOCODE, {"address": METZ_STREET}, as_=staff)

    assert (answer.data["geocode"]["__typename"], answer.data["geocode"]["code"]) == (
        "PartnerUnavailable",
        "RATE_LIMITED",
    )


async def test_geocoding_needs_a_token(api: GraphQLClient, places: Places):
    answer = await api(GEOCODE, {"address": METZ_STREET})

    assert answer.codes == ["UNAUTHENTICATED"]
    assert places.ban_queries == []


async def test_an_address_is_geocoded(api: GraphQLClient, places: Places):
    staff = await make_user(UserKind.STAFF)

    answer = await api(GEOCODE, {"address": METZ_STREET, "postCode": "57000"}, as_=staff)

    assert answer.data["geocode"] == {
        "__typename": "GeocodedAddress",
        "label": "12 Rue des Tilleuls Inventés 57000 Metz",
        "line1": "12 Rue des Tilleuls Inventés",
        "postCode": "57000",
        "city": "Metz",
        "inseeCode": "57463",
        "score": 0.9729,
        "coordinates": {"latitude": 49.119309, "longitude": 6.175619},
    }
    assert places.ban_queries[0]["postcode"] == "57000"


@pytest.mark.parametrize(
    ("answers", "address", "member", "code"),
    [
        ([], "ab", "InvalidInput", "INVALID_INPUT"),
        ([httpx.Response(200, json=collection())], METZ_STREET, "NotFound", "NOT_FOUND"),
        ([httpx.ConnectError, httpx.ConnectError], METZ_STREET, "PartnerUnavailable", "PARTNER_UNAVAILABLE"),
        ([httpx.Response(200, text="<html>")], METZ_STREET, "PartnerUnavailable", "PARTNER_UNAVAILABLE"),
    ],
)
async def test_each_way_to_find_nothing_has_its_answer(
    api: GraphQLClient,
    places: Places,
    answers: list[httpx.Response | type[httpx.HTTPError]],
    address: str,
    member: str,
    code: str,
):
    staff = await make_user(UserKind.STAFF)
    places.search.mock(side_effect=answers)

    answer = await api(GEOCODE, {"address": address}, as_=staff)

    found = answer.data["geocode"]
    assert (found["__typename"], found["code"]) == (member, code)
    assert METZ_STREET not in found["message"]


async def test_a_commune_is_for_everyone(api: GraphQLClient):
    answer = await api(COMMUNE, {"code": "57463"})

    assert answer.data["commune"] == {
        "inseeCode": "57463",
        "name": "Metz",
        "postCodes": ["57000", "57050", "57070"],
        "population": 120_000,
        "coordinates": {"latitude": 49.1081, "longitude": 6.1956},
        "department": {"code": "57", "region": {"name": "Grand Est"}},
    }


async def test_with_a_loaded_table_a_commune_is_one_statement_and_no_call(api: GraphQLClient, places: Places):
    await fill_table()
    places.geo.mock(side_effect=httpx.ConnectError("the network is cut"))

    answer = await api(COMMUNE, {"code": "57463"})

    assert answer.data["commune"] == {
        "inseeCode": "57463",
        "name": "Metz",
        "postCodes": ["57000", "57050", "57070"],
        "population": 121_000,
        "coordinates": {"latitude": 49.1081, "longitude": 6.1955},
        "department": {"code": "57", "region": {"name": "Grand Est"}},
    }
    assert (answer.statements, places.geo_paths) == (1, [])


async def test_with_a_loaded_table_what_exists_nowhere_is_no_commune_even_in_an_outage(
    api: GraphQLClient, places: Places
):
    await fill_table()
    places.geo_is_down = True

    answer = await api('{ commune(inseeCode: "01999") { name } communes(search: "qsdfgh") { name } }')

    assert answer.data == {"commune": None, "communes": []}


async def test_a_loaded_table_is_searched_without_a_call(api: GraphQLClient, places: Places):
    await fill_table()
    places.geo_is_down = True

    answer = await api(
        """{ towns: communes(search: "Thionvile") { name } eighth: communes(search: "Paris", postCode: "75008") { name }
        several: communes(postCode: "33360") { name } }"""
    )

    assert answer.data["towns"] == [{"name": "Thionville"}]
    assert answer.data["eighth"][0] == {"name": "Paris 8e Arrondissement"}
    assert len(answer.data["several"]) == 6
    assert places.geo_paths == []


async def test_saint_martin_lies_where_its_insee_code_says(api: GraphQLClient):
    answer = await api(COMMUNE, {"code": "97801"})

    assert answer.data["commune"]["department"]["code"] == "978"


@pytest.mark.parametrize("code", ["99100", "5746", "57463\u0000", "nowhere", "98000"])
async def test_what_is_no_insee_code_is_no_commune_and_asks_nobody(api: GraphQLClient, places: Places, code: str):
    answer = await api(COMMUNE, {"code": code})

    assert answer.data == {"commune": None}
    assert places.geo_paths == []


async def test_a_commune_in_an_outage_comes_from_the_cache_or_is_missing_alone(api: GraphQLClient, places: Places):
    await api(COMMUNE, {"code": "57463"})
    places.geo_is_down = True

    answer = await api('{ known: commune(inseeCode: "57463") { name } other: commune(inseeCode: "69123") { name } }')

    assert answer.body["data"] == {"known": {"name": "Metz"}, "other": None}
    assert answer.errors_by_path == {"other": "PARTNER_UNAVAILABLE"}


async def test_communes_are_found_by_post_code(api: GraphQLClient):
    answer = await api('{ communes(postCode: "75008") { inseeCode } }')

    assert answer.data["communes"] == [{"inseeCode": "75108"}, {"inseeCode": "75056"}]


async def test_communes_without_anything_to_search_by_are_refused(api: GraphQLClient):
    answer = await api('{ communes(search: " ") { inseeCode } }')

    assert answer.codes == ["BAD_USER_INPUT"]


async def test_a_text_longer_than_any_commune_is_compared_with_none(api: GraphQLClient, places: Places):
    longest = await api(f'{{ communes(search: "{"a" * 100}") {{ inseeCode }} }}')
    asked = len(places.geo_paths)
    longer = await api(f'{{ communes(search: "{"a" * 101}") {{ inseeCode }} }}')

    assert longest.data == {"communes": []}
    assert longer.codes == ["BAD_USER_INPUT"]
    assert longer.statements == 0
    assert len(places.geo_paths) == asked


async def test_fifty_rows_cost_one_statement_and_a_call_a_department(api: GraphQLClient, places: Places):
    company = await make_company(insee_code="69123", post_code="69001", city="Lyon")
    employer = await make_employer(company)
    for number in range(50):
        lives_in = ("57463", "57672")[number % 2]
        profile = {"birth_place": "75108", "insee_code": lives_in, "post_code": "57000", "city": "Metz"}
        await make_job_application(await make_job_seeker(profile=profile), company)

    answer = await api(BIRTH_PLACES, as_=employer, of=company)

    nodes = answer.data["jobApplications"]["nodes"]
    assert len(nodes) == 50
    assert {node["jobSeeker"]["birthPlace"]["name"] for node in nodes} == {"Paris 8e Arrondissement"}
    assert {node["jobSeeker"]["address"]["commune"]["inseeCode"] for node in nodes} == {"57463", "57672"}
    assert {node["company"]["address"]["commune"]["name"] for node in nodes} == {"Lyon"}
    assert sorted(places.geo_paths) == ["/communes", "/communes/69123", "/communes/75108"]
    # Who asks, and the page; then the table, which is empty: by code, by former code, and whether it is loaded.
    assert answer.statements == 5


async def test_with_a_loaded_table_the_communes_of_fifty_rows_are_one_statement(api: GraphQLClient, places: Places):
    await fill_table()
    company = await make_company(insee_code="69123", post_code="69001", city="Lyon")
    employer = await make_employer(company)
    codes = [commune.code for commune in KNOWN_COMMUNES[:50]]
    for code in codes:
        profile = {"birth_place": "75108", "insee_code": code, "post_code": "57000", "city": "Metz"}
        await make_job_application(await make_job_seeker(profile=profile), company)
    places.geo_is_down = True

    answer = await api(BIRTH_PLACES, as_=employer, of=company)

    nodes = answer.data["jobApplications"]["nodes"]
    assert {node["jobSeeker"]["address"]["commune"]["inseeCode"] for node in nodes} == set(codes)
    assert answer.statements == 3  # who asks, the page, the communes
    assert places.geo_paths == []


async def test_without_api_geo_the_page_still_shows_its_people(api: GraphQLClient, places: Places):
    company = await make_company(insee_code="69123", post_code="69001", city="Lyon")
    employer = await make_employer(company)
    await make_job_application(await make_job_seeker(first_name="Zélie"), company)
    places.geo_is_down = True

    answer = await api(BIRTH_PLACES, as_=employer, of=company)

    (node,) = answer.body["data"]["jobApplications"]["nodes"]
    assert node["jobSeeker"] == {"firstName": "Zélie", "birthPlace": None, "address": None}
    assert node["company"] == {"address": {"city": "Lyon", "commune": None}}
    assert set(answer.codes) == {"PARTNER_UNAVAILABLE"}


async def test_a_birth_abroad_has_no_birth_place(api: GraphQLClient, places: Places):
    person = await make_job_seeker(profile={"birth_place": None, "birth_country": "99352"})

    answer = await api(
        "query One($id: ID!) { jobSeeker(id: $id) { birthPlace { name } } }",
        {"id": encode("JobSeeker", person.id)},
        as_=person,
    )

    assert answer.data == {"jobSeeker": {"birthPlace": None}}
    assert places.geo_paths == []


async def test_a_machine_client_reads_no_birth_place(api: GraphQLClient, places: Places):
    company = await make_company()
    person = await make_job_seeker()
    await make_participation(person, await make_appointment(company))
    machine = await make_partner_client(company)

    answer = await api(
        "query One($id: ID!) { jobSeeker(id: $id) { firstName birthPlace { name } } }",
        {"id": encode("JobSeeker", person.id)},
        as_=machine,
    )

    assert answer.body["data"]["jobSeeker"]["birthPlace"] is None
    assert answer.codes == ["FORBIDDEN"]
    assert places.geo_paths == []


async def test_an_inspector_sees_the_commune_of_a_company(api: GraphQLClient):
    institution = await make_institution(department="69")
    inspector = await make_labor_inspector(institution)
    company = await make_company(insee_code="69123", post_code="69001", city="Lyon", department="69")

    answer = await api(
        "query One($siret: SIRET!) { company(siret: $siret) { address { commune { name } } } }",
        {"siret": company.siret},
        as_=inspector,
        of=institution,
    )

    assert answer.data["company"]["address"]["commune"] == {"name": COMMUNES["69123"]["nom"]}
