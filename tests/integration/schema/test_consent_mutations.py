"""Consents and certification by API Particulier, as a front end asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import structlog

from execution.engine import GraphQLEngine
from models import Consent, IdentityCertification, User
from models.enums import CertificationAuthority, UserKind
from resolvers.context import Resources
from resolvers.global_ids import encode
from tests.factories import (
    make_certification,
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
    make_partner_client,
    make_prescriber,
    make_prescriber_organization,
    make_user,
)
from tests.integration.schema.client import Answer, GraphQLClient, serve
from tests.integration.services.citizens import certified_at, give_consent, particulier
from tests.unit.clients.api_particulier import Api, refusal

__all__ = ["particulier"]

RECORD = """
mutation ($id: ID!) { recordConsent(jobSeekerId: $id, purpose: IDENTITY_CERTIFICATION) {
  __typename ... on Consent { purpose givenAt withdrawnAt } ... on Error { code }
} }
"""
WITHDRAW = RECORD.replace("recordConsent", "withdrawConsent")
CERTIFY = """
mutation ($id: ID!) { certifyIdentity(input: {jobSeekerId: $id, authority: API_PARTICULIER}) {
  __typename
  ... on IdentityCertified {
    certification { authority certifiedAt }
    jobSeeker { isCertified readonlyFields identityCertifications { authority } }
  }
  ... on ConsentRequired { purpose }
  ... on PartnerUnavailable { partner retryAfterSeconds }
  ... on PartnerRejected { partner partnerCode }
  ... on IdentityNotFound { partnerCode }
  ... on InvalidInput { problems { path message } }
  ... on Error { code message }
} }
"""


def gid(person: User) -> str:
    return encode("JobSeeker", person.id)


def only(answer: Answer) -> dict[str, Any]:
    [found] = answer.data.values()
    return found


@pytest.fixture
async def connected(
    database: object, engine: GraphQLEngine, resources: Resources, particulier: Api
) -> AsyncIterator[GraphQLClient]:
    """A server with access to API Particulier."""
    async with serve(engine, replace(resources, api_particulier=particulier.client)) as client:
        yield client


# -- consents


async def test_a_consent_is_recorded_shown_and_withdrawn(graphql: GraphQLClient):
    person = await make_job_seeker()

    given = only(await graphql(RECORD, {"id": gid(person)}, as_=person))
    assert (given["__typename"], given["purpose"]) == ("Consent", "IDENTITY_CERTIFICATION")
    assert given["withdrawnAt"] is None
    assert only(await graphql(RECORD, {"id": gid(person)}, as_=person)) == {
        "__typename": "Conflict",
        "code": "CONFLICT",
    }

    withdrawn = only(await graphql(WITHDRAW, {"id": gid(person)}, as_=person))
    assert (withdrawn["givenAt"], withdrawn["withdrawnAt"] is not None) == (given["givenAt"], True)
    assert only(await graphql(WITHDRAW, {"id": gid(person)}, as_=person))["__typename"] == "Conflict"

    listed = await graphql("{ viewer { user { id } } jobSeekers { nodes { consents { withdrawnAt } } } }", as_=person)
    assert listed.data["jobSeekers"]["nodes"] == [{"consents": [{"withdrawnAt": withdrawn["withdrawnAt"]}]}]


async def test_whoever_sees_and_may_edit_the_person_records_their_consent(graphql: GraphQLClient):
    company, organization = await make_company(), await make_prescriber_organization()
    employer, prescriber = await make_employer(company), await make_prescriber(organization)
    for editor, of in ((employer, company), (prescriber, organization), (await make_user(UserKind.STAFF), None)):
        person = await make_job_seeker(profile={"created_by_prescriber_organization_id": organization.id})
        await make_job_application(person, company)

        assert only(await graphql(RECORD, {"id": gid(person)}, as_=editor, of=of))["__typename"] == "Consent"

        assert (await Consent.get(job_seeker_id=person.id)).given_by_id == editor.id


async def test_nobody_records_or_withdraws_the_consent_of_people_out_of_sight(graphql: GraphQLClient):
    company, person = await make_company(), await make_job_seeker()
    consented = await make_job_seeker()
    await give_consent(consented)
    for viewer, of in ((await make_employer(company), company), (await make_job_seeker(), None)):
        for mutation, target in ((RECORD, person), (WITHDRAW, consented)):
            answer = only(await graphql(mutation, {"id": gid(target)}, as_=viewer, of=of))
            assert answer == {"__typename": "NotFound", "code": "NOT_FOUND"}
    assert not await Consent.filter(job_seeker_id=person.id).exists()
    assert (await Consent.get(job_seeker_id=consented.id)).withdrawn_at is None


@pytest.mark.parametrize("mutation", [RECORD, WITHDRAW, CERTIFY])
async def test_prescribers_without_authorisation_partners_and_strangers_may_not(graphql: GraphQLClient, mutation: str):
    company, person = await make_company(), await make_job_seeker()
    organization = await make_prescriber_organization(is_authorized=False)
    prescriber = await make_prescriber(organization)
    await make_job_application(person, company, sender=prescriber)

    assert (await graphql(mutation, {"id": gid(person)}, as_=prescriber, of=organization)).codes == ["FORBIDDEN"]
    assert (await graphql(mutation, {"id": gid(person)}, as_=await make_partner_client(company))).codes == ["FORBIDDEN"]
    assert (await graphql(mutation, {"id": gid(person)})).codes == ["UNAUTHENTICATED"]


# -- certification


async def test_a_certified_person_is_shown_with_what_is_locked_from_now_on(connected: GraphQLClient, particulier: Api):
    person = await make_job_seeker()
    await give_consent(person)

    found = only(await connected(CERTIFY, {"id": gid(person)}, as_=person))

    assert found["__typename"] == "IdentityCertified"
    assert found["certification"]["authority"] == "API_PARTICULIER"
    assert found["jobSeeker"]["isCertified"] is True
    assert found["jobSeeker"]["identityCertifications"] == [{"authority": "API_PARTICULIER"}]
    assert found["jobSeeker"]["readonlyFields"] == [
        *("FIRST_NAME", "LAST_NAME", "BIRTHDATE", "NIR", "BIRTH_PLACE", "BIRTH_COUNTRY", "TITLE"),
    ]
    assert particulier.rsa.call_count == 1


@pytest.mark.parametrize(
    ("profile", "unlocked"),
    [
        ({}, set[str]()),
        ({"birth_place": None}, {"BIRTH_PLACE", "BIRTH_COUNTRY"}),
        ({"birth_country": None, "birth_place": None}, {"BIRTH_PLACE", "BIRTH_COUNTRY"}),
        ({"birth_country": "99352", "birth_place": None}, set[str]()),
        ({"nir": None}, {"NIR"}),
    ],
)
async def test_the_locked_fields_are_those_that_were_known(
    graphql: GraphQLClient, profile: dict[str, Any], unlocked: set[str]
):
    person = await make_job_seeker(profile=profile)
    await make_certification(person, CertificationAuthority.API_PARTICULIER)

    answer = await graphql(
        "query ($id: ID!) { jobSeeker(id: $id) { readonlyFields } }", {"id": gid(person)}, as_=person
    )

    every = {"FIRST_NAME", "LAST_NAME", "BIRTHDATE", "NIR", "BIRTH_PLACE", "BIRTH_COUNTRY", "TITLE"}
    assert set(answer.data["jobSeeker"]["readonlyFields"]) == every - unlocked


async def test_without_consent_the_person_is_not_asked_about(connected: GraphQLClient, particulier: Api):
    person = await make_job_seeker()

    found = only(await connected(CERTIFY, {"id": gid(person)}, as_=person))

    assert (found["__typename"], found["code"]) == ("ConsentRequired", "CONSENT_REQUIRED")
    assert found["purpose"] == "IDENTITY_CERTIFICATION"
    assert not particulier.rsa.called


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            httpx.Response(422, json=refusal("00366")),
            {"__typename": "IdentityNotFound", "code": "NOT_FOUND", "partnerCode": "00366"},
        ),
        (
            httpx.Response(502, json=refusal("37999")),
            {"__typename": "PartnerRejected", "partner": "API_PARTICULIER", "partnerCode": "37999"},
        ),
        (
            httpx.Response(429, json=refusal("00429"), headers={"Retry-After": "42"}),
            {"__typename": "PartnerUnavailable", "partner": "API_PARTICULIER", "retryAfterSeconds": 42},
        ),
        (
            httpx.Response(401, json=refusal("00103")),
            {"__typename": "PartnerUnavailable", "code": "PARTNER_UNAVAILABLE", "retryAfterSeconds": None},
        ),
    ],
    ids=["422", "502", "429", "401"],
)
async def test_an_answer_without_a_person_says_what_to_do_and_repeats_no_word_of_the_partner(
    connected: GraphQLClient, particulier: Api, response: httpx.Response, expected: dict[str, Any]
):
    person = await make_job_seeker()
    await give_consent(person)
    particulier.rsa.mock(return_value=response)

    answer = await connected(CERTIFY, {"id": gid(person)}, as_=person)

    assert expected.items() <= only(answer).items()
    assert "Dossier" not in str(answer.body)
    assert await certified_at(person) is None


async def test_what_is_missing_is_said_at_the_field_that_stands_for_the_person(connected: GraphQLClient):
    person = await make_job_seeker(title=None)
    await give_consent(person)

    found = only(await connected(CERTIFY, {"id": gid(person)}, as_=person))

    assert [problem["path"] for problem in found["problems"]] == [["jobSeekerId"]]


async def test_a_server_without_access_to_api_particulier_says_so(graphql: GraphQLClient):
    person = await make_job_seeker()
    await give_consent(person)

    found = only(await graphql(CERTIFY, {"id": gid(person)}, as_=person))

    assert (found["__typename"], found["code"]) == ("PartnerUnavailable", "NOT_CONFIGURED")
    assert found["partner"] == "API_PARTICULIER"


async def test_an_unforeseen_fault_tells_nothing_about_the_person(
    connected: GraphQLClient, particulier: Api, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    person = await make_job_seeker(first_name="Maëlle", last_name="Quesnoy-Perrin")
    await give_consent(person)
    particulier.rsa.mock(side_effect=RuntimeError("Quesnoy-Perrin 1993-04-12"))

    with structlog.testing.capture_logs() as logs:
        answer = await connected(CERTIFY, {"id": gid(person)}, as_=person)

    assert answer.codes == ["INTERNAL"]
    ours = [record.getMessage() for record in caplog.records if "tortoise" not in record.name]
    for trace in ("quesnoy", "maëlle", "1993-04", "invented.jwt"):
        assert trace not in f"{answer.body} {logs} {ours}".lower()
    assert not await IdentityCertification.all().exists()
