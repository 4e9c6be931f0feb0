"""updateJobSeeker: what is validated, what is locked, who may, and that it is all or nothing."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog

from jobs.cron import JOBS
from models import CertificationRequest, JobSeekerProfile, User
from models.enums import (
    CertificationAuthority,
    CertificationResult,
    LackOfFranceTravailIdReason,
    LackOfNirReason,
    Title,
    UserKind,
)
from resolvers.global_ids import encode
from schema.mutations.job_seekers import GEOCODE_JOB_SEEKER
from services.clock import paris_day
from tests.factories import (
    make_certification,
    make_company,
    make_employer,
    make_institution,
    make_job_application,
    make_job_seeker,
    make_labor_inspector,
    make_nir,
    make_partner_client,
    make_prescriber,
    make_prescriber_organization,
    make_user,
)
from tests.integration.schema.client import Answer, GraphQLClient
from tests.integration.services.citizens import give_consent, make_request

UPDATE = """
mutation ($input: UpdateJobSeekerInput!) { updateJobSeeker(input: $input) {
  __typename
  ... on JobSeeker {
    id title firstName lastName email phone birthdate nir(format: FULL) franceTravailId
    birthCountry { inseeCode name } address { line1 line2 postCode city department { code } }
  }
  ... on InvalidInput { code problems { path message } }
  ... on FieldLocked { code message fields certifiedBy }
  ... on NotFound { code }
} }
"""
NIR = "293046912304591"  # a woman, born in April 1993
FULL_NIR = "2 93 04 69 123 045 91"
ADDRESS = {"line1": "3 rue du Lavoir", "postCode": "57000", "city": "Metz"}


def gid(person: User) -> str:
    return encode("JobSeeker", person.id)


async def update(graphql: GraphQLClient, person: User, **given: Any) -> Answer:
    """As the person themself."""
    return await graphql(UPDATE, {"input": {"id": gid(person), **given}}, as_=person)


def paths(answer: Answer) -> list[str]:
    found = answer.data["updateJobSeeker"]
    assert found["__typename"] == "InvalidInput", found
    return [".".join(problem["path"]) for problem in found["problems"]]


def changed(answer: Answer) -> dict[str, Any]:
    found = answer.data["updateJobSeeker"]
    assert found["__typename"] == "JobSeeker", found
    return found


async def snapshot(person: User) -> tuple[Any, Any]:
    return (
        await User.filter(id=person.id).values(),
        [row | {"nir": None} for row in await JobSeekerProfile.filter(id=person.id).values()],
    )


# -- what changes


async def test_everything_that_is_given_changes_and_nothing_else(graphql: GraphQLClient):
    person = await make_job_seeker(profile={"nir": None, "lack_of_nir_reason": LackOfNirReason.NO_NIR})
    await JobSeekerProfile.filter(id=person.id).update(
        lack_of_pole_emploi_id_reason=LackOfFranceTravailIdReason.FORGOTTEN
    )

    found = changed(
        await update(
            graphql,
            person,
            firstName="  Maëlle   Jeanne ",
            lastName="Quesnoy-Perrin",
            email="maelle@exemple.test",
            phone="06 12 34 56 78",
            birthdate="1993-04-13",
            nir="2 93 04 69 123 045 91",
            franceTravailId="1234567a",
            birthCountryInseeCode="99352",
            address=ADDRESS,
        )
    )

    assert found == {
        "__typename": "JobSeeker",
        "id": gid(person),
        "title": "MME",
        "firstName": "Maëlle Jeanne",
        "lastName": "Quesnoy-Perrin",
        "email": "maelle@exemple.test",
        "phone": "0612345678",
        "birthdate": "1993-04-13",
        "nir": FULL_NIR,
        "franceTravailId": "1234567A",
        "birthCountry": {"inseeCode": "99352", "name": "Algérie"},
        "address": {**ADDRESS, "line2": None, "department": {"code": "57"}},
    }
    profile = await JobSeekerProfile.get(id=person.id)
    assert profile.nir == NIR
    # Born abroad by now, so in no commune; and what is known needs no reason for its lack.
    assert (profile.birth_place, profile.lack_of_nir_reason, profile.lack_of_pole_emploi_id_reason) == (None,) * 3


async def test_null_empties_what_may_be_empty(graphql: GraphQLClient):
    person = await make_job_seeker(profile={"pole_emploi_id": "1234567A", "post_code": "57000", "city": "Metz"})

    found = changed(
        await update(
            graphql, person, title=None, email=None, phone=None, nir=None, franceTravailId=None, address=None,
            birthCountryInseeCode=None, birthPlaceInseeCode=None, birthdate=None,
        )
    )  # fmt: skip

    assert {name for name, value in found.items() if value is None} == {
        *("title", "email", "phone", "birthdate", "nir", "franceTravailId", "birthCountry", "address"),
    }
    assert (await JobSeekerProfile.get(id=person.id)).nir_fingerprint is None


async def test_an_update_of_nothing_is_no_update(graphql: GraphQLClient):
    person = await make_job_seeker()
    before = await snapshot(person)

    changed(await update(graphql, person))
    changed(await update(graphql, person, firstName=person.first_name, email=person.email, birthPlaceInseeCode="69123"))

    assert await snapshot(person) == before


async def test_a_job_seeker_without_a_profile_gets_one(graphql: GraphQLClient):
    person = await make_job_seeker()
    await JobSeekerProfile.filter(id=person.id).delete()

    assert paths(await update(graphql, person, birthdate="2090-01-01")) == ["birthdate"]
    assert not await JobSeekerProfile.filter(id=person.id).exists()

    assert changed(await update(graphql, person, birthdate="1993-04-12"))["birthdate"] == "1993-04-12"


async def test_only_a_new_address_rings_for_its_geocoding(graphql: GraphQLClient, rung: list[tuple[str, UUID]]):
    person = await make_job_seeker()

    changed(await update(graphql, person, phone="0611111111"))
    before = list(rung)
    changed(await update(graphql, person, address=ADDRESS))

    assert before == []
    assert rung == [("geocode_job_seeker", person.id)]
    assert GEOCODE_JOB_SEEKER in {job.name for job in JOBS}


async def test_a_new_address_is_due_for_geocoding_and_no_address_is_not(graphql: GraphQLClient):
    person = await make_job_seeker()

    changed(await update(graphql, person, address=ADDRESS))
    assert (await JobSeekerProfile.get(id=person.id)).geocoding_due_at is not None

    changed(await update(graphql, person, address=None))
    assert (await JobSeekerProfile.get(id=person.id)).geocoding_due_at is None


# -- what is refused


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"firstName": None}, "firstName"),
        ({"lastName": "   "}, "lastName"),
        ({"lastName": "x" * 151}, "lastName"),
        ({"firstName": "Robert'); DROP TABLE"}, "firstName"),
        ({"firstName": "A\u0000"}, "firstName"),
        ({"email": "maelle.exemple.test"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "x" * 250 + "@exemple.test"}, "email"),
        ({"phone": "12345"}, "phone"),
        ({"nir": "123"}, "nir"),
        ({"nir": "193136912304591"}, "nir"),  # month 13
        ({"nir": "193436912304586"}, "nir"),  # month 43
        ({"nir": "985051305500159"}, "nir"),  # first digit 9
        ({"nir": "269054958815780"}, "nir"),  # the specimen
        ({"nir": "141208078200557"}, "nir"),  # key
        ({"franceTravailId": "123456"}, "franceTravailId"),
        ({"franceTravailId": "1234567é"}, "franceTravailId"),
        ({"birthCountryInseeCode": "100"}, "birthCountryInseeCode"),
        ({"birthCountryInseeCode": "99999"}, "birthCountryInseeCode"),
        ({"birthPlaceInseeCode": "Lyon"}, "birthPlaceInseeCode"),
        ({"birthPlaceInseeCode": "99352"}, "birthPlaceInseeCode"),
        ({"birthPlaceInseeCode": None}, "birthPlaceInseeCode"),
        ({"birthPlaceInseeCode": "57463", "birthCountryInseeCode": "99352"}, "birthPlaceInseeCode"),
        ({"birthPlaceInseeCode": "57463", "birthCountryInseeCode": None}, "birthCountryInseeCode"),
        ({"address": ADDRESS | {"line1": " "}}, "address.line1"),
        ({"address": ADDRESS | {"city": ""}}, "address.city"),
        ({"address": ADDRESS | {"postCode": "5700"}}, "address.postCode"),
        ({"address": ADDRESS | {"postCode": "99000"}}, "address.postCode"),
        ({"address": ADDRESS | {"line2": "x" * 256}}, "address.line2"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_at_its_field(graphql: GraphQLClient, given: dict[str, Any], path: str):
    person = await make_job_seeker()
    before = await snapshot(person)

    assert paths(await update(graphql, person, **given)) == [path]

    assert await snapshot(person) == before


async def test_every_problem_is_told_at_once_and_nothing_is_saved(graphql: GraphQLClient):
    person = await make_job_seeker()
    before = await snapshot(person)

    answer = await update(
        graphql, person, lastName="Nouvelle", firstName="", phone="1", birthdate="2090-01-01", franceTravailId="?",
        address={"line1": "", "postCode": "1", "city": " "},
    )  # fmt: skip

    assert sorted(paths(answer)) == [
        *("address.city", "address.line1", "address.postCode", "birthdate", "firstName", "franceTravailId", "phone"),
    ]
    assert await snapshot(person) == before


@pytest.mark.parametrize(
    ("years", "days", "is_accepted"),
    [(16, 0, False), (16, 1, True), (100, 0, True), (100, 1, False)],
    ids=["16 today", "16 yesterday", "100 today", "100 yesterday"],
)
async def test_a_person_is_over_sixteen_and_at_most_a_hundred(
    graphql: GraphQLClient, years: int, days: int, is_accepted: bool
):
    person = await make_job_seeker(profile={"nir": None})
    today = paris_day(datetime.now(UTC))
    try:
        birthday = today.replace(year=today.year - years)
    except ValueError:
        birthday = today.replace(year=today.year - years, day=28)

    answer = await update(graphql, person, birthdate=f"{birthday - timedelta(days=days)}")

    assert answer.data["updateJobSeeker"]["__typename"] == ("JobSeeker" if is_accepted else "InvalidInput")


@pytest.mark.parametrize(
    ("stored", "given", "expected"),
    [
        ({}, {"nir": make_nir(Title.M, date(1993, 4, 12), 5)}, ["nir"]),
        ({}, {"nir": make_nir(Title.MME, date(1993, 5, 12), 5)}, ["nir"]),
        ({}, {"nir": make_nir(Title.M, date(1985, 5, 12), 5)}, ["nir", "nir"]),
        ({}, {"nir": "293206912304556"}, []),  # month 20: the year alone
        ({"nir": NIR}, {"title": "M"}, ["title"]),
        ({"nir": NIR}, {"birthdate": "1994-04-12"}, ["birthdate"]),
        ({"nir": NIR}, {"birthdate": "1993-04-30"}, []),
        ({"nir": NIR}, {"title": None}, []),
        ({"nir": NIR}, {"title": "M", "birthdate": "1985-05-01", "nir": "185052A00403349"}, []),
    ],
)
async def test_the_nir_agrees_with_title_and_birthdate(
    graphql: GraphQLClient, stored: dict[str, Any], given: dict[str, Any], expected: list[str]
):
    person = await make_job_seeker(title=Title.MME, profile=stored)

    answer = await update(graphql, person, **given)

    if expected:
        assert paths(answer) == expected
    else:
        changed(answer)


async def test_a_nir_of_somebody_else_is_refused_without_telling_whose(graphql: GraphQLClient):
    other = await make_job_seeker(first_name="Ondine", last_name="Clairval", profile={"nir": NIR})
    person = await make_job_seeker(profile={"nir": None})

    answer = await update(graphql, person, nir=NIR)

    assert paths(answer) == ["nir"]
    for trace in ("ondine", "clairval", NIR, str(other.id), gid(other), base64.b64encode(other.id.bytes).decode()):
        assert trace.lower() not in str(answer.body).lower()


async def test_of_two_people_who_claim_one_nir_at_once_one_gets_it(graphql: GraphQLClient):
    people = [await make_job_seeker(profile={"nir": None}) for _ in range(4)]

    answers = await asyncio.gather(*(update(graphql, person, nir=NIR) for person in people))

    kinds = sorted(answer.data["updateJobSeeker"]["__typename"] for answer in answers)
    assert kinds == ["InvalidInput"] * 3 + ["JobSeeker"]


async def test_an_email_of_another_account_is_refused_however_it_is_spelled(graphql: GraphQLClient):
    await make_user(email="prise@exemple.test")
    person = await make_job_seeker()

    assert paths(await update(graphql, person, email="PRISE@exemple.test")) == ["email"]


async def test_an_own_email_may_be_spelled_anew(graphql: GraphQLClient):
    person = await make_job_seeker(email="moi@exemple.test")

    assert changed(await update(graphql, person, email="Moi@exemple.test"))["email"] == "Moi@exemple.test"


# -- what is locked


CERTIFIED = {"firstName": "Autre", "lastName": "Autre", "title": "M", "birthdate": "1990-01-01"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"firstName": "Autre"}, "FIRST_NAME"),
        ({"lastName": "Autre"}, "LAST_NAME"),
        ({"title": "M"}, "TITLE"),
        ({"title": None}, "TITLE"),
        ({"birthdate": "1990-01-01"}, "BIRTHDATE"),
        ({"nir": "not a number"}, "NIR"),
        ({"nir": None}, "NIR"),
        ({"franceTravailId": "7654321Z"}, "FRANCE_TRAVAIL_ID"),
        ({"birthPlaceInseeCode": "57463"}, "BIRTH_PLACE"),
        ({"birthCountryInseeCode": "99352"}, "BIRTH_COUNTRY"),
    ],
)
async def test_what_was_certified_is_locked(graphql: GraphQLClient, given: dict[str, Any], field: str):
    person = await make_job_seeker(profile={"pole_emploi_id": "1234567A"})
    await make_certification(person, CertificationAuthority.API_PARTICULIER)
    before = await snapshot(person)

    found = (await update(graphql, person, phone="0611111111", **given)).data["updateJobSeeker"]

    assert found["__typename"] == "FieldLocked"
    assert (found["code"], found["fields"], found["certifiedBy"]) == ("FIELD_LOCKED", [field], "API_PARTICULIER")
    assert await snapshot(person) == before


async def test_all_locked_fields_are_named_and_staff_is_refused_too(graphql: GraphQLClient):
    person, staff = await make_job_seeker(), await make_user(UserKind.STAFF, is_operator=True)
    await make_certification(person, CertificationAuthority.API_PARTICULIER)

    answer = await graphql(UPDATE, {"input": {"id": gid(person), "phone": "x", **CERTIFIED}}, as_=staff)

    assert answer.data["updateJobSeeker"]["fields"] == ["FIRST_NAME", "LAST_NAME", "BIRTHDATE", "TITLE"]


async def test_a_certified_value_may_be_sent_back_as_it_is(graphql: GraphQLClient):
    person = await make_job_seeker(last_name="Quesnoy-Perrin", profile={"nir": NIR})
    await make_certification(person, CertificationAuthority.API_PARTICULIER)

    found = changed(
        await update(
            graphql, person, firstName=person.first_name, lastName=" Quesnoy-Perrin ", title="MME",
            birthdate="1993-04-12", nir=FULL_NIR, birthCountryInseeCode="99100", birthPlaceInseeCode="69123",
            phone="0611111111",
        )
    )  # fmt: skip

    assert (found["phone"], found["lastName"]) == ("0611111111", "Quesnoy-Perrin")


async def test_a_birth_place_that_was_never_known_may_be_filled_in_after_the_certification(graphql: GraphQLClient):
    person = await make_job_seeker(profile={"birth_country": None, "birth_place": None})
    await make_certification(person, CertificationAuthority.API_PARTICULIER)

    changed(await update(graphql, person, birthCountryInseeCode="99100", birthPlaceInseeCode="57463"))

    found = (await update(graphql, person, birthPlaceInseeCode="69123")).data["updateJobSeeker"]
    assert found["fields"] == ["BIRTH_PLACE"]


async def test_france_travail_locks_nothing(graphql: GraphQLClient):
    person = await make_job_seeker()
    await make_certification(person, CertificationAuthority.FRANCE_TRAVAIL)

    assert changed(await update(graphql, person, lastName="Autre"))["lastName"] == "Autre"


# -- who may


async def test_an_employer_and_an_authorised_prescriber_edit_whom_they_see(graphql: GraphQLClient):
    company, organization = await make_company(), await make_prescriber_organization()
    employer, prescriber = await make_employer(company), await make_prescriber(organization)
    person = await make_job_seeker(subject=None, profile={"created_by_prescriber_organization_id": organization.id})
    await make_job_application(person, company)
    query = UPDATE.replace("nir(format: FULL)", "nir")

    for editor, of, phone in ((employer, company, "0611111111"), (prescriber, organization, "0622222222")):
        answer = await graphql(query, {"input": {"id": gid(person), "phone": phone}}, as_=editor, of=of)
        assert changed(answer)["phone"] == phone


async def test_a_person_out_of_sight_is_as_absent_as_nobody(graphql: GraphQLClient):
    company, person = await make_company(), await make_job_seeker()
    employer, stranger = await make_employer(company), await make_job_seeker()

    for viewer, of in ((employer, company), (stranger, None)):
        answer = await graphql(UPDATE, {"input": {"id": gid(person), "phone": "0611111111"}}, as_=viewer, of=of)
        assert answer.data["updateJobSeeker"] == {"__typename": "NotFound", "code": "NOT_FOUND"}
    assert (await User.get(id=person.id)).phone == "0600000000"


async def test_others_may_not_edit_anybody(graphql: GraphQLClient):
    company, person = await make_company(), await make_job_seeker()
    organization = await make_prescriber_organization(is_authorized=False)
    institution = await make_institution()
    await make_job_application(person, company)
    for viewer, of in (
        (await make_prescriber(organization), organization),
        (await make_labor_inspector(institution), institution),
        (await make_partner_client(company), None),
    ):
        answer = await graphql(UPDATE, {"input": {"id": gid(person), "phone": "0611111111"}}, as_=viewer, of=of)
        assert answer.codes == ["FORBIDDEN"]
    anonymous = await graphql(UPDATE, {"input": {"id": gid(person), "phone": "0611111111"}})
    assert anonymous.codes == ["UNAUTHENTICATED"]
    assert (await User.get(id=person.id)).phone == "0600000000"


@pytest.mark.parametrize(("subject", "is_refused"), [("has-a-login", True), (None, False)])
async def test_the_email_of_somebody_with_a_login_is_theirs_alone(
    graphql: GraphQLClient, subject: str | None, is_refused: bool
):
    company = await make_company()
    employer, person = await make_employer(company), await make_job_seeker(subject=subject)
    await make_job_application(person, company)
    query = UPDATE.replace("nir(format: FULL)", "nir")

    async def ask(email: str) -> Answer:
        return await graphql(query, {"input": {"id": gid(person), "email": email}}, as_=employer, of=company)

    answer = await ask("autre@exemple.test")

    if is_refused:
        assert paths(answer) == ["email"]
        changed(await ask(person.email or ""))
    else:
        assert changed(answer)["email"] == "autre@exemple.test"


# -- what follows


async def test_a_corrected_identity_is_asked_about_again(graphql: GraphQLClient):
    person = await make_job_seeker()
    await give_consent(person)
    answered = datetime.now(UTC) - timedelta(days=1)
    await make_request(
        person, next_attempt_at=None, answered_at=answered, outcome=CertificationResult.IDENTITY_NOT_FOUND
    )

    changed(await update(graphql, person, phone="0611111111"))
    assert (await CertificationRequest.get(job_seeker_id=person.id)).next_attempt_at is None

    changed(await update(graphql, person, lastName="Corrigée"))
    assert (await CertificationRequest.get(job_seeker_id=person.id)).next_attempt_at is not None


async def test_logs_name_fields_and_no_values(graphql: GraphQLClient, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    person = await make_job_seeker(profile={"nir": None})

    with structlog.testing.capture_logs() as logs:
        changed(await update(graphql, person, lastName="Quesnoy", nir=NIR, email="quesnoy@exemple.test"))
        await update(graphql, person, nir="294046912304591", lastName="Q1")

    assert [entry["fields"] for entry in logs if entry["event"] == "job_seeker_updated"] == [
        ["email", "last_name", "nir"]
    ]
    for trace in ("quesnoy", NIR, "294046912304591"):
        assert trace not in f"{logs} {caplog.text}".lower()


async def test_an_update_costs_the_same_whatever_it_changes(graphql: GraphQLClient):
    one, other = await make_job_seeker(), await make_job_seeker()

    few = await update(graphql, one, phone="0611111111")
    many = await update(
        graphql, other, phone="0611111111", firstName="Autre", lastName="Autre", address=ADDRESS, title="MME"
    )

    assert changed(few)["phone"] == changed(many)["phone"]
    assert many.statements - few.statements <= 2  # the profile's own UPDATE, and the question to ask again
