"""inviteToAppointment as a front end calls it: who may, what comes back, and what is to be read afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from execution.engine import GraphQLEngine
from models import Company, InvitationAttempt, JobApplication, User
from resolvers.context import Resources
from resolvers.global_ids import encode
from services.appointments.inviting import Inviting
from tests.factories import (
    make_employer,
    make_job_application,
    make_partner_client,
    make_prescriber,
    make_prescriber_organization,
    make_user,
)
from tests.integration.schema.client import Answer, GraphQLClient, serve
from tests.integration.services.inviters import make_candidate, make_linked_company, make_request
from tests.unit.clients.rdv_insertion import INVITED, FakeRDV, fake_rdv

INVITE = """
mutation Invite($id: ID!, $category: String) {
  inviteToAppointment(jobApplicationId: $id, reasonCategory: $category) {
    __typename
    ... on InvitationRequest {
      id createdAt reasonCategory company { name } jobSeeker { lastName }
      invitations { kind status deliveredAt }
    }
    ... on Error { message code }
    ... on InvalidInput { problems { path message } }
    ... on TooSoon { availableAt }
    ... on PartnerRejected { partner partnerCode }
    ... on PartnerUnavailable { partner retryAfterSeconds }
  }
}
"""
READ = """
query($id: ID!) {
  jobApplication(id: $id) { canInvite invitationRequests { nodes { id invitations { kind status } } } }
}
"""


@pytest.fixture
async def rdv(database: object) -> AsyncIterator[FakeRDV]:
    async with fake_rdv() as rdv:
        yield rdv


@pytest.fixture
def resources(resources: Resources, rdv: FakeRDV) -> Resources:
    return replace(resources, inviting=Inviting(rdv.client))


@pytest.fixture
async def company(database: object) -> Company:
    return await make_linked_company(name="Atelier Inventé")


@pytest.fixture
async def employer(company: Company) -> User:
    return await make_employer(company)


@pytest.fixture
async def application(company: Company) -> JobApplication:
    return await make_job_application(await make_candidate(), company)


async def invite(
    graphql: GraphQLClient, application: JobApplication, as_: User | None, of: Any, **variables: Any
) -> Answer:
    return await graphql(INVITE, {"id": encode("JobApplication", application.id)} | variables, as_=as_, of=of)


async def outcome_of(graphql: GraphQLClient, application: JobApplication, as_: User, of: Any) -> dict[str, Any]:
    return (await invite(graphql, application, as_, of)).data["inviteToAppointment"]


async def test_an_employer_invites_and_reads_what_was_sent(
    graphql: GraphQLClient, company: Company, employer: User, application: JobApplication
):
    key = {"id": encode("JobApplication", application.id)}
    before = (await graphql(READ, key, as_=employer, of=company)).data["jobApplication"]

    invited = await outcome_of(graphql, application, employer, company)

    assert invited["__typename"] == "InvitationRequest"
    assert (invited["company"], invited["jobSeeker"]) == ({"name": "Atelier Inventé"}, {"lastName": "Fictive"})
    assert invited["reasonCategory"] == "siae_interview"
    messages = [{"kind": kind, "status": "SENT", "deliveredAt": None} for kind in ("EMAIL", "SMS")]
    assert invited["invitations"] == messages
    after = (await graphql(READ, key, as_=employer, of=company)).data["jobApplication"]
    assert (before["canInvite"], after["canInvite"]) == (True, False)
    assert [node["id"] for node in after["invitationRequests"]["nodes"]] == [invited["id"]]
    assert (await InvitationAttempt.get()).requested_by_id == employer.id


async def test_a_second_click_is_told_when_the_next_invitation_is_possible(
    graphql: GraphQLClient, company: Company, employer: User, application: JobApplication, rdv: FakeRDV
):
    answers = await asyncio.gather(*(outcome_of(graphql, application, employer, company) for _ in range(2)))

    [request] = [answer for answer in answers if answer["__typename"] == "InvitationRequest"]
    [held] = [answer for answer in answers if answer["__typename"] == "TooSoon"]
    created_at, available_at = (datetime.fromisoformat(each) for each in (request["createdAt"], held["availableAt"]))
    assert available_at - created_at == timedelta(days=10)
    assert held["code"] == "TOO_SOON"
    assert "Nouvelle invitation possible le" in held["message"]
    assert rdv.invite.call_count == 1


async def test_what_is_to_be_invited_again_may_be_invited(
    graphql: GraphQLClient, company: Company, employer: User, application: JobApplication
):
    await make_request(application, created_at=datetime.now(UTC) - timedelta(days=10))

    assert (await outcome_of(graphql, application, employer, company))["__typename"] == "InvitationRequest"


async def test_the_hold_of_this_server_decides_what_can_be_invited(
    database: object,
    engine: GraphQLEngine,
    resources: Resources,
    company: Company,
    employer: User,
    application: JobApplication,
    rdv: FakeRDV,
):
    hold = timedelta(days=3)
    short = replace(resources, inviting=Inviting(rdv.client, hold=hold), invitation_hold=hold)
    await make_request(application, created_at=datetime.now(UTC) - timedelta(days=4))

    async with serve(engine, short) as client:
        read = await client(READ, {"id": encode("JobApplication", application.id)}, as_=employer, of=company)
        outcome = await outcome_of(client, application, employer, company)

    assert read.data["jobApplication"]["canInvite"] is True
    assert outcome["__typename"] == "InvitationRequest"


async def test_a_category_may_be_given_and_null_means_an_interview(
    graphql: GraphQLClient, company: Company, employer: User, application: JobApplication, rdv: FakeRDV
):
    other = await make_job_application(await make_candidate(email="autre@exemple.test"), company)

    asked = await invite(graphql, application, employer, company, category="siae_follow_up")
    null = await invite(graphql, other, employer, company, category=None)

    assert asked.data["inviteToAppointment"]["reasonCategory"] == "siae_follow_up"
    assert null.data["inviteToAppointment"]["reasonCategory"] == "siae_interview"
    assert rdv.invited_person["invitation"] == {"motif_category": {"short_name": "siae_interview"}}


async def test_the_words_of_a_refusal_reach_the_employer_as_plain_text(
    graphql: GraphQLClient, company: Company, employer: User, application: JobApplication, rdv: FakeRDV
):
    words = "Zélie Fictive a <b>déjà</b> un rendez-vous<script>alert(1)</script>"
    rdv.invite.respond(422, json={"success": False, "errors": [{"error_details": words}, {"error_details": "Autre"}]})

    refused = await outcome_of(graphql, application, employer, company)

    assert refused == {
        "__typename": "PartnerRejected",
        "message": "RDV-Insertion a refusé l'invitation : Zélie Fictive a déjà un rendez-vous ; Autre",
        "code": "PARTNER_REJECTED",
        "partner": "RDV_INSERTION",
        "partnerCode": "422",
    }


async def test_a_refusal_without_words_says_at_least_that_it_is_one(
    graphql: GraphQLClient, company: Company, employer: User, application: JobApplication, rdv: FakeRDV
):
    rdv.invite.respond(422, html="<h1>422</h1>")

    refused = await outcome_of(graphql, application, employer, company)

    assert (refused["__typename"], refused["message"]) == ("PartnerRejected", "RDV-Insertion a refusé l'invitation.")


async def test_too_many_calls_are_told_with_the_time_to_wait(
    graphql: GraphQLClient, company: Company, employer: User, application: JobApplication, rdv: FakeRDV
):
    rdv.invite.respond(429, headers={"Retry-After": "300"}, json={"error": "Rate limit exceeded"})

    away = await outcome_of(graphql, application, employer, company)

    assert (away["__typename"], away["retryAfterSeconds"]) == ("PartnerUnavailable", 300)
    assert "rien n'a été envoyé" in away["message"]


async def test_a_lost_answer_is_told_as_such_and_the_next_click_as_well(
    graphql: GraphQLClient, company: Company, employer: User, application: JobApplication, rdv: FakeRDV
):
    rdv.invite.side_effect = [httpx.ReadTimeout("late"), httpx.Response(200, json=INVITED)]

    lost = await outcome_of(graphql, application, employer, company)
    again = await outcome_of(graphql, application, employer, company)

    assert (lost["__typename"], lost["retryAfterSeconds"]) == ("PartnerUnavailable", None)
    assert "peut-être partie" in lost["message"]
    assert again["__typename"] == "PartnerUnavailable"
    assert 3590 <= again["retryAfterSeconds"] <= 3600
    assert rdv.invite.call_count == 1


async def test_what_is_missing_of_the_person_is_named(
    graphql: GraphQLClient, company: Company, employer: User, rdv: FakeRDV
):
    application = await make_job_application(await make_candidate(title=None), company)

    invalid = await outcome_of(graphql, application, employer, company)

    assert [problem["path"] for problem in invalid["problems"]] == [["jobApplicationId", "jobSeeker", "title"]]
    assert not rdv.router.calls


async def test_without_access_to_rdv_insertion_nothing_is_configured(
    database: object, engine: GraphQLEngine, resources: Resources, company: Company, employer: User,
    application: JobApplication,
):  # fmt: skip
    async with serve(engine, replace(resources, inviting=None)) as client:
        off = await outcome_of(client, application, employer, company)

    assert (off["__typename"], off["code"]) == ("NotConfigured", "NOT_CONFIGURED")


async def test_a_company_that_is_not_linked_is_not_configured(graphql: GraphQLClient, rdv: FakeRDV):
    company = await make_linked_company(rdv_solidarites_id=None)
    application = await make_job_application(await make_candidate(), company)

    off = await outcome_of(graphql, application, await make_employer(company), company)

    assert off["__typename"] == "NotConfigured"
    assert "RDV-Solidarités" in off["message"]
    assert not rdv.router.calls


async def test_another_company_s_application_is_not_found(
    graphql: GraphQLClient, application: JobApplication, rdv: FakeRDV
):
    other = await make_linked_company(rdv_solidarites_id=None)

    hidden = await outcome_of(graphql, application, await make_employer(other), other)

    assert hidden["__typename"] == "NotFound"
    assert not rdv.router.calls


async def test_nobody_but_an_employer_invites(graphql: GraphQLClient, application: JobApplication, rdv: FakeRDV):
    organization = await make_prescriber_organization()
    askers: list[tuple[Any, Any]] = [
        (await application.job_seeker, None),
        (await make_prescriber(organization), organization),
        (await make_user(kind="staff", is_operator=True), None),  # pyright: ignore[reportArgumentType]: the value of an enum
        (await make_partner_client(await application.company), None),
    ]

    codes = [(await invite(graphql, application, who, of)).codes for who, of in askers]

    assert codes == [["FORBIDDEN"]] * 4
    assert (await invite(graphql, application, None, None)).codes == ["UNAUTHENTICATED"]
    assert not rdv.router.calls
