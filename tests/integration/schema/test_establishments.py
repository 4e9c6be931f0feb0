"""Establishments as INSEE publishes them: one by its number, and those of a page of companies together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic
from typing import Any

import httpx
import pytest
import redis.asyncio

from execution.engine import GraphQLEngine
from models import User
from models.enums import UserKind
from resolvers.context import Resources
from tests.factories import make_company, make_employer, make_partner_client, make_siret, make_user
from tests.integration.country import fill_table
from tests.integration.places import faked_places
from tests.integration.register import FakedRegister, faked_register
from tests.integration.schema.client import CONFIG, GraphQLClient, serve
from tests.unit.clients.sirene import SIRET, establishment, refusal

ESTABLISHMENT = """
query Establishment($siret: String!) {
  establishment(siret: $siret) {
    __typename
    ... on Establishment {
      siret siren legalName tradeName naf nafLabel isOpen isHeadOffice isPartiallyDisclosed
      address { line1 line2 postCode city inseeCode department { code } }
    }
    ... on Error { code message }
    ... on InvalidInput { problems { path } }
    ... on PartnerRejected { partner partnerCode }
    ... on PartnerUnavailable { partner retryAfterSeconds }
  }
}
"""
COMPANIES_WITH_COMMUNES = """
{ companies(first: 50) { nodes { name establishment { legalName } address { commune { name } } } } }
"""
COMPANIES = "{ companies(first: 50) { nodes { name siret establishment { legalName fetchedAt } } } }"
PAGE = 50
SOLE_PROPRIETOR: dict[str, Any] = {
    "statutDiffusionEtablissement": "P",
    "unit": {
        "statutDiffusionUniteLegale": "P",
        "categorieJuridiqueUniteLegale": "1000",
        "denominationUniteLegale": None,
        "sigleUniteLegale": None,
    },
}
WITHHELD_ADDRESS = {
    "complementAdresseEtablissement": "[ND]",
    "numeroVoieEtablissement": "[ND]",
    "indiceRepetitionEtablissement": "[ND]",
    "typeVoieEtablissement": "[ND]",
    "libelleVoieEtablissement": "[ND]",
    "codePostalEtablissement": "[ND]",
    "libelleCommuneEtablissement": "LILLE",
    "codeCommuneEtablissement": "59350",
}


@pytest.fixture
async def register(valkey: redis.asyncio.Redis) -> AsyncIterator[FakedRegister]:
    async with faked_register(valkey) as register:
        yield register


@pytest.fixture
async def api(
    database: object, engine: GraphQLEngine, resources: Resources, register: FakedRegister
) -> AsyncIterator[GraphQLClient]:
    known = replace(resources, establishments=register.establishments, establishment_searches=register.searches)
    async with serve(engine, known) as client:
        yield client


@pytest.fixture
async def staff(database: object) -> User:
    return await make_user(UserKind.STAFF)


async def test_an_establishment_is_found_by_its_number_however_it_is_typed(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    register.know(SIRET)

    answer = await api(ESTABLISHMENT, {"siret": f" {SIRET[:3]} {SIRET[3:9]}-{SIRET[9:]}"}, as_=staff)

    assert answer.data["establishment"] == {
        "__typename": "Establishment",
        "siret": SIRET,
        "siren": SIRET[:9],
        "legalName": "LES JARDINS DE L'ECHELLE",
        "tradeName": None,
        "naf": "8899B",
        "nafLabel": "Action sociale sans hébergement",
        "isOpen": True,
        "isHeadOffice": True,
        "isPartiallyDisclosed": False,
        "address": {
            "line1": "12 BIS RUE DES TILLEULS INVENTES",
            "line2": "BATIMENT B",
            "postCode": "57000",
            "city": "METZ",
            "inseeCode": "57463",
            "department": {"code": "57"},
        },
    }


@pytest.mark.parametrize(
    "change",
    [{"period": {"etatAdministratifEtablissement": "F"}}, {"unit": {"etatAdministratifUniteLegale": "C"}}],
    ids=["establishment", "legal unit"],
)
async def test_what_is_closed_is_found_and_said_to_be_closed(
    api: GraphQLClient, staff: User, register: FakedRegister, change: dict[str, dict[str, str]]
):
    register.know(SIRET, **change)

    answer = await api(ESTABLISHMENT, {"siret": SIRET}, as_=staff)

    assert answer.data["establishment"]["isOpen"] is False


async def test_what_a_sole_proprietor_keeps_to_themself_is_null(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    names = {"nomUniteLegale": "[ND]", "prenom1UniteLegale": "[ND]"}
    unit = {**SOLE_PROPRIETOR["unit"], **names}
    register.know(SIRET, **(SOLE_PROPRIETOR | {"unit": unit}), address=WITHHELD_ADDRESS)

    answer = await api(ESTABLISHMENT, {"siret": SIRET}, as_=staff)

    found = answer.data["establishment"]
    assert (found["legalName"], found["tradeName"], found["isPartiallyDisclosed"]) == (None, None, True)
    assert found["address"] == {
        "line1": None,
        "line2": None,
        "postCode": None,
        "city": "LILLE",
        "inseeCode": "59350",
        "department": {"code": "59"},
    }
    assert "[ND]" not in str(answer.body)


async def test_what_only_administrations_are_told_is_neither_shown_nor_kept(
    api: GraphQLClient, staff: User, register: FakedRegister, valkey: redis.asyncio.Redis
):
    names = {"nomUniteLegale": "SECRETE", "prenom1UniteLegale": "IRMA"}
    unit = {**SOLE_PROPRIETOR["unit"], **names}
    register.know(SIRET, **(SOLE_PROPRIETOR | {"unit": unit}), period={"enseigne1Etablissement": "CHEZ IRMA"})

    answer = await api(ESTABLISHMENT, {"siret": SIRET}, as_=staff)

    kept = [await valkey.get(key) or b"" for key in await valkey.keys("lookup:establishment:*")]
    assert len(kept) == 1
    for told in ("SECRETE", "IRMA", "TILLEULS"):
        assert told not in str(answer.body)
        assert told.encode() not in kept[0]
    assert answer.data["establishment"]["address"]["city"] == "METZ"


async def test_a_legal_person_that_is_partially_disclosed_keeps_its_name(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    register.know(SIRET, statutDiffusionEtablissement="P")

    found = (await api(ESTABLISHMENT, {"siret": SIRET}, as_=staff)).data["establishment"]

    assert found["legalName"] == "LES JARDINS DE L'ECHELLE"
    assert found["address"]["line1"] is None


@pytest.mark.parametrize(
    "siret", ["73282932000079", "00000000000000", "35600000000014", "7328293200007", "", "732A2932000074"]
)
async def test_what_cannot_be_a_number_is_refused_without_asking_insee(
    api: GraphQLClient, staff: User, register: FakedRegister, siret: str
):
    found = (await api(ESTABLISHMENT, {"siret": siret}, as_=staff)).data["establishment"]

    assert (found["__typename"], found["problems"]) == ("InvalidInput", [{"path": ["siret"]}])
    assert register.asked == []


@pytest.mark.parametrize("siret", ["732 829 320 00074", "35600000049837"])
async def test_an_unknown_number_is_asked_for_once_an_hour(
    api: GraphQLClient, staff: User, register: FakedRegister, siret: str
):
    first = await api(ESTABLISHMENT, {"siret": siret}, as_=staff)
    second = await api(ESTABLISHMENT, {"siret": siret}, as_=staff)

    assert first.data["establishment"]["code"] == "NOT_FOUND"
    assert second.data == first.data
    assert register.asked == [[siret.replace(" ", "")]]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (refusal(400), ("InvalidInput", "INVALID_INPUT")),
        (refusal(403), ("PartnerRejected", "PARTNER_REJECTED")),
        (refusal(404), ("NotFound", "NOT_FOUND")),
        (refusal(429), ("PartnerUnavailable", "PARTNER_UNAVAILABLE")),
        (refusal(500), ("PartnerUnavailable", "PARTNER_UNAVAILABLE")),
        (httpx.Response(200, text="not-json"), ("PartnerUnavailable", "PARTNER_UNAVAILABLE")),
        (httpx.Response(200, json={}), ("PartnerUnavailable", "PARTNER_UNAVAILABLE")),
        (
            httpx.Response(200, json={"etablissement": establishment() | {"periodesEtablissement": []}}),
            ("PartnerUnavailable", "PARTNER_UNAVAILABLE"),
        ),
    ],
    ids=["400", "403", "404", "429", "500", "not JSON", "nothing", "no period"],
)
async def test_each_refusal_of_insee_has_its_answer(
    api: GraphQLClient, staff: User, register: FakedRegister, response: httpx.Response, expected: tuple[str, str]
):
    register.one.mock(return_value=response)

    found = (await api(ESTABLISHMENT, {"siret": SIRET}, as_=staff)).data["establishment"]

    assert (found["__typename"], found["code"]) == expected
    assert found.get("partner", "SIRENE") == "SIRENE"
    assert found.get("partnerCode", "COMPANY_OPPOSED") == "COMPANY_OPPOSED"


TOGETHER = """
query Together($siret: String!, $other: String!) {
  establishment(siret: $siret) { ... on Establishment { siret } ... on Error { code } }
  other: establishment(siret: $other) { ... on Establishment { siret } }
}
"""


async def test_several_numbers_of_one_operation_are_one_call(api: GraphQLClient, staff: User, register: FakedRegister):
    other = make_siret()
    register.know(SIRET)
    register.know(other)

    answer = await api(TOGETHER, {"siret": SIRET, "other": other}, as_=staff)

    assert answer.data == {"establishment": {"siret": SIRET}, "other": {"siret": other}}
    assert [len(numbers) for numbers in register.asked] == [2]


async def test_a_number_that_a_search_did_not_list_is_asked_for_by_itself(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    other = make_siret()
    register.know(other)
    register.one.mock(return_value=refusal(403))

    together = await api(TOGETHER, {"siret": SIRET, "other": other}, as_=staff)
    alone = await api(ESTABLISHMENT, {"siret": SIRET}, as_=staff)

    assert together.data == {"establishment": {"code": "PARTNER_REJECTED"}, "other": {"siret": other}}
    assert alone.data["establishment"]["partnerCode"] == "COMPANY_OPPOSED"
    assert sorted(len(numbers) for numbers in register.asked) == [1, 1, 2]


async def test_a_number_that_no_call_knows_is_asked_for_by_itself_once_an_hour(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    other = make_siret()
    register.know(other)

    answers = [await api(TOGETHER, {"siret": SIRET, "other": other}, as_=staff) for _ in range(2)]

    assert [answer.data["establishment"] for answer in answers] == [{"code": "NOT_FOUND"}] * 2
    assert sorted(len(numbers) for numbers in register.asked) == [1, 2]


async def test_a_number_that_a_search_did_not_list_is_unknown_while_it_cannot_be_asked_for_by_itself(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    other = make_siret()
    register.know(other)
    register.one.mock(return_value=refusal(503))

    answer = await api(TOGETHER, {"siret": SIRET, "other": other}, as_=staff)

    assert answer.data["establishment"] == {"code": "NOT_FOUND"}


async def test_who_asks_too_often_is_told_to_wait_and_insee_is_spared(
    database: object,
    engine: GraphQLEngine,
    resources: Resources,
    valkey: redis.asyncio.Redis,
    staff: User,
):
    async with faked_register(valkey, per_minute=2) as register:
        limited = replace(resources, establishments=register.establishments, establishment_searches=register.searches)
        async with serve(engine, limited) as api:
            answers = [await api(ESTABLISHMENT, {"siret": make_siret()}, as_=staff) for _ in range(3)]

        assert [answer.data["establishment"]["code"] for answer in answers] == [
            "NOT_FOUND",
            "NOT_FOUND",
            "RATE_LIMITED",
        ]
        assert len(register.asked) == 2


async def test_a_machine_client_may_not_search_and_anonymous_callers_must_sign_in(api: GraphQLClient):
    partner = await make_partner_client(await make_company())

    assert (await api(ESTABLISHMENT, {"siret": SIRET}, as_=partner)).codes == ["FORBIDDEN"]
    assert (await api(ESTABLISHMENT, {"siret": SIRET})).codes == ["UNAUTHENTICATED"]


async def test_without_sirene_its_fields_say_so_and_the_others_answer(graphql: GraphQLClient, staff: User):
    await make_company(name="Atelier Imaginaire")

    found = await graphql(ESTABLISHMENT, {"siret": SIRET}, as_=staff)
    page = await graphql(COMPANIES, as_=staff)

    assert found.data["establishment"]["code"] == "NOT_CONFIGURED"
    assert page.errors_by_path == {"companies.nodes.0.establishment": "PARTNER_UNAVAILABLE"}
    assert page.body["data"]["companies"]["nodes"][0]["name"] == "Atelier Imaginaire"


async def make_page(register: FakedRegister, **address: Any) -> list[str]:
    companies = [await make_company(**address) for _ in range(PAGE)]
    for company in companies:
        register.know(company.siret)
    return [company.siret for company in companies]


async def test_a_page_of_companies_costs_one_call_and_no_statement_then_none(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    sirets = await make_page(register)

    bare = await api("{ companies(first: 50) { nodes { name siret } } }", as_=staff)
    first = await api(COMPANIES, as_=staff)
    second = await api(COMPANIES, as_=staff)

    assert [len(numbers) for numbers in register.asked] == [PAGE]
    assert sorted(register.asked[0]) == sorted(sirets)
    assert first.statements == bare.statements
    assert second.data == first.data
    names = {node["establishment"]["legalName"] for node in first.data["companies"]["nodes"]}
    assert names == {"LES JARDINS DE L'ECHELLE"}


async def test_an_employer_reads_the_establishment_of_their_company(api: GraphQLClient, register: FakedRegister):
    company = await make_company(siret=SIRET)
    register.know(SIRET)

    answer = await api(
        "{ viewer { organization { ... on Company { establishment { legalName } } } } }",
        as_=await make_employer(company),
        of=company,
    )

    assert answer.data["viewer"]["organization"] == {"establishment": {"legalName": "LES JARDINS DE L'ECHELLE"}}


async def test_a_company_that_insee_does_not_know_has_no_establishment_and_no_error(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    # An internal number of the platform's is never sent.
    await make_company(siret=SIRET[:9] + "99901")
    await make_company()
    await make_company(siret=SIRET)
    register.know(SIRET)

    nodes = (await api(COMPANIES, as_=staff)).data["companies"]["nodes"]

    assert sorted(node["establishment"] is None for node in nodes) == [False, True, True]
    assert not any(number[9:].startswith("999") for numbers in register.asked for number in numbers)


async def test_one_unreadable_establishment_leaves_the_others(api: GraphQLClient, staff: User, register: FakedRegister):
    await make_page(register)
    broken = next(iter(register.known))
    register.known[broken]["periodesEtablissement"] = []

    answer = await api(COMPANIES, as_=staff)

    nodes = answer.body["data"]["companies"]["nodes"]
    position = next(number for number, node in enumerate(nodes) if node["siret"] == broken)
    assert answer.errors_by_path == {f"companies.nodes.{position}.establishment": "PARTNER_UNAVAILABLE"}
    assert [node["siret"] for node in nodes if node["establishment"] is None] == [broken]


async def test_while_insee_hangs_a_page_answers_in_time_with_nulls_at_those_paths_only(
    engine: GraphQLEngine,
    resources: Resources,
    staff: User,
    valkey: redis.asyncio.Redis,
    register: FakedRegister,
):
    await fill_table()
    await make_page(register, insee_code="57463", post_code="57000", city="Metz")
    hangs = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        await hangs.wait()
        return refusal(503)

    register.search.mock(side_effect=hang)
    begun = monotonic()

    async with faked_places(valkey) as places:
        known = replace(resources, establishments=register.establishments, communes=places.communes)
        async with serve(engine, known) as api:
            answer = await api(COMPANIES_WITH_COMMUNES, as_=staff)

    assert monotonic() - begun < CONFIG.deadline_seconds
    nodes = answer.body["data"]["companies"]["nodes"]
    assert len(nodes) == PAGE
    assert all(node["name"] and node["establishment"] is None for node in nodes)
    assert [node["address"]["commune"] for node in nodes] == [{"name": "Metz"}] * PAGE
    assert answer.errors_by_path == {
        f"companies.nodes.{number}.establishment": "PARTNER_UNAVAILABLE" for number in range(PAGE)
    }
    assert {error["extensions"]["partner"] for error in answer.body["errors"]} == {"SIRENE"}
    assert places.geo_paths == []
