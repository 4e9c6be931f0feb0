"""Companies entered and changed through the API, in front of INSEE's register on a faked wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import redis.asyncio

from execution.engine import GraphQLEngine
from models import Company, User
from models.enums import CompanyKind, UserKind
from resolvers.context import Resources
from resolvers.global_ids import encode
from tests.factories import (
    luhn_key,
    make_company,
    make_employer,
    make_institution,
    make_job_seeker,
    make_labor_inspector,
    make_membership,
    make_partner_client,
    make_prescriber,
    make_prescriber_organization,
    make_siret,
    make_user,
)
from tests.integration.register import FakedRegister, faked_register
from tests.integration.schema.client import GraphQLClient, serve
from tests.unit.clients.sirene import SIRET, refusal

OUTCOME = """
    __typename
    ... on Company {
      id siret naf kind name department { code } address { line1 line2 postCode city inseeCode }
      establishment { isOpen }
    }
    ... on Error { code message }
    ... on InvalidInput { problems { path message } }
    ... on PartnerRejected { partner partnerCode }
    ... on PartnerUnavailable { partner }
"""
REGISTER = f"mutation Register($input: RegisterCompanyInput!) {{ registerCompany(input: $input) {{ {OUTCOME} }} }}"
UPDATE = f"mutation Update($input: UpdateCompanyInput!) {{ updateCompany(input: $input) {{ {OUTCOME} }} }}"

WITHHELD: dict[str, Any] = {
    "statutDiffusionEtablissement": "P",
    "unit": {
        "statutDiffusionUniteLegale": "P",
        "categorieJuridiqueUniteLegale": "1000",
        "denominationUniteLegale": None,
        "sigleUniteLegale": None,
        "nomUniteLegale": "[ND]",
        "prenom1UniteLegale": "[ND]",
    },
    "address": {
        "complementAdresseEtablissement": "[ND]",
        "numeroVoieEtablissement": "[ND]",
        "indiceRepetitionEtablissement": "[ND]",
        "typeVoieEtablissement": "[ND]",
        "libelleVoieEtablissement": "[ND]",
        "codePostalEtablissement": "[ND]",
        "libelleCommuneEtablissement": "LILLE",
        "codeCommuneEtablissement": "59350",
    },
}


def sibling(siret: str) -> str:
    """Another establishment of the same legal unit."""
    nic = siret[:9] + "0002"
    return nic + luhn_key(nic)


@pytest.fixture
async def register(valkey: redis.asyncio.Redis) -> AsyncIterator[FakedRegister]:
    async with faked_register(valkey) as register:
        yield register


@pytest.fixture
async def api(
    database: object, engine: GraphQLEngine, resources: Resources, register: FakedRegister
) -> AsyncIterator[GraphQLClient]:
    async with serve(engine, replace(resources, establishments=register.establishments)) as client:
        yield client


@pytest.fixture
async def staff(database: object) -> User:
    return await make_user(UserKind.STAFF)


async def enter(api: GraphQLClient, who: User, **given: Any) -> dict[str, Any]:
    answer = await api(REGISTER, {"input": {"siret": SIRET, "kind": "ACI", **given}}, as_=who)
    return answer.data["registerCompany"]


async def change(api: GraphQLClient, who: User, company: Company, of: Company | None = None, **given: Any) -> Any:
    answer = await api(UPDATE, {"input": {"id": encode("Company", company.id), **given}}, as_=who, of=of)
    return answer.data["updateCompany"]


def paths(outcome: dict[str, Any]) -> list[list[str]]:
    assert outcome["__typename"] == "InvalidInput", outcome
    return [problem["path"] for problem in outcome["problems"]]


# -- entering one


async def test_a_company_is_entered_with_what_insee_says_of_it(
    api: GraphQLClient, staff: User, register: FakedRegister, rung: list[tuple[str, UUID]]
):
    register.know(SIRET)

    entered = await enter(api, staff, naf="88.99b", email="contact@exemple.test", phone="03 53 01 00 01")

    assert entered["id"]
    assert {key: entered[key] for key in entered if key != "id"} == {
        "__typename": "Company",
        "siret": SIRET,
        "naf": "8899B",
        "kind": "ACI",
        "name": "LES JARDINS DE L'ECHELLE",
        "department": {"code": "57"},
        "address": {
            "line1": "12 BIS RUE DES TILLEULS INVENTES",
            "line2": "BATIMENT B",
            "postCode": "57000",
            "city": "METZ",
            "inseeCode": "57463",
        },
        "establishment": {"isOpen": True},
    }
    company = await Company.get(siret=SIRET)
    assert (company.kind, company.email, company.phone) == (CompanyKind.ACI, "contact@exemple.test", "0353010001")
    assert (company.department, company.brand) == ("57", "")
    assert company.geocoding_due_at is not None
    assert rung == [("geocode_company", company.id)]
    # The answer's own `establishment` came from what the check had asked.
    assert register.asked == [[SIRET]]


async def test_another_name_is_the_one_it_is_known_by(api: GraphQLClient, staff: User, register: FakedRegister):
    register.know(SIRET)

    entered = await enter(api, staff, name="  Les  Jardins ")

    company = await Company.get(siret=SIRET)
    assert entered["name"] == "Les Jardins"
    assert (company.name, company.brand) == ("LES JARDINS DE L'ECHELLE", "Les Jardins")


async def test_a_sole_proprietor_is_known_by_their_name(api: GraphQLClient, staff: User, register: FakedRegister):
    unit = {
        "categorieJuridiqueUniteLegale": "1000",
        "denominationUniteLegale": None,
        "nomUniteLegale": "DUPONT",
        "prenom1UniteLegale": "MARIE",
    }
    register.know(SIRET, unit=unit)

    assert (await enter(api, staff))["name"] == "MARIE DUPONT"


async def test_a_name_that_insee_keeps_to_itself_is_asked_for_and_the_department_is_that_of_the_commune(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    register.know(SIRET, **WITHHELD)

    refused = await enter(api, staff)
    entered = await enter(api, staff, name="Atelier de Marie", addressLine1="3 rue Inventée")

    assert paths(refused) == [["name"]]
    assert (entered["name"], entered["department"]) == ("Atelier de Marie", {"code": "59"})
    assert entered["address"]["line1"] == "3 rue Inventée"
    company = await Company.get(siret=SIRET)
    assert (company.post_code, company.city, company.brand) == ("", "LILLE", "")
    columns = (company.name, company.brand, company.address_line_1, company.address_line_2, company.post_code)
    assert "[ND]" not in str((refused, entered, columns))


@pytest.mark.parametrize(
    "record",
    [
        {"period": {"etatAdministratifEtablissement": "F"}},
        {"unit": {"etatAdministratifUniteLegale": "C"}},
        {"address": {"codePaysEtrangerEtablissement": "99131", "libelleCommuneEtrangerEtablissement": "GENEVE"}},
    ],
    ids=["closed", "ceased", "abroad"],
)
async def test_what_is_closed_or_abroad_is_not_entered(
    api: GraphQLClient, staff: User, register: FakedRegister, record: dict[str, Any]
):
    register.know(SIRET, **record)

    assert paths(await enter(api, staff)) == [["siret"]]
    assert await Company.all().count() == 0


async def test_a_number_that_was_replaced_is_refused_with_the_new_one(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    new = sibling(SIRET)
    register.know(new)
    moved = httpx.Response(301, headers={"Location": f"/api-sirene/3.11/siret/{new}"})
    register.one.mock(side_effect=lambda request: moved if SIRET in str(request.url) else register.answer_one(request))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]

    refused = await enter(api, staff)

    assert paths(refused) == [["siret"]]
    assert new in refused["problems"][0]["message"]


async def test_a_number_that_insee_does_not_know_is_refused(api: GraphQLClient, staff: User):
    assert paths(await enter(api, staff)) == [["siret"]]


@pytest.mark.parametrize("siret", ["73282932000079", "00000000000000", "35600000000014"])
async def test_a_number_that_cannot_be_is_refused_without_asking_insee(
    api: GraphQLClient, staff: User, register: FakedRegister, siret: str
):
    answer = await api(REGISTER, {"input": {"siret": siret, "kind": "ACI"}}, as_=staff)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert register.asked == []


async def test_every_problem_of_the_input_is_told_at_once_without_asking_insee(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    refused = await enter(api, staff, name=" ", naf="85.3K", email="nobody", phone="12", addressLine1="a\u0000b")

    assert paths(refused) == [["name"], ["naf"], ["email"], ["phone"], ["addressLine1"]]
    assert register.asked == []


@pytest.mark.parametrize("naf", ["8899é", "889B", "88.99BB"])
async def test_a_code_of_no_nomenclature_is_refused(api: GraphQLClient, staff: User, register: FakedRegister, naf: str):
    register.know(SIRET)

    assert paths(await enter(api, staff, naf=naf)) == [["naf"]]


async def test_another_code_than_insees_is_refused_with_insees(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    register.know(SIRET)

    refused = await enter(api, staff, naf="4120A")

    assert paths(refused) == [["naf"]]
    assert "88.99B" in refused["problems"][0]["message"]


async def test_where_insee_has_no_code_of_today_that_of_the_people_is_taken(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    old = {"activitePrincipaleEtablissement": "85.3K", "nomenclatureActivitePrincipaleEtablissement": "NAFRev1"}
    register.know(SIRET, period=old, unit={"activitePrincipaleUniteLegale": None})

    assert (await enter(api, staff, naf="8899B"))["naf"] == "8899B"


async def test_one_number_is_one_company(api: GraphQLClient, staff: User, register: FakedRegister):
    await make_company(siret=SIRET)

    assert (await enter(api, staff))["code"] == "CONFLICT"
    assert register.asked == []


async def test_of_two_who_enter_one_number_at_once_one_is_told_of_the_conflict(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    register.know(SIRET)

    outcomes = await asyncio.gather(enter(api, staff), enter(api, staff))

    assert sorted(outcome["__typename"] for outcome in outcomes) == ["Company", "Conflict"]
    assert await Company.all().count() == 1


async def test_numbers_of_companies_follow_the_highest_and_never_come_back(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    imported = await make_company(number=70_000)
    register.know(SIRET)
    await enter(api, staff)
    first = await Company.get(siret=SIRET)
    await Company.filter(id__in=[first.id, imported.id]).delete()

    await enter(api, staff)

    assert first.number > imported.number
    assert (await Company.get(siret=SIRET)).number > first.number


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (refusal(400), ("InvalidInput", "INVALID_INPUT")),
        (refusal(403), ("PartnerRejected", "PARTNER_REJECTED")),
        (refusal(429), ("PartnerUnavailable", "PARTNER_UNAVAILABLE")),
        (refusal(500), ("PartnerUnavailable", "PARTNER_UNAVAILABLE")),
        (httpx.Response(200, text="not-json"), ("PartnerUnavailable", "PARTNER_UNAVAILABLE")),
    ],
    ids=["400", "403", "429", "500", "not JSON"],
)
async def test_nothing_is_entered_without_insees_word(
    api: GraphQLClient, staff: User, register: FakedRegister, response: httpx.Response, expected: tuple[str, str]
):
    register.one.mock(return_value=response)

    outcome = await enter(api, staff)

    assert (outcome["__typename"], outcome["code"]) == expected
    assert await Company.all().count() == 0


async def test_a_number_that_a_page_did_not_find_is_refused_for_its_own_reason(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    await register.establishments.by_siret.many([SIRET, make_siret()])
    register.one.mock(return_value=refusal(403))

    outcome = await enter(api, staff)

    assert outcome["code"] == "PARTNER_REJECTED"


async def test_an_old_answer_is_not_enough_to_enter_a_company(
    api: GraphQLClient, staff: User, register: FakedRegister, valkey: redis.asyncio.Redis
):
    register.know(SIRET)
    await register.establishments.by_siret.one(SIRET)
    await _age_cache(valkey, timedelta(days=2))
    register.one.mock(return_value=refusal(503))

    outcome = await enter(api, staff)

    assert outcome["code"] == "PARTNER_UNAVAILABLE"


async def _age_cache(valkey: redis.asyncio.Redis, age: timedelta) -> None:
    """Let what is remembered be older than it is."""
    then = (datetime.now(UTC) - age).timestamp()
    for key in await valkey.keys("lookup:establishment:*"):
        value: bytes = await valkey.get(key)
        _, _, rest = value.partition(b",")
        await valkey.set(key, b'{"at":%f,%s' % (then, rest))


async def test_without_sirene_nothing_is_entered_and_a_mail_address_can_still_be_changed(
    graphql: GraphQLClient, staff: User
):
    company = await make_company()

    assert (await enter(graphql, staff))["code"] == "NOT_CONFIGURED"
    assert (await change(graphql, staff, company, naf="8899B"))["code"] == "NOT_CONFIGURED"
    await graphql(UPDATE, {"input": {"id": encode("Company", company.id), "email": "a@exemple.test"}}, as_=staff)
    assert (await Company.get(id=company.id)).email == "a@exemple.test"


# -- who may


async def test_companies_are_entered_by_the_staff_alone(api: GraphQLClient, register: FakedRegister):
    company = await make_company()
    admin = await make_user(UserKind.EMPLOYER)
    await make_membership(admin, company, is_admin=True)
    organization = await make_prescriber_organization()
    institution = await make_institution()
    register.know(SIRET)
    document = {"input": {"siret": SIRET, "kind": "ACI"}}

    for who, of in (
        (admin, company),
        (await make_employer(company), company),
        (await make_prescriber(organization), organization),
        (await make_labor_inspector(institution), institution),
        (await make_job_seeker(), None),
        (await make_partner_client(company), None),
    ):
        assert (await api(REGISTER, document, as_=who, of=of)).codes == ["FORBIDDEN"], who
    assert (await api(REGISTER, document)).codes == ["UNAUTHENTICATED"]
    assert register.asked == []


async def test_a_company_is_changed_by_its_administrators_not_by_its_other_members(api: GraphQLClient):
    company = await make_company()
    admin = await make_user(UserKind.EMPLOYER)
    await make_membership(admin, company, is_admin=True)
    document = {"input": {"id": encode("Company", company.id), "email": "a@exemple.test"}}

    member = await api(UPDATE, document, as_=await make_employer(company), of=company)
    await api(UPDATE, document, as_=admin, of=company)

    assert member.codes == ["FORBIDDEN"]
    assert (await Company.get(id=company.id)).email == "a@exemple.test"


async def test_another_company_is_as_absent_as_none(api: GraphQLClient):
    company, other = await make_company(), await make_company()
    admin = await make_user(UserKind.EMPLOYER)
    await make_membership(admin, company, is_admin=True)

    outcome = await change(api, admin, other, of=company, email="a@exemple.test")

    assert outcome["code"] == "NOT_FOUND"
    assert (await Company.get(id=other.id)).email == ""


# -- changing one


async def test_what_is_not_said_stays_and_what_is_empty_goes(api: GraphQLClient, staff: User, register: FakedRegister):
    company = await make_company(email="a@exemple.test", phone="0353010001", brand="Les Jardins", naf="8899B")

    await change(api, staff, company, phone="", email=None)

    after = await Company.get(id=company.id)
    assert (after.email, after.phone, after.brand, after.naf) == ("a@exemple.test", "", "Les Jardins", "8899B")
    assert after.updated_at > company.updated_at
    # The answer's own `establishment`, and nothing for the change.
    assert register.asked == [[company.siret]]


async def test_the_name_it_is_known_by_changes_without_insee_and_the_legal_name_stays(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    company = await make_company(name="ATELIER IMAGINAIRE", brand="Ancien")
    register.search.mock(side_effect=httpx.ConnectError)
    register.one.mock(side_effect=httpx.ConnectError)
    renamed = "mutation($input: UpdateCompanyInput!) { updateCompany(input: $input) { ... on Company { name } } }"

    answer = await api(renamed, {"input": {"id": encode("Company", company.id), "name": "Nouveau"}}, as_=staff)

    after = await Company.get(id=company.id)
    assert answer.data == {"updateCompany": {"name": "Nouveau"}}
    assert (after.name, after.brand) == ("ATELIER IMAGINAIRE", "Nouveau")
    assert register.asked == []


async def test_an_administrator_moves_their_company_within_its_legal_unit(api: GraphQLClient, register: FakedRegister):
    company = await make_company(siret=SIRET, latitude=50.6, longitude=3.0, geocoding_score=0.9, city="Lille")
    admin = await make_user(UserKind.EMPLOYER)
    await make_membership(admin, company, is_admin=True)
    register.know(sibling(SIRET))

    moved = await change(api, admin, company, of=company, siret=sibling(SIRET))

    after = await Company.get(id=company.id)
    assert (moved["siret"], moved["address"]["city"]) == (sibling(SIRET), "METZ")
    assert (after.department, after.latitude, after.geocoding_score) == ("57", None, None)
    assert after.geocoding_due_at is not None


async def test_only_the_staff_makes_it_the_company_of_another_legal_unit(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    company = await make_company()
    admin = await make_user(UserKind.EMPLOYER)
    await make_membership(admin, company, is_admin=True)
    register.know(SIRET)

    refused = await change(api, admin, company, of=company, siret=SIRET)
    asked_before = list(register.asked)
    moved = await change(api, staff, company, siret=SIRET)

    assert paths(refused) == [["siret"]]
    assert asked_before == []
    assert moved["siret"] == SIRET


async def test_a_number_that_another_company_has_is_a_conflict(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    company = await make_company()
    await make_company(siret=SIRET)

    assert (await change(api, staff, company, siret=SIRET))["code"] == "CONFLICT"


async def test_a_closed_establishment_is_moved_to_by_nobody(api: GraphQLClient, staff: User, register: FakedRegister):
    company = await make_company()
    register.know(SIRET, period={"etatAdministratifEtablissement": "F"})

    assert paths(await change(api, staff, company, siret=SIRET)) == [["siret"]]
    assert (await Company.get(id=company.id)).siret == company.siret


async def test_a_code_is_checked_against_the_establishment_of_the_company(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    company = await make_company(siret=SIRET, naf="")
    register.know(SIRET)

    refused = await change(api, staff, company, naf="4120A")
    changed = await change(api, staff, company, naf="8899B")

    assert paths(refused) == [["naf"]]
    assert changed["naf"] == "8899B"


async def test_a_structure_that_the_platform_numbered_itself_says_its_own_code(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    company = await make_company(siret=SIRET[:9] + "99901")

    assert (await change(api, staff, company, naf="8899B"))["naf"] == "8899B"
    assert register.asked == []


async def test_the_name_of_a_sole_proprietor_outlives_a_new_reading_of_their_record(
    api: GraphQLClient, staff: User, register: FakedRegister
):
    company = await make_company(siret=SIRET, name="Atelier de Marie")
    register.know(SIRET, **WITHHELD)

    read_anew = await change(api, staff, company, siret=SIRET)

    assert (read_anew["name"], read_anew["department"]) == ("Atelier de Marie", {"code": "59"})


async def test_a_street_is_not_changed_by_itself(api: GraphQLClient, staff: User):
    company = await make_company()

    assert paths(await change(api, staff, company, addressLine1="1 rue Inventée")) == [["addressLine1"]]
