"""sendDiagorienteInvitation as a front end calls it, and the mail that comes of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from execution.engine import GraphQLEngine
from models import Company, JobApplication, Mail, PrescriberOrganization, User
from models.enums import DiagorienteRecipient, JobApplicationState, SenderKind, Title
from resolvers.context import Resources
from resolvers.global_ids import encode
from services.diagoriente import DiagorienteLinks
from services.mails import send_due_mails
from tests.factories import (
    make_company,
    make_employer,
    make_institution,
    make_job_application,
    make_job_seeker,
    make_labor_inspector,
    make_prescriber,
    make_prescriber_organization,
)
from tests.integration.relay import Relay, mail_relay
from tests.integration.schema.client import Answer, GraphQLClient, serve
from webhooks.diagoriente import diagoriente_route

TARGET = "https://diagoriente.beta.gouv.fr/services/plateforme?utm_source=emploi-inclusion-employeur"
LINKS = DiagorienteLinks(
    service_url="https://diagoriente.beta.gouv.fr/services/plateforme", public_url="https://traverse.exemple.test"
)
INVITE = """
mutation Invite($id: ID!) {
  sendDiagorienteInvitation(jobApplicationId: $id) {
    __typename
    ... on DiagorienteInvitation { status recipient sentAt openedAt }
    ... on Error { message code }
    ... on InvalidInput { problems { path } }
  }
}
"""
READ = "query($id: ID!) { jobApplication(id: $id) { diagorienteInvitation { status recipient sentAt openedAt } } }"


@pytest.fixture
def resources(resources: Resources) -> Resources:
    return replace(resources, diagoriente=LINKS)


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with mail_relay() as relay:
        yield relay


@pytest.fixture
async def browser(database: object) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[diagoriente_route(LINKS)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://traverse.exemple.test") as http:
        yield http


@pytest.fixture
async def company(database: object) -> Company:
    return await make_company(name="SARL Inventée", brand="L'Atelier Imaginaire")


@pytest.fixture
async def employer(company: Company) -> User:
    return await make_employer(company)


async def from_prescriber(company: Company, *, is_authorized: bool = True, **sender: Any) -> JobApplication:
    organization = await make_prescriber_organization(is_authorized=is_authorized)
    details = {"last_name": "Inventée", "first_name": "Camille", "title": Title.MME} | sender
    return await make_job_application(
        await make_job_seeker(last_name="Fictive", first_name="Zélie"),
        company,
        sender_kind=SenderKind.PRESCRIBER,
        sender=await make_prescriber(organization, **details),
        sender_prescriber_organization=organization,
    )


async def invite(graphql: GraphQLClient, application: JobApplication, as_: User, of: Any) -> Answer:
    return await graphql(INVITE, {"id": encode("JobApplication", application.id)}, as_=as_, of=of)


async def sent_mails(relay: Relay) -> list[dict[str, Any]]:
    await send_due_mails(client=relay.client)
    return await relay.mails()


def link_of(mail: dict[str, Any]) -> str:
    [link] = set(re.findall(r"https://[^\s\"<]+", mail["text"] + mail["html"]))
    return link


async def test_an_authorised_prescriber_is_invited_and_reads_the_whole_name(
    graphql: GraphQLClient, relay: Relay, company: Company, employer: User, rung: list[tuple[str, UUID]]
):
    application = await from_prescriber(company, email="camille@exemple.test")

    answer = (await invite(graphql, application, employer, company)).data["sendDiagorienteInvitation"]

    assert (answer["status"], answer["recipient"], answer["openedAt"]) == ("SENT", "PRESCRIBER", None)
    assert answer["sentAt"] is not None
    assert rung == [("send_mail", (await Mail.get()).id)]
    [mail] = await sent_mails(relay)
    assert mail["recipients"] == ["camille@exemple.test"]
    assert mail["subject"] == "Créer un CV avec Diagoriente"
    for part in (mail["text"], mail["html"].replace("&#x27;", "'")):
        assert "Bonjour Madame INVENTÉE," in part
        assert "L'Atelier Imaginaire" in part
        assert "FICTIVE Zélie" in part
        assert "SARL" not in part
    read = await graphql(READ, {"id": encode("JobApplication", application.id)}, as_=employer, of=company)
    assert read.data["jobApplication"]["diagorienteInvitation"]["status"] == "SENT"


async def test_a_prescriber_who_is_not_authorised_reads_a_masked_name(
    graphql: GraphQLClient, relay: Relay, company: Company, employer: User
):
    application = await from_prescriber(company, is_authorized=False, title=None)

    await invite(graphql, application, employer, company)

    [mail] = await sent_mails(relay)
    for part in (mail["text"], mail["html"]):
        assert "F… Z…" in part
        assert "Bonjour INVENTÉE Camille," in part
        assert "fictive" not in part.lower()
        assert "zélie" not in part.lower()


async def test_a_prescriber_who_has_left_the_organisation_reads_a_masked_name(
    graphql: GraphQLClient, relay: Relay, company: Company, employer: User
):
    application = await from_prescriber(company)
    assert application.sender is not None
    await application.sender.memberships.all().update(ended_at=application.created_at)  # pyright: ignore[reportAttributeAccessIssue]: a reverse relation

    await invite(graphql, application, employer, company)

    [mail] = await sent_mails(relay)
    assert "F… Z…" in mail["text"]


async def test_a_job_seeker_who_applied_is_invited_for_themself(
    graphql: GraphQLClient, relay: Relay, company: Company, employer: User
):
    job_seeker = await make_job_seeker(last_name="Fictive", first_name="Zélie", email="zelie@exemple.test")
    application = await make_job_application(job_seeker, company)

    answer = (await invite(graphql, application, employer, company)).data["sendDiagorienteInvitation"]

    assert (answer["status"], answer["recipient"]) == ("SENT", "JOB_SEEKER")
    [mail] = await sent_mails(relay)
    assert mail["recipients"] == ["zelie@exemple.test"]
    assert "Bonjour Madame FICTIVE," in mail["text"]
    assert "créer votre compte" in mail["text"]
    assert "qui vous accompagne" in mail["text"]
    assert "Zélie" not in mail["text"]


@pytest.mark.parametrize("applied_there", [True, False])
async def test_another_employer_who_oriented_the_person_is_invited_like_a_prescriber(
    graphql: GraphQLClient, relay: Relay, company: Company, employer: User, applied_there: bool
):
    other_company = await make_company()
    job_seeker = await make_job_seeker(last_name="Fictive", first_name="Zélie")
    if applied_there:
        await make_job_application(job_seeker, other_company)
    other = await make_employer(other_company, email="autre@exemple.test")
    application = await make_job_application(
        job_seeker, company, sender_kind=SenderKind.EMPLOYER, sender=other, sender_company=other_company
    )

    answer = (await invite(graphql, application, employer, company)).data["sendDiagorienteInvitation"]

    assert answer["recipient"] == "PRESCRIBER"
    [mail] = await sent_mails(relay)
    assert mail["recipients"] == ["autre@exemple.test"]
    assert ("FICTIVE Zélie" if applied_there else "F… Z…") in mail["text"]


async def test_an_application_with_a_resume_needs_no_invitation(
    graphql: GraphQLClient, relay: Relay, company: Company, employer: User
):
    application = await make_job_application(company=company, has_resume=True)

    answer = (await invite(graphql, application, employer, company)).data["sendDiagorienteInvitation"]

    assert (answer["__typename"], answer["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert answer["problems"] == [{"path": ["jobApplicationId"]}]
    await application.refresh_from_db()
    assert application.diagoriente_invite_sent_at is None
    assert await sent_mails(relay) == []


async def test_a_second_invitation_is_a_conflict_that_says_when_the_first_was(
    graphql: GraphQLClient, relay: Relay, company: Company, employer: User
):
    application = await make_job_application(company=company)
    await invite(graphql, application, employer, company)
    await application.refresh_from_db()
    first = application.diagoriente_invite_sent_at
    assert first is not None

    answer = (await invite(graphql, application, employer, company)).data["sendDiagorienteInvitation"]

    assert (answer["__typename"], answer["code"]) == ("Conflict", "CONFLICT")
    assert re.search(r"\d\d/\d\d/\d{4}", answer["message"])
    await application.refresh_from_db()
    assert application.diagoriente_invite_sent_at == first
    assert len(await sent_mails(relay)) == 1


async def test_ten_clicks_at_once_send_one_mail(graphql: GraphQLClient, relay: Relay, company: Company, employer: User):
    application = await make_job_application(company=company)

    answers = await asyncio.gather(*(invite(graphql, application, employer, company) for _ in range(10)))

    names = [answer.data["sendDiagorienteInvitation"]["__typename"] for answer in answers]
    assert sorted(names) == ["Conflict"] * 9 + ["DiagorienteInvitation"]
    assert len(await sent_mails(relay)) == 1


async def test_whoever_is_no_employer_of_the_company_may_not(graphql: GraphQLClient, relay: Relay, company: Company):
    application = await from_prescriber(company)
    assert application.sender is not None
    other_company = await make_company()
    organization = await PrescriberOrganization.get(id=application.sender_prescriber_organization_id)
    institution = await make_institution()

    refused = [
        await invite(graphql, application, await User.get(id=application.job_seeker_id), None),
        await invite(graphql, application, application.sender, organization),
        await invite(graphql, application, await make_labor_inspector(institution), institution),
    ]
    hidden = await invite(graphql, application, await make_employer(other_company), other_company)
    stranger = await graphql(INVITE, {"id": encode("JobApplication", application.id)})

    assert [answer.codes for answer in refused] == [["FORBIDDEN"]] * 3
    assert hidden.data["sendDiagorienteInvitation"]["__typename"] == "NotFound"
    assert stranger.codes == ["UNAUTHENTICATED"]
    assert await sent_mails(relay) == []


@pytest.mark.parametrize("email", [None, "", "pas une adresse"])
async def test_a_sender_without_an_address_cannot_be_invited(
    graphql: GraphQLClient, relay: Relay, company: Company, employer: User, email: str | None
):
    application = await from_prescriber(company, email=email)

    answer = (await invite(graphql, application, employer, company)).data["sendDiagorienteInvitation"]

    assert answer["__typename"] == "InvalidInput"
    assert await sent_mails(relay) == []


async def test_nobody_is_written_to_in_the_place_of_a_sender_who_is_gone(
    graphql: GraphQLClient, relay: Relay, company: Company, employer: User
):
    application = await make_job_application(company=company, sender_kind=SenderKind.PRESCRIBER, sender=None)

    answer = (await invite(graphql, application, employer, company)).data["sendDiagorienteInvitation"]

    assert answer["__typename"] == "InvalidInput"
    await application.refresh_from_db()
    assert application.diagoriente_invite_sent_at is None
    assert await sent_mails(relay) == []


async def test_each_application_of_a_person_has_an_invitation_of_its_own_in_any_state(
    graphql: GraphQLClient, relay: Relay, company: Company, employer: User
):
    job_seeker = await make_job_seeker()
    for state in (JobApplicationState.REFUSED, JobApplicationState.NEW):
        application = await make_job_application(job_seeker, company, state=state)
        answer = await invite(graphql, application, employer, company)
        assert answer.data["sendDiagorienteInvitation"]["status"] == "SENT"

    first, second = await sent_mails(relay)

    assert link_of(first) != link_of(second)


async def test_without_a_relay_nobody_is_invited(
    engine: GraphQLEngine, resources: Resources, company: Company, employer: User
):
    application = await make_job_application(company=company)

    async with serve(engine, replace(resources, diagoriente=None)) as graphql:
        answer = await invite(graphql, application, employer, company)

    assert answer.data["sendDiagorienteInvitation"]["code"] == "NOT_CONFIGURED"
    await application.refresh_from_db()
    assert application.diagoriente_invite_sent_at is None


async def test_the_link_leads_to_diagoriente_and_marks_the_first_time_only(
    graphql: GraphQLClient, relay: Relay, browser: httpx.AsyncClient, company: Company, employer: User
):
    application = await make_job_application(company=company)
    await invite(graphql, application, employer, company)
    [mail] = await sent_mails(relay)
    link = link_of(mail)
    key = {"id": encode("JobApplication", application.id)}

    async def invitation() -> dict[str, Any]:
        answer = await graphql(READ, key, as_=employer, of=company)
        return answer.data["jobApplication"]["diagorienteInvitation"]

    unmarked = [
        await browser.head(link),
        await browser.get(link, headers={"Purpose": "prefetch"}),
        await browser.get(link, headers={"Sec-Purpose": "prefetch;prerender"}),
        await browser.get(f"{link}/https://evil.test"),
        await browser.get("/go/diagoriente/AAAAAAAAAAAAAAAAAAAAAA"),
        await browser.get("/go/diagoriente/%00"),
    ]
    before = await invitation()
    followed = [await browser.get(f"{link}?url=https://evil.test")]
    opened = await invitation()
    followed.append(await browser.get(link))
    opened_again = await invitation()

    assert re.fullmatch(r"https://traverse\.exemple\.test/go/diagoriente/[\w-]{22}", link)
    assert {answer.status_code for answer in (*unmarked, *followed)} == {302}
    assert {answer.headers["location"] for answer in (*unmarked, *followed)} == {TARGET}
    assert {answer.headers["cache-control"] for answer in followed} == {"no-store"}
    assert {answer.headers["referrer-policy"] for answer in followed} == {"no-referrer"}
    assert (before["status"], before["openedAt"]) == ("SENT", None)
    assert opened["status"] == "OPENED"
    assert opened_again == opened
    assert (await browser.post(link)).status_code == 405


async def test_a_resume_that_comes_later_leaves_the_status_as_it_is(
    graphql: GraphQLClient, company: Company, employer: User
):
    application = await make_job_application(company=company)
    await invite(graphql, application, employer, company)
    await application.refresh_from_db()
    assert application.diagoriente_invite_sent_at is not None
    opened_at = application.diagoriente_invite_sent_at + timedelta(minutes=5)
    await JobApplication.filter(id=application.id).update(has_resume=True, diagoriente_opened_at=opened_at)

    again = await invite(graphql, application, employer, company)
    read = await graphql(READ, {"id": encode("JobApplication", application.id)}, as_=employer, of=company)

    assert again.data["sendDiagorienteInvitation"]["__typename"] == "InvalidInput"
    assert read.data["jobApplication"]["diagorienteInvitation"]["status"] == "OPENED"


async def test_without_an_address_of_our_own_the_mail_leads_straight_to_diagoriente(
    engine: GraphQLEngine, resources: Resources, relay: Relay, company: Company, employer: User
):
    application = await make_job_application(company=company)

    async with serve(engine, replace(resources, diagoriente=replace(LINKS, public_url=None))) as graphql:
        await invite(graphql, application, employer, company)

    [mail] = await sent_mails(relay)
    assert link_of(mail) == TARGET


async def test_neither_logs_nor_rows_tell_the_token_or_a_name(
    graphql: GraphQLClient, relay: Relay, browser: httpx.AsyncClient, company: Company, employer: User
):
    application = await from_prescriber(company, email="camille@exemple.test")

    with capture_logs() as logs:
        await invite(graphql, application, employer, company)
        [mail] = await sent_mails(relay)
        await browser.get(link_of(mail))

    token = link_of(mail).rpartition("/")[2]
    await application.refresh_from_db()
    assert application.diagoriente_token_hash not in (None, token)
    assert application.diagoriente_recipient is DiagorienteRecipient.PRESCRIBER
    for secret in (token, "camille", "Fictive", "FICTIVE", "Zélie", "Inventée", "INVENTÉE"):
        assert secret not in str(logs)
