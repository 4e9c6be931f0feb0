"""requestSurvey and surveyStatistics, as front ends call them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from execution.engine import GraphQLEngine
from models import JobApplication, Mail, Survey, UnlinkedSurveyAnswer, User
from models.enums import JobApplicationState, MailTemplate, SurveyKind, SurveyStatus, UserKind
from resolvers.context import Resources
from resolvers.global_ids import encode
from services.mails import send_due_mails
from tests.factories import (
    make_company,
    make_employer,
    make_institution,
    make_job_application,
    make_labor_inspector,
    make_prescriber,
    make_prescriber_organization,
    make_user,
)
from tests.integration.relay import Relay, mail_relay
from tests.integration.schema.client import Answer, GraphQLClient, Organization, serve
from tests.integration.services.hirings import PLAN, Hiring, make_hiring

REQUEST = """
mutation Request($id: ID!, $kind: SurveyKind!) {
  requestSurvey(jobApplicationId: $id, kind: $kind) {
    __typename
    ... on Survey { id kind status sentAt answeredAt url jobApplication { id } }
    ... on Error { message code }
  }
}
"""
STATISTICS = """
query Count($from: Date, $to: Date) {
  surveyStatistics(from: $from, to: $to) { kind sent answered answeredWithoutLink answerRate }
}
"""
EMPLOYER, JOB_SEEKER, PRESCRIBER = SurveyKind


@pytest.fixture
def resources(resources: Resources) -> Resources:
    return replace(resources, surveys=PLAN)


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with mail_relay() as relay:
        yield relay


async def ask(
    graphql: GraphQLClient, application: JobApplication, kind: SurveyKind, as_: User | None, of: Organization | None
) -> Answer:
    return await graphql(REQUEST, {"id": encode("JobApplication", application.id), "kind": kind.name}, as_=as_, of=of)


async def asked_by_its_own(graphql: GraphQLClient, hiring: Hiring, kind: SurveyKind) -> Answer:
    """The one whom a survey of that kind asks, asks for it."""
    match kind:
        case SurveyKind.POST_HIRING_EMPLOYER:
            return await ask(graphql, hiring.application, kind, hiring.employer, hiring.company)
        case SurveyKind.POST_HIRING_JOB_SEEKER:
            return await ask(graphql, hiring.application, kind, hiring.job_seeker, None)
        case _:
            return await ask(graphql, hiring.application, kind, hiring.prescriber, hiring.organization)


@pytest.mark.parametrize(
    ("kind", "recipient", "template"),
    [
        (EMPLOYER, "emma@exemple.test", MailTemplate.SURVEY_EMPLOYER),
        (JOB_SEEKER, "zelie@exemple.test", MailTemplate.SURVEY_JOB_SEEKER),
        (PRESCRIBER, "camille@exemple.test", MailTemplate.SURVEY_PRESCRIBER),
    ],
)
async def test_whom_a_survey_asks_gets_it_by_mail_and_as_a_link(
    graphql: GraphQLClient,
    relay: Relay,
    rung: list[tuple[str, UUID]],
    kind: SurveyKind,
    recipient: str,
    template: MailTemplate,
):
    hiring = await make_hiring()

    answer = (await asked_by_its_own(graphql, hiring, kind)).data["requestSurvey"]

    survey, mail = await Survey.get(), await Mail.get()
    assert (answer["kind"], answer["status"], answer["answeredAt"]) == (kind.name, "SENT", None)
    assert answer["jobApplication"] == {"id": encode("JobApplication", hiring.application.id)}
    assert answer["url"].endswith(f"&ref={survey.reference}")
    assert survey.sent_at is not None
    assert (mail.template, mail.subject_id) == (template, survey.id)
    assert rung == [("send_mail", mail.id)]
    await send_due_mails(client=relay.client)
    [sent] = await relay.mails()
    assert sent["recipients"] == [recipient]
    assert answer["url"] in sent["text"]
    assert "Zélie" not in sent["text"] + sent["html"]


@pytest.mark.parametrize("kind", SurveyKind)
async def test_the_second_time_is_a_conflict_that_says_when_the_first_was(graphql: GraphQLClient, kind: SurveyKind):
    hiring = await make_hiring()
    first = (await asked_by_its_own(graphql, hiring, kind)).data["requestSurvey"]
    before = await Survey.get()

    second = (await asked_by_its_own(graphql, hiring, kind)).data["requestSurvey"]

    assert (first["__typename"], second["__typename"], second["code"]) == ("Survey", "Conflict", "CONFLICT")
    assert f"{before.sent_at:%Y}" in second["message"]
    assert (await Survey.get()).reference == before.reference
    assert await Mail.all().count() == 1


async def test_of_requests_at_once_one_is_sent_and_the_reference_is_kept(graphql: GraphQLClient):
    hiring = await make_hiring()

    answers = await asyncio.gather(*(asked_by_its_own(graphql, hiring, EMPLOYER) for _ in range(10)))

    results = [answer.data["requestSurvey"] for answer in answers]
    assert sorted(result["__typename"] for result in results) == ["Conflict"] * 9 + ["Survey"]
    [url] = [result["url"] for result in results if "url" in result]
    assert url.endswith(f"&ref={(await Survey.get()).reference}")
    assert await Mail.all().count() == 1


async def test_a_survey_that_was_answered_is_not_sent_any_more(graphql: GraphQLClient):
    hiring = await make_hiring()
    await asked_by_its_own(graphql, hiring, JOB_SEEKER)
    await Survey.all().update(status=SurveyStatus.ANSWERED, answered_at=datetime.now(UTC))

    answer = await asked_by_its_own(graphql, hiring, JOB_SEEKER)

    assert answer.data["requestSurvey"]["message"] == "Cette enquête a déjà reçu une réponse."


@pytest.mark.parametrize("state", [state for state in JobApplicationState if state is not JobApplicationState.ACCEPTED])
async def test_before_a_hiring_there_is_nothing_to_ask_about(graphql: GraphQLClient, state: JobApplicationState):
    hiring = await make_hiring(state=state)

    answer = await asked_by_its_own(graphql, hiring, JOB_SEEKER)

    assert answer.data["requestSurvey"]["code"] == "CONFLICT"
    assert await Survey.all().count() == 0


@pytest.mark.parametrize("kind", SurveyKind)
@pytest.mark.parametrize("is_off", ["everything", "the kind"])
async def test_what_is_not_configured_is_not_offered(
    engine: GraphQLEngine, resources: Resources, database: object, kind: SurveyKind, is_off: str
):
    hiring = await make_hiring()
    others = {other: form for other, form in PLAN.form_ids.items() if other is not kind}
    plan = None if is_off == "everything" else replace(PLAN, form_ids=others)

    async with serve(engine, replace(resources, surveys=plan)) as graphql:
        answer = await asked_by_its_own(graphql, hiring, kind)

    assert (answer.data["requestSurvey"]["__typename"], answer.data["requestSurvey"]["code"]) == (
        "Conflict",
        "NOT_CONFIGURED",
    )
    assert await Survey.all().count() == 0


@pytest.mark.parametrize("reason", ["no relay", "no address"])
async def test_where_no_mail_can_leave_the_link_is_given_all_the_same(
    engine: GraphQLEngine, resources: Resources, database: object, rung: list[tuple[str, UUID]], reason: str
):
    hiring = await make_hiring()
    if reason == "no address":
        await User.filter(id=hiring.job_seeker.id).update(email=None)
    plan = replace(PLAN, sends_mails=reason != "no relay")

    async with serve(engine, replace(resources, surveys=plan)) as graphql:
        answer = await asked_by_its_own(graphql, hiring, JOB_SEEKER)

    assert answer.data["requestSurvey"]["status"] == "SENT"
    assert answer.data["requestSurvey"]["url"].startswith("https://tally.so/r/sBx1jS?")
    assert (await Mail.all().count(), rung) == (0, [])


async def test_a_survey_out_of_sight_and_one_that_is_not_there_are_answered_alike(graphql: GraphQLClient):
    hiring = await make_hiring()
    other_company = await make_company()
    other = await make_employer(other_company)
    absent = JobApplication(id=hiring.company.id)

    answers = [await ask(graphql, of, EMPLOYER, other, other_company) for of in (hiring.application, absent)]

    assert answers[0].body == answers[1].body
    assert answers[0].data["requestSurvey"]["code"] == "NOT_FOUND"


async def test_an_old_hiring_that_no_sweep_took_up_can_be_asked_about(graphql: GraphQLClient):
    hiring = await make_hiring(processed_at=None)

    answer = await asked_by_its_own(graphql, hiring, EMPLOYER)

    assert answer.data["requestSurvey"]["status"] == "SENT"


# -- statistics


def day(offset: int) -> datetime:
    """Noon in Paris, so many days from 10 March 2026."""
    return datetime(2026, 3, 10, 11, tzinfo=UTC) + timedelta(days=offset)


async def counted(
    kind: SurveyKind, *, department: str = "57", sent: int | None = None, answered: int | None = None
) -> None:
    hiring = await make_job_application(company=await make_company(department=department))
    status = SurveyStatus.ANSWERED if answered is not None else SurveyStatus.SENT
    await Survey.create(
        kind=kind,
        status=status if sent is not None or answered is not None else SurveyStatus.AVAILABLE,
        reference=f"reference-{await Survey.all().count()}",
        form_id="mY59xq",
        job_application=hiring,
        sent_at=day(sent) if sent is not None else None,
        answered_at=day(answered) if answered is not None else None,
    )


async def unlinked(kind: SurveyKind, *, department: str = "57", answered: int) -> None:
    await UnlinkedSurveyAnswer.create(
        kind=kind,
        form_id="mY59xq",
        submission_id=f"submission-{await UnlinkedSurveyAnswer.all().count()}",
        department=department,
        answered_at=day(answered),
    )


async def statistics(
    graphql: GraphQLClient, as_: User, of: Organization | None = None, days: dict[str, str] | None = None
) -> dict[str, Any]:
    answer = await graphql(STATISTICS, days, as_=as_, of=of)
    return {entry["kind"]: list(entry.values())[1:] for entry in answer.data["surveyStatistics"]}


async def make_staff() -> User:
    return await make_user(kind=UserKind.STAFF)


async def test_surveys_are_counted_by_kind_and_period(graphql: GraphQLClient):
    staff = await make_staff()
    await counted(EMPLOYER, sent=0)
    await counted(EMPLOYER, sent=0, answered=1)
    await counted(EMPLOYER, sent=0, answered=5)
    await counted(EMPLOYER, sent=-5, answered=0)
    await counted(EMPLOYER, answered=1)
    await counted(EMPLOYER)
    await unlinked(EMPLOYER, answered=1)
    await unlinked(EMPLOYER, answered=9)
    await counted(JOB_SEEKER, sent=1)

    within = await statistics(graphql, staff, days={"from": "2026-03-10", "to": "2026-03-11"})
    ever = await statistics(graphql, staff)

    assert within == {
        "POST_HIRING_EMPLOYER": [3, 4, 1, pytest.approx(2 / 3)],
        "POST_HIRING_JOB_SEEKER": [1, 0, 0, 0.0],
        "PRESCRIBER_SATISFACTION": [0, 0, 0, None],
    }
    assert ever["POST_HIRING_EMPLOYER"] == [4, 6, 2, pytest.approx(3 / 4)]


async def test_days_are_those_of_paris_and_both_are_included(graphql: GraphQLClient):
    staff = await make_staff()
    await counted(EMPLOYER, sent=0)
    moments = {
        "2026-03-09T22:59:59+00:00": [],  # 23:59:59 of the day before
        "2026-03-09T23:00:00+00:00": ["2026-03-10"],
        "2026-03-10T22:59:59+00:00": ["2026-03-10"],
        "2026-03-10T23:00:00+00:00": [],
    }

    for moment, expected in moments.items():
        await Survey.all().update(sent_at=datetime.fromisoformat(moment))
        found = await statistics(graphql, staff, days={"from": "2026-03-10", "to": "2026-03-10"})
        assert found["POST_HIRING_EMPLOYER"][0] == len(expected), moment


async def test_a_labor_inspector_counts_what_concerns_the_departments_of_the_institution(graphql: GraphQLClient):
    department, region = await make_institution(department="57"), await make_institution(department="", region="44")
    for place in ("57", "67", "13", ""):
        await counted(EMPLOYER, department=place, sent=0, answered=0)
        await unlinked(EMPLOYER, department=place, answered=0)

    of_department = await statistics(graphql, await make_labor_inspector(department), department)
    of_region = await statistics(graphql, await make_labor_inspector(region), region)

    assert of_department["POST_HIRING_EMPLOYER"] == [1, 2, 1, 1.0]
    assert of_region["POST_HIRING_EMPLOYER"] == [2, 4, 2, 1.0]


async def test_the_satisfaction_of_prescribers_counts_where_their_organisation_is(graphql: GraphQLClient):
    hiring = await make_hiring()
    await asked_by_its_own(graphql, hiring, PRESCRIBER)
    of_organization, of_company = await make_institution(department="93"), await make_institution(department="13")

    found = [
        await statistics(graphql, await make_labor_inspector(institution), institution)
        for institution in (of_organization, of_company)
    ]

    assert [counts["PRESCRIBER_SATISFACTION"][0] for counts in found] == [1, 0]


@pytest.mark.parametrize(
    "days",
    [{"from": "0001-01-01", "to": "9999-12-31"}, {"from": "9999-12-31"}, {"to": "0001-01-01"}],
)
async def test_the_ends_of_the_calendar_are_days_like_others(graphql: GraphQLClient, days: dict[str, str]):
    staff = await make_staff()

    assert len(await statistics(graphql, staff, days=days)) == 3


async def test_a_period_that_ends_before_it_begins_is_bad_user_input(graphql: GraphQLClient):
    staff = await make_staff()

    answer = await graphql(STATISTICS, {"from": "2026-03-11", "to": "2026-03-10"}, as_=staff)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.body["data"] == {"surveyStatistics": None}


async def test_figures_cost_one_statement_however_many_surveys_there_are(graphql: GraphQLClient):
    staff = await make_staff()
    await counted(EMPLOYER, sent=0)
    one = await graphql(STATISTICS, as_=staff)
    for _ in range(49):
        await counted(PRESCRIBER, sent=0)

    fifty = await graphql(STATISTICS, as_=staff)

    assert fifty.statements == one.statements


async def test_figures_are_not_for_those_who_are_counted(graphql: GraphQLClient):
    hiring = await make_hiring()
    organization = await make_prescriber_organization()

    answers = [
        await graphql(STATISTICS, as_=hiring.job_seeker),
        await graphql(STATISTICS, as_=hiring.employer, of=hiring.company),
        await graphql(STATISTICS, as_=await make_prescriber(organization), of=organization),
    ]

    assert [answer.codes for answer in answers] == [["FORBIDDEN"]] * 3
    assert {str(answer.body["data"]) for answer in answers} == {"{'surveyStatistics': None}"}
