"""Answers of Tally find their survey by its reference, and nothing else of them is kept."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from models import Survey, UnlinkedSurveyAnswer
from models.database import fetch_all, run_in_transaction
from models.enums import JobApplicationState, SurveyKind, SurveyStatus
from services.surveys import apply_answer, link_late_answers, offer_and_send
from services.webhooks.outcomes import Applied, Failed, Ignored, Outcome, Unmatched
from tests.factories import make_job_application
from tests.integration.services.hirings import FORM_IDS, PLAN

pytestmark = pytest.mark.usefixtures("database")

REFERENCE = "5Jc0kq0mYV7m3o1TqgS2dw"
SUBMITTED_AT = datetime(2026, 3, 2, 9, 14, 58, tzinfo=UTC)
RECEIVED_AT = datetime(2026, 3, 2, 9, 15, 1, tzinfo=UTC)
EMPLOYER, JOB_SEEKER, PRESCRIBER = SurveyKind


def submission(
    ref: str | None = REFERENCE,
    *,
    form: str = "mY59xq",
    number: str = "2xyz4n",
    at: datetime | None = SUBMITTED_AT,
    event_type: str = "FORM_RESPONSE",
    event_id: str = "7d0c2f6e-0000-4000-8000-0000000000a1",
    **hidden: str,
) -> bytes:
    """A submission with answers that nobody here may keep."""
    fields: list[dict[str, Any]] = [
        {"key": f"question_aaaAAA_{key}", "label": key, "type": "HIDDEN_FIELDS", "value": value}
        for key, value in ({"id_siae": "4321", "departement": "13"} | hidden | {"ref": ref}).items()
    ]
    answers = [
        {"key": "question_bbbBBB", "label": "Satisfaction", "type": "MULTIPLE_CHOICE", "value": ["ec321dc4"]},
        {"key": "question_cccCCC", "label": None, "type": "MATRIX_TO_COME", "value": {"a": ["Réponse libre"]}},
    ]
    data = {
        "responseId": number,
        "submissionId": number,
        "respondentId": "dwFicT",
        "formId": form,
        "formName": "Enquête",
        "createdAt": at.isoformat() if at else None,
        "fields": [*fields, *answers],
    }
    return orjson.dumps({"eventId": event_id, "eventType": event_type, "createdAt": None, "data": data})


async def apply(body: bytes, *, now: datetime = RECEIVED_AT) -> Outcome:
    kinds = PLAN.kinds_by_form
    return await run_in_transaction(lambda: apply_answer(body, kinds=kinds, now=now))


async def sent_survey(kind: SurveyKind = EMPLOYER, reference: str = REFERENCE, **values: Any) -> Survey:
    application = await make_job_application(state=JobApplicationState.ACCEPTED)
    defaults: dict[str, Any] = {
        "form_id": FORM_IDS[kind],
        "status": SurveyStatus.SENT,
        "sent_at": SUBMITTED_AT - timedelta(days=1),
    }
    return await Survey.create(
        kind=kind,
        reference=reference,
        context={"id_siae": "4321", "departement": "13"},
        job_application=application,
        **(defaults | values),
    )


async def everything() -> str:
    """All rows of the tables that an answer may have touched, as text."""
    rows = [
        row["text"]
        for table in ("survey", "unlinked_survey_answer", "mail", "webhook_event")
        for row in await fetch_all(f"SELECT to_jsonb(t)::text AS text FROM {table} t")
    ]
    return "\n".join(rows)


async def test_a_survey_is_answered_when_its_form_was_submitted_and_what_was_answered_is_nowhere():
    survey = await sent_survey()

    outcome = await apply(submission())

    await survey.refresh_from_db()
    assert outcome == Applied()
    assert (survey.status, survey.answered_at) == (SurveyStatus.ANSWERED, SUBMITTED_AT)
    kept = await everything()
    for answer in ("Satisfaction", "ec321dc4", "Réponse libre", "dwFicT"):
        assert answer not in kept


async def test_an_answer_to_a_survey_that_nobody_sent_is_an_answer_and_no_mail_follows():
    survey = await sent_survey(status=SurveyStatus.AVAILABLE, sent_at=None, mail_due_at=RECEIVED_AT)

    outcome = await apply(submission())
    summary = await offer_and_send(PLAN, clock=lambda: RECEIVED_AT, keep_going=lambda: True)

    await survey.refresh_from_db()
    assert (outcome, survey.status, survey.sent_at) == (Applied(), SurveyStatus.ANSWERED, None)
    assert summary.sent == 0


async def test_the_same_submission_changes_nothing_the_second_time_under_whatever_event_id():
    survey = await sent_survey()
    await apply(submission())
    before = await everything()

    outcomes = [await apply(submission()), await apply(submission(event_id="another"))]

    await survey.refresh_from_db()
    assert outcomes == [Applied(), Applied()]
    assert await everything() == before


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_the_earliest_answer_stands_in_whatever_order_they_come(order: tuple[int, ...]):
    survey = await sent_survey()
    bodies = [submission(number=f"number{hour}", at=SUBMITTED_AT + timedelta(hours=hour)) for hour in range(3)]

    outcomes = {hour: await apply(bodies[hour], now=RECEIVED_AT + timedelta(days=1)) for hour in order}

    await survey.refresh_from_db()
    assert (survey.answered_at, survey.submission_id) == (SUBMITTED_AT, "number0")
    assert outcomes[0] == Applied()
    last = order[-1]
    assert outcomes[last] == (Applied() if last == 0 else Ignored("answered_earlier"))


async def test_answers_that_come_at_once_leave_the_earliest():
    survey = await sent_survey()
    bodies = [submission(number=f"number{hour}", at=SUBMITTED_AT - timedelta(hours=hour)) for hour in range(8)]

    await asyncio.gather(*(apply(body) for body in bodies))

    await survey.refresh_from_db()
    assert (survey.answered_at, survey.submission_id) == (SUBMITTED_AT - timedelta(hours=7), "number7")


@pytest.mark.parametrize(
    ("at", "answered_at"),
    [(RECEIVED_AT + timedelta(minutes=6), RECEIVED_AT), (None, RECEIVED_AT)],
    ids=["from the future", "without a date"],
)
async def test_an_answer_without_a_usable_date_is_of_the_moment_we_heard_of_it(
    at: datetime | None, answered_at: datetime
):
    survey = await sent_survey()

    await apply(submission(at=at))

    await survey.refresh_from_db()
    assert survey.answered_at == answered_at


@pytest.mark.parametrize(
    ("body", "outcome", "counted"),
    [
        (submission(None), Unmatched("no_reference"), 1),
        (submission(""), Unmatched("no_reference"), 1),
        (submission("AAAAAAAAAAAAAAAAAAAAAA"), Unmatched("unknown_reference"), 1),
        (submission("quelque chose d'autre"), Unmatched("unknown_reference"), 1),
        (submission(None, form="aaaaaa"), Ignored("unknown_form"), 0),
        (submission(form="aaaaaa"), Ignored("unknown_form"), 0),
        (submission(form="w2EoDp"), Failed("form_of_another_kind"), 0),
        (submission(event_type="SOMETHING_NEW"), Ignored("not_a_submission"), 0),
        (b"{}", Failed("unreadable"), 0),
    ],
    ids=[
        "no reference",
        "empty reference",
        "unknown reference",
        "malformed reference",
        "unknown form",
        "unknown form, known reference",
        "form of another kind",
        "another event",
        "unreadable",
    ],
)
async def test_an_answer_that_belongs_to_no_survey_changes_none_not_even_the_only_one(
    body: bytes, outcome: Outcome, counted: int
):
    survey = await sent_survey()

    assert await apply(body) == outcome
    assert await apply(body) == outcome

    await survey.refresh_from_db()
    assert (survey.status, survey.answered_at) == (SurveyStatus.SENT, None)
    assert await UnlinkedSurveyAnswer.all().count() == counted


async def test_what_somebody_wrote_into_the_link_is_kept_only_if_it_may_be_ours():
    await apply(submission("Zélie Fictive", departement="Moselle"))
    await apply(submission("B" * 22, number="3abc", departement="57"))

    kept = {(row.reference, row.department) for row in await UnlinkedSurveyAnswer.all()}
    assert kept == {(None, ""), ("B" * 22, "57")}


async def test_a_survey_whose_form_was_replaced_is_answered_by_either():
    old = await sent_survey(form_id="oldForm")
    new = await sent_survey(reference="N" * 22, form_id="oldForm")

    outcomes = [await apply(submission(form="oldForm")), await apply(submission("N" * 22, number="3abc"))]

    await old.refresh_from_db()
    await new.refresh_from_db()
    assert outcomes == [Applied(), Applied()]
    assert {old.status, new.status} == {SurveyStatus.ANSWERED}


async def test_a_link_that_was_edited_is_noticed_and_believed_in_nothing():
    survey = await sent_survey()

    with capture_logs() as logs:
        outcome = await apply(submission(id_siae="9999"))

    await survey.refresh_from_db()
    assert (outcome, survey.status) == (Applied(), SurveyStatus.ANSWERED)
    assert [(entry["event"], entry["field"]) for entry in logs] == [("survey_link_was_edited", "id_siae")]
    assert "9999" not in str(logs)


async def test_a_survey_that_appears_after_its_answer_is_linked_to_it():
    for hour in (3, 1, 2):
        await apply(submission(number=f"number{hour}", at=SUBMITTED_AT - timedelta(days=1) + timedelta(hours=hour)))
    await apply(submission("C" * 22, number="of another"))
    survey = await sent_survey()

    linked = [await link_late_answers(), await link_late_answers()]

    await survey.refresh_from_db()
    assert linked == [1, 0]
    assert (survey.status, survey.submission_id) == (SurveyStatus.ANSWERED, "number1")
    assert [row.submission_id for row in await UnlinkedSurveyAnswer.all()] == ["of another"]


async def test_a_survey_of_another_kind_is_not_linked_later_either():
    await apply(submission(form="w2EoDp"))
    survey = await sent_survey(JOB_SEEKER)

    assert await link_late_answers() == 0

    await survey.refresh_from_db()
    assert survey.status is SurveyStatus.SENT


async def test_an_answer_that_is_replayed_once_its_survey_is_there_is_no_longer_counted_apart():
    await apply(submission())
    survey = await sent_survey()

    outcome = await apply(submission())

    await survey.refresh_from_db()
    assert (outcome, survey.status) == (Applied(), SurveyStatus.ANSWERED)
    assert await UnlinkedSurveyAnswer.all().count() == 0


async def test_a_transaction_that_fails_leaves_the_survey_as_it_was():
    survey = await sent_survey()

    async def apply_and_fail() -> None:
        await apply_answer(submission(), kinds=PLAN.kinds_by_form, now=RECEIVED_AT)
        raise RuntimeError("changed its mind")

    with pytest.raises(RuntimeError, match="changed its mind"):
        await run_in_transaction(apply_and_fail)

    await survey.refresh_from_db()
    assert survey.status is SurveyStatus.SENT
