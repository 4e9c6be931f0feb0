"""Surveys come to be with a hiring, and reach people once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from models import JobApplication, Mail, Membership, Survey, User
from models.database import counting_statements
from models.enums import JobApplicationState, MailTemplate, SenderKind, SurveyKind, SurveyStatus
from services.surveys import SurveyPlan, offer_and_send
from services.surveys.offering import offer_surveys
from services.surveys.sending import SurveySummary
from tests.conftest import NOW
from tests.factories import make_company, make_employer, make_job_application, make_membership
from tests.integration.services.hirings import ACCEPTED_AT, DUE_AT, FORM_IDS, PLAN, make_hiring

pytestmark = pytest.mark.usefixtures("database")

EMPLOYER, JOB_SEEKER, PRESCRIBER = SurveyKind


async def run(at: datetime = DUE_AT, plan: SurveyPlan = PLAN) -> SurveySummary:
    return await offer_and_send(plan, clock=lambda: at, keep_going=lambda: True)


async def surveys() -> dict[SurveyKind, Survey]:
    return {survey.kind: survey for survey in await Survey.all()}


async def recipients() -> dict[MailTemplate, Any]:
    return {mail.template: mail.recipient for mail in await Mail.all()}


async def test_an_accepted_application_has_the_survey_of_everybody_concerned():
    hiring = await make_hiring()

    summary = await run(NOW)

    found = await surveys()
    assert summary == SurveySummary(offered=3)
    assert {kind: survey.form_id for kind, survey in found.items()} == FORM_IDS
    assert {survey.status for survey in found.values()} == {SurveyStatus.AVAILABLE}
    assert {survey.mail_due_at for survey in found.values()} == {DUE_AT}
    assert {survey.job_application_id for survey in found.values()} == {hiring.application.id}
    assert len({survey.reference for survey in found.values()}) == 3
    of_company = {
        "id_siae": "4321",
        "type_siae": "Atelier chantier d'insertion",
        "region": "Provence-Alpes-Côte d'Azur",
        "departement": "13",
    }
    assert found[EMPLOYER].context == found[JOB_SEEKER].context == of_company
    assert found[PRESCRIBER].context == {"idorganisation": "77", "region": "Île-de-France", "departement": "93"}


@pytest.mark.parametrize("state", [state for state in JobApplicationState if state is not JobApplicationState.ACCEPTED])
async def test_what_is_not_accepted_is_not_surveyed(state: JobApplicationState):
    await make_hiring(state=state)

    assert (await run(NOW)).offered == 0


@pytest.mark.parametrize("sender_kind", [SenderKind.JOB_SEEKER, SenderKind.EMPLOYER])
async def test_without_a_prescriber_nobody_is_asked_as_one(sender_kind: SenderKind):
    await make_job_application(
        company=await make_company(),
        state=JobApplicationState.ACCEPTED,
        processed_at=ACCEPTED_AT,
        sender_kind=sender_kind,
    )

    await run(NOW)

    assert set(await surveys()) == {EMPLOYER, JOB_SEEKER}


async def test_a_prescriber_without_an_organisation_is_not_asked():
    await make_hiring(sender_prescriber_organization=None)

    await run(NOW)

    assert set(await surveys()) == {EMPLOYER, JOB_SEEKER}


async def test_a_kind_without_a_form_is_off():
    await make_hiring()

    await run(NOW, replace(PLAN, form_ids={PRESCRIBER: "w2EoDp"}))

    assert set(await surveys()) == {PRESCRIBER}


@pytest.mark.parametrize(
    ("accepted_at", "offered"),
    [
        (NOW - timedelta(days=14), 3),
        (NOW - timedelta(days=14, seconds=1), 0),
        (NOW, 3),
        (NOW + timedelta(minutes=1), 0),
        (None, 0),
    ],
    ids=["as old as may be", "too old", "just now", "not yet", "nobody knows when"],
)
async def test_only_recent_hirings_are_taken_up(accepted_at: datetime | None, offered: int):
    await make_hiring(processed_at=accepted_at)

    assert (await run(NOW)).offered == offered


async def test_a_hiring_is_offered_its_surveys_once_whoever_sweeps_at_once():
    company = await make_company()
    for _ in range(20):
        await make_job_application(company=company, state=JobApplicationState.ACCEPTED, processed_at=ACCEPTED_AT)

    made = await asyncio.gather(*(offer_surveys(PLAN, now=NOW) for _ in range(5)))
    again = await offer_surveys(PLAN, now=NOW)

    assert (sum(made), again) == (40, 0)
    assert await Survey.all().count() == 40


async def test_offering_takes_as_many_statements_for_fifty_hirings_as_for_one():
    company = await make_company()
    await make_job_application(company=company, state=JobApplicationState.ACCEPTED, processed_at=ACCEPTED_AT)
    async with counting_statements() as one:
        await offer_surveys(PLAN, now=NOW)
    for _ in range(50):
        await make_job_application(company=company, state=JobApplicationState.ACCEPTED, processed_at=ACCEPTED_AT)

    async with counting_statements() as fifty:
        made = await offer_surveys(PLAN, now=NOW)

    assert made == 100
    assert fifty.statements == one.statements


async def test_each_kind_is_mailed_once_after_its_own_delay():
    await make_hiring()
    plan = replace(PLAN, delays={EMPLOYER: timedelta(days=3), JOB_SEEKER: timedelta(days=9), PRESCRIBER: timedelta(0)})

    days = [(await run(ACCEPTED_AT + timedelta(days=day), plan)).sent for day in (1, 2, 3, 3, 8, 9, 10)]

    assert days == [1, 0, 1, 0, 0, 1, 0]
    assert await Mail.all().count() == 3
    assert {survey.status for survey in await Survey.all()} == {SurveyStatus.SENT}
    assert (await surveys())[JOB_SEEKER].sent_at == ACCEPTED_AT + timedelta(days=9)


async def test_everybody_is_written_to_at_their_own_address():
    await make_hiring()

    assert (await run()).sent == 3

    assert await recipients() == {
        MailTemplate.SURVEY_EMPLOYER: "contact@exemple.test",
        MailTemplate.SURVEY_JOB_SEEKER: "zelie@exemple.test",
        MailTemplate.SURVEY_PRESCRIBER: "camille@exemple.test",
    }


async def test_sweeps_at_once_write_to_nobody_twice():
    await make_hiring()

    await asyncio.gather(*(run() for _ in range(5)))

    assert await Mail.all().count() == 3


async def test_a_company_without_an_address_is_asked_through_an_administrator_who_can_be_reached():
    company = await make_company(email="")
    await make_employer(company, email="premier@exemple.test")
    for values in ({"email": "clos@exemple.test", "is_active": False}, {"email": "pas une adresse"}):
        await make_membership(await make_employer(await make_company(), **values), company, is_admin=True)
    gone = await make_employer(await make_company(), email="parti@exemple.test")
    await make_membership(gone, company, is_admin=True, ended_at=NOW)
    await make_membership(await make_employer(await make_company(), email="a@exemple.test"), company, is_admin=True)
    await make_hiring(company=company)

    await run()

    assert (await recipients())[MailTemplate.SURVEY_EMPLOYER] == "a@exemple.test"


async def test_a_prescriber_who_left_the_organisation_is_not_asked_and_nor_is_a_colleague():
    hiring = await make_hiring()
    colleague = await make_employer(await make_company())
    await make_membership(colleague, hiring.organization)
    await Membership.filter(user_id=hiring.prescriber.id).update(ended_at=NOW)

    summary = await run()

    assert (summary.sent, summary.nobody_to_ask) == (2, 1)
    assert MailTemplate.SURVEY_PRESCRIBER not in await recipients()


@pytest.mark.parametrize("values", [{"email": None}, {"email": "pas une adresse"}, {"is_active": False}])
async def test_a_survey_that_cannot_be_mailed_stays_available_and_keeps_nobody_from_theirs(values: dict[str, Any]):
    hiring = await make_hiring()
    await User.filter(id=hiring.job_seeker.id).update(**values)

    summary = await run()
    again = await run(DUE_AT + timedelta(minutes=1))

    survey = (await surveys())[JOB_SEEKER]
    assert (summary.sent, summary.nobody_to_ask, again.nobody_to_ask) == (2, 1, 0)
    assert (survey.status, survey.mail_due_at, survey.sent_at) == (SurveyStatus.AVAILABLE, None, None)


async def test_a_hiring_that_was_called_off_before_the_mail_is_not_asked_about():
    hiring = await make_hiring()
    await run(NOW)
    await JobApplication.filter(id=hiring.application.id).update(state=JobApplicationState.CANCELLED)

    summary = await run()

    assert (summary.sent, summary.hiring_is_off) == (0, 3)
    assert await Mail.all().count() == 0


async def test_after_a_long_outage_nobody_is_asked_about_long_ago():
    await make_hiring()
    await run(NOW)

    summary = await run(DUE_AT + PLAN.lookback + timedelta(seconds=1))

    assert (summary.sent, summary.too_late) == (0, 3)


async def test_without_a_relay_surveys_wait():
    await make_hiring()
    without = replace(PLAN, sends_mails=False)

    waiting = await run(plan=without)
    later = await run()

    assert (waiting.offered, waiting.sent, later.sent) == (3, 0, 3)


async def test_a_sweep_that_is_to_end_ends_before_the_next_mail():
    await make_hiring()
    answers = iter([True, False])

    summary = await offer_and_send(PLAN, clock=lambda: DUE_AT, keep_going=lambda: next(answers))

    assert summary.sent == 1


async def test_one_broken_survey_keeps_nobody_from_theirs():
    await make_hiring()
    await run(NOW)
    await Survey.filter(kind=EMPLOYER).update(form_id="../x")

    with capture_logs() as logs:
        summary = await run()

    assert summary.sent == 2
    assert [(entry["event"], entry["error_class"]) for entry in logs if entry["log_level"] == "error"] == [
        ("survey_broken", "ValueError")
    ]
    assert (await surveys())[EMPLOYER].status is SurveyStatus.AVAILABLE


async def test_no_link_says_who_was_hired():
    hiring = await make_hiring()
    ids = {str(hiring.application.id), hiring.application.id.hex}

    await run()

    links = [orjson.loads(str(mail.parameters))["link"] for mail in await Mail.all()]
    assert len(links) == 3
    for link in links:
        for secret in ("fictive", "zélie", "z%c3%a9lie", "invent", "camille", "exemple", "atelier+imag", *ids):
            assert secret not in link.lower()


async def test_logs_name_nobody():
    await make_hiring()

    with capture_logs() as logs:
        await run()

    assert {entry["event"] for entry in logs} >= {"survey_decided"}
    for secret in ("exemple.test", "Fictive", "FICTIVE", "Zélie", "Inventée", "INVENTÉE", "tally.so"):
        assert secret not in str(logs)
