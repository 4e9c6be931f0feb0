"""The whole way of a survey: a hiring, a mail, a link, an answer at Tally, a survey that is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from clients.tally import TallyForms
from jobs.context import WorkerContext
from jobs.mails import send_mails
from jobs.surveys import begin_surveys, send_surveys
from models import CronRun, Survey
from models.database import run_in_transaction, write
from models.enums import SurveyKind, SurveyStatus
from sandbox.app import Sandbox
from sandbox.clock import Clock
from sandbox.tally import SimulatedTally, TallySettings
from services.clock import utc_now
from services.surveys import apply_answer
from services.webhooks.outcomes import Applied
from tests.integration.jobs.conftest import WorkerParts
from tests.integration.relay import Relay, mail_relay
from tests.integration.services.hirings import PLAN, make_hiring

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with mail_relay() as relay:
        yield relay


@pytest.fixture
def context(worker: WorkerParts, relay: Relay) -> WorkerContext:
    """Everybody is asked on the day they are hired; forms are those of the sandbox."""
    forms = TallyForms("http://sandbox/tally", allow_http=True)
    plan = replace(PLAN, forms=forms, delays=dict.fromkeys(SurveyKind, timedelta(0)))
    return replace(worker.context, mail=relay.client, surveys=plan)


@dataclass
class Tally:
    """The simulated one, and the bodies that it sent to our door."""

    browser: httpx.AsyncClient
    partner: SimulatedTally
    sent: list[bytes]


@pytest.fixture
async def tally() -> AsyncIterator[Tally]:
    sent: list[bytes] = []

    def receive(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200, json={"success": True})

    settings = TallySettings(webhook_url="http://127.0.0.1:8000/webhooks/tally")
    partner = SimulatedTally(settings, Clock(), transport=httpx.MockTransport(receive))
    transport = httpx.ASGITransport(Sandbox([partner], clock=Clock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as browser:
        yield Tally(browser, partner, sent)
    await partner.stop()


async def test_a_hiring_is_asked_about_by_mail_and_answered_at_tally(
    context: WorkerContext, relay: Relay, tally: Tally
):
    hiring = await make_hiring(processed_at=utc_now() - timedelta(hours=1))
    assert context.surveys is not None

    await send_surveys(context)
    await send_mails(context)
    mails = {mail["recipients"][0]: mail for mail in await relay.mails()}
    link = link_of(mails["contact@exemple.test"]["text"])
    page = await tally.browser.get(link)
    await tally.browser.post(link, data={"avis": "Très bien"})
    await tally.partner.sender.drain()
    kinds = context.surveys.kinds_by_form
    outcome = await run_in_transaction(lambda: apply_answer(tally.sent[0], kinds=kinds, now=utc_now()))

    assert set(mails) == {"contact@exemple.test", "zelie@exemple.test", "camille@exemple.test"}
    assert page.status_code == 200
    assert str(hiring.company.number) in page.text
    assert outcome == Applied()
    statuses = {survey.kind: survey.status for survey in await Survey.all()}
    assert statuses == {
        SurveyKind.POST_HIRING_EMPLOYER: SurveyStatus.ANSWERED,
        SurveyKind.POST_HIRING_JOB_SEEKER: SurveyStatus.SENT,
        SurveyKind.PRESCRIBER_SATISFACTION: SurveyStatus.SENT,
    }


@pytest.mark.parametrize(
    ("recipient", "said", "unsaid"),
    [
        ("contact@exemple.test", ("Bonjour,", "F… Z…", "L'Atelier Imaginaire"), ("CCAS",)),
        ("zelie@exemple.test", ("Bonjour Madame FICTIVE,", "L'Atelier Imaginaire"), ("CCAS", "F… Z…")),
        ("camille@exemple.test", ("Bonjour Madame INVENTÉE,", "F… Z…", "CCAS Fictif", "L'Atelier Imaginaire"), ()),
    ],
)
async def test_each_mail_says_as_text_and_as_html_what_its_reader_needs_and_no_more(
    context: WorkerContext, relay: Relay, recipient: str, said: tuple[str, ...], unsaid: tuple[str, ...]
):
    accepted_at = utc_now() - timedelta(hours=1)
    await make_hiring(processed_at=accepted_at)

    await send_surveys(context)
    await send_mails(context)

    [mail] = [mail for mail in await relay.mails() if mail["recipients"] == [recipient]]
    assert mail["subject"].startswith("Votre avis sur ")
    for part in (mail["text"], mail["html"].replace("&#x27;", "'")):
        assert all(words in part for words in said)
        assert not any(words in part for words in (*unsaid, "Zélie", "SARL", "$"))
        assert "a été acceptée le " in part
        assert "http://sandbox/tally/r/" in part


async def test_the_sweep_leaves_what_it_did_and_does_it_once(context: WorkerContext, relay: Relay):
    await make_hiring(processed_at=utc_now() - timedelta(hours=1))

    await send_surveys(context)
    await send_surveys(context)
    summary = (await CronRun.get(name="send_surveys")).summary
    await write("UPDATE cron_run SET started_at = started_at - interval '1 minute'")
    await send_surveys(context)
    await send_mails(context)

    assert (summary["offered"], summary["sent"]) == (3, 3)
    assert (await CronRun.get(name="send_surveys")).summary["sent"] == 0
    assert len(await relay.mails()) == 3


async def test_without_a_survey_tool_nothing_happens(worker: WorkerParts):
    await make_hiring(processed_at=utc_now())

    await begin_surveys(worker.context)
    await send_surveys(worker.context)

    assert await Survey.all().count() == 0
    assert await CronRun.all().count() == 0


def link_of(text: str) -> str:
    [line] = [line for line in text.splitlines() if "/r/" in line]
    return line.partition(" : ")[2]
