from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from models import Approval, CancelledApproval, CertificationRequest, Mail, Survey
from models.database import counting_statements
from models.enums import (
    CertificationResult,
    MailState,
    MailTemplate,
    NotificationEndpoint,
    NotificationStatus,
    Partner,
    SurveyKind,
    SurveyStatus,
    WebhookEventStatus,
)
from services.approvals import cancel_approval
from services.notification import Subject
from services.operations import certifications, mails, surveys, webhooks
from services.operations.certifications import CertificationFilter, list_certifications
from services.operations.failure_groups import group_notifications, group_webhooks
from services.operations.mails import MailFilter, list_mails
from services.operations.notifications import (
    ATTEMPTS_SHOWN,
    NotificationFilter,
    count_by_status,
    count_by_status_up_to,
    count_notifications,
    list_notifications,
    read_notification,
)
from services.operations.paging import BadCursor, Count, Page, PageRequest
from services.operations.surveys import SurveyFilter, list_surveys
from services.operations.webhooks import WebhookFilter, list_webhooks
from tests.factories import make_job_seeker
from tests.integration.operations.rows import LATER, NOW, make_attempt, make_event, make_refused

pytestmark = pytest.mark.usefixtures("database")


async def test_pages_lead_through_the_whole_list_and_back():
    approvals = [await make_refused(at=NOW + timedelta(minutes=minute)) for minute in range(5)]
    newest_first = [approval.id for approval in reversed(approvals)]

    first = await list_notifications(page=PageRequest(size=2))
    second = await list_notifications(page=PageRequest(size=2, after=first.next))
    third = await list_notifications(page=PageRequest(size=2, after=second.next))
    back = await list_notifications(page=PageRequest(size=2, before=third.previous))

    assert [row.id for page in (first, second, third) for row in page.items] == newest_first
    assert (first.previous, third.next) == (None, None)
    assert back.items == second.items
    assert back.previous is not None
    assert back.next is not None


async def test_the_oldest_come_first_on_request():
    approvals = [await make_refused(at=NOW + timedelta(minutes=minute)) for minute in range(3)]

    first = await list_notifications(page=PageRequest(size=2, oldest_first=True))
    second = await list_notifications(page=PageRequest(size=2, oldest_first=True, after=first.next))

    assert [row.id for row in (*first.items, *second.items)] == [approval.id for approval in approvals]


async def test_rows_of_one_instant_are_each_shown_once():
    approvals = {(await make_event()).id for _ in range(5)}

    pages: list[Page[Any]] = [await list_webhooks(page=PageRequest(size=2))]
    while pages[-1].next is not None:
        pages.append(await list_webhooks(page=PageRequest(size=2, after=pages[-1].next)))

    shown = [row.id for page in pages for row in page.items]
    assert len(shown) == 5
    assert set(shown) == approvals


@pytest.mark.parametrize("cursor", ["?", "bm90IGEgY3Vyc29y", "MjAyNi0wMS0wMXx4", "é"])
async def test_a_cursor_of_somebody_else_is_refused(cursor: str):
    with pytest.raises(BadCursor):
        await list_webhooks(page=PageRequest(after=cursor))


async def test_a_cancelled_approval_is_listed_by_its_cancellation_alone():
    approval = await make_refused()
    await cancel_approval(approval.id, now=NOW)

    page = await list_notifications()

    [row] = page.items
    assert (row.subject, row.approval_id, row.number) == (Subject.CANCELLATION, approval.id, approval.number)
    assert row.job_seeker_id == approval.job_seeker_id


async def test_notifications_are_found_by_whatever_is_known_of_them():
    sought = await make_refused("S008")
    await make_refused("S012", at=NOW - timedelta(days=3))
    number = f"{sought.number[:5]} {sought.number[5:8]} {sought.number[8:]}"

    for narrowed in (
        NotificationFilter(number=number),
        NotificationFilter(job_seeker_id=sought.job_seeker_id),
        NotificationFilter(code="S008"),
        NotificationFilter(code="S008", endpoint=NotificationEndpoint.MISE_A_JOUR_PASS_IAE),
        NotificationFilter(since=NOW, until=LATER),
        NotificationFilter(status=NotificationStatus.ERROR, since=NOW - timedelta(days=1)),
    ):
        found = await list_notifications(narrowed)
        assert [row.id for row in found.items] == [sought.id], narrowed
        assert (await count_notifications(narrowed)).number == 1, narrowed
    assert (await list_notifications(NotificationFilter(status=NotificationStatus.SUCCESS))).items == ()


async def test_notifications_are_found_by_a_piece_of_their_french_label():
    refused = await make_refused("S012")
    await make_refused("S018")
    held_back = await make_refused("STARTS_IN_FUTURE", status=NotificationStatus.PENDING)
    await Approval.filter(id=held_back.id).update(pe_notification_endpoint=None)
    [labelled] = (await list_notifications(NotificationFilter(code="S012"))).items
    assert labelled.label is not None

    by_answer = await list_notifications(NotificationFilter(label=labelled.label[:40].upper()))
    by_check = await list_notifications(NotificationFilter(label="dans le FUTUR"))

    assert refused.id in {row.id for row in by_answer.items}
    assert [row.id for row in by_check.items] == [held_back.id]
    assert by_check.items[0].label == "Le PASS IAE débute dans le futur"


async def test_a_detail_shows_every_attempt_newest_first():
    approval = await make_refused(at=NOW)
    await make_attempt(approval.id, at=LATER, exit_code="S000", http_status=200)

    async with counting_statements() as counter:
        detail = await read_notification(Subject.APPROVAL, approval.id)

    assert detail is not None
    assert [attempt.started_at for attempt in detail.attempts] == [LATER, NOW]
    assert [attempt.code for attempt in detail.attempts] == ["S000", "S008"]
    assert detail.attempts[0].label == "Suivi délégué installé"
    assert not detail.has_older_attempts
    assert counter.statements == 2


async def test_a_detail_says_when_there_are_more_attempts_than_it_shows():
    approval = await make_refused()
    for number in range(ATTEMPTS_SHOWN):
        await make_attempt(approval.id, at=NOW + timedelta(seconds=number))

    detail = await read_notification(Subject.APPROVAL, approval.id)

    assert detail is not None
    assert len(detail.attempts) == ATTEMPTS_SHOWN
    assert detail.has_older_attempts


async def test_what_does_not_exist_has_no_detail():
    assert await read_notification(Subject.CANCELLATION, uuid4()) is None
    assert await webhooks.read_webhook(uuid4()) is None


async def test_notifications_are_counted_by_status_over_both_tables():
    await make_refused()
    cancelled = await make_refused()
    await cancel_approval(cancelled.id, now=NOW)
    await CancelledApproval.all().update(pe_notification_status=NotificationStatus.SUCCESS)

    counted = await count_by_status()

    assert (counted[NotificationStatus.ERROR], counted[NotificationStatus.SUCCESS]) == (1, 1)
    assert counted.keys() == set(NotificationStatus)


async def test_notifications_are_counted_for_a_look_no_further_than_asked():
    for _ in range(3):
        await make_refused()
    await make_refused(status=NotificationStatus.PENDING)

    counted = await count_by_status_up_to(2)

    assert counted[NotificationStatus.ERROR] == Count(2, is_capped=True)
    assert counted[NotificationStatus.PENDING] == Count(1)
    assert counted.keys() == set(NotificationStatus)


async def test_what_is_counted_for_a_look_is_all_where_there_is_less():
    for status in NotificationStatus:
        await make_refused(status=status)
    cancelled = await make_refused()
    await cancel_approval(cancelled.id, now=NOW)
    await make_event()
    await make_event(WebhookEventStatus.PROCESSED, source=Partner.TALLY)

    assert await count_by_status_up_to(100) == {
        status: Count(number) for status, number in (await count_by_status()).items()
    }
    assert await webhooks.count_by_state_up_to(100) == await webhooks.count_by_state()


async def test_events_are_counted_for_a_look_no_further_than_asked():
    for _ in range(3):
        await make_event()

    [failed] = await webhooks.count_by_state_up_to(2)

    assert (failed.source, failed.status) == (Partner.RDV_INSERTION, WebhookEventStatus.FAILED)
    assert (failed.number, failed.is_capped) == (2, True)


async def test_failures_are_grouped_by_code_with_their_first_and_last_sight():
    for minutes in (0, 10, 20):
        await make_refused("S008", at=NOW + timedelta(minutes=minutes))
    await make_refused("S012")

    groups = await group_notifications(now=LATER)

    assert [(group.code, group.number) for group in groups] == [("S008", 3), ("S012", 1)]
    assert (groups[0].first_seen_at, groups[0].last_seen_at) == (NOW, NOW + timedelta(minutes=20))
    assert groups[0].label is not None


async def test_what_is_to_be_tried_again_is_grouped_by_the_code_of_its_last_attempt():
    approval = await make_refused("http_500", status=NotificationStatus.SHOULD_RETRY)
    await Approval.filter(id=approval.id).update(pe_notification_exit_code=None, pe_notification_endpoint=None)
    await make_attempt(
        approval.id,
        at=NOW + timedelta(minutes=5),
        exit_code="deadline",
        outcome=NotificationStatus.SHOULD_RETRY,
    )

    [group] = await group_notifications(now=LATER)

    assert (group.status, group.code, group.number) == (NotificationStatus.SHOULD_RETRY, "deadline", 1)


async def test_failed_events_are_grouped_by_source_and_error():
    await make_event(error="KeyError")
    await make_event(error="KeyError")
    await make_event(error="unreadable", source=Partner.TALLY)
    await make_event(WebhookEventStatus.PROCESSED)

    groups = await group_webhooks(now=LATER)

    assert [(group.source, group.error, group.number) for group in groups] == [
        (Partner.RDV_INSERTION, "KeyError", 2),
        (Partner.TALLY, "unreadable", 1),
    ]


async def test_events_are_found_by_source_state_model_resource_and_error():
    sought = await make_event(resource_id="4711", model="invitation", error="TypeError")
    await make_event(WebhookEventStatus.PROCESSED, source=Partner.TALLY, at=NOW - timedelta(days=2))

    for narrowed in (
        WebhookFilter(source=Partner.RDV_INSERTION),
        WebhookFilter(status=WebhookEventStatus.FAILED),
        WebhookFilter(model="invitation"),
        WebhookFilter(resource_id="4711"),
        WebhookFilter(error="TypeError"),
        WebhookFilter(since=NOW, until=LATER),
    ):
        assert [row.id for row in (await list_webhooks(narrowed)).items] == [sought.id], narrowed
        assert (await webhooks.count_webhooks(narrowed)).number == 1, narrowed
    assert {(each.source, each.status, each.number) for each in await webhooks.count_by_state()} == {
        (Partner.RDV_INSERTION, WebhookEventStatus.FAILED, 1),
        (Partner.TALLY, WebhookEventStatus.PROCESSED, 1),
    }


async def test_mails_are_listed_without_whom_they_are_for():
    pending = await _mail()
    sent = await _mail(
        state=MailState.SENT, sent_at=LATER, recipient=None, parameters=None, next_attempt_at=None, code="250"
    )

    found = await list_mails(MailFilter(state=MailState.SENT, template=MailTemplate.SURVEY_EMPLOYER, code="250"))

    [row] = found.items
    assert (row.id, row.sent_at) == (sent.id, LATER)
    assert {each.id for each in (await list_mails()).items} == {pending.id, sent.id}
    assert (await mails.count_mails(MailFilter(subject_id=sent.subject_id))).number == 1
    assert not {"recipient", "parameters"} & set(type(row).__dataclass_fields__)


async def test_surveys_are_listed_by_kind_and_status():
    survey = await Survey.create(
        kind=SurveyKind.POST_HIRING_EMPLOYER, reference="r" * 22, form_id="abc", mail_due_at=NOW, created_at=NOW
    )
    await Survey.create(kind=SurveyKind.PRESCRIBER_SATISFACTION, reference="s" * 22, form_id="def", created_at=NOW)

    due = await list_surveys(SurveyFilter(is_due=True))
    of_kind = await list_surveys(SurveyFilter(kind=SurveyKind.POST_HIRING_EMPLOYER, status=SurveyStatus.AVAILABLE))

    assert [row.id for row in due.items] == [row.id for row in of_kind.items] == [survey.id]
    assert (await surveys.count_surveys()).number == 2


async def test_questions_are_listed_by_outcome_and_person():
    person = await make_job_seeker()
    question = await CertificationRequest.create(
        job_seeker=person,
        created_at=NOW,
        series_began_at=NOW,
        next_attempt_at=LATER,
        outcome=CertificationResult.RETRYABLE,
        code="00501",
    )

    for narrowed in (
        CertificationFilter(outcome=CertificationResult.RETRYABLE, code="00501"),
        CertificationFilter(job_seeker_id=person.id),
        CertificationFilter(is_due=True),
    ):
        assert [row.id for row in (await list_certifications(narrowed)).items] == [question.id]
    assert (await certifications.count_certifications(CertificationFilter(code="x"))).number == 0


@pytest.mark.parametrize(
    "read",
    [
        list_notifications,
        list_webhooks,
        list_mails,
        list_surveys,
        list_certifications,
        count_notifications,
        count_by_status,
        lambda: count_by_status_up_to(10),
        webhooks.count_webhooks,
        webhooks.count_by_state,
        lambda: webhooks.count_by_state_up_to(10),
        lambda: group_notifications(now=LATER),
        lambda: group_webhooks(now=LATER),
    ],
)
async def test_a_list_is_one_statement_whatever_its_length(read: Callable[[], Awaitable[object]]):
    for _ in range(3):
        await make_refused()
        await make_event()
        await _mail()

    async with counting_statements() as counter:
        await read()

    assert counter.statements == 1


async def _mail(**values: Any) -> Mail:
    defaults: dict[str, Any] = {
        "template": MailTemplate.SURVEY_EMPLOYER,
        "subject_id": uuid4(),
        "recipient": "quelqu-un@exemple.test",
        "parameters": "{}",
        "next_attempt_at": NOW,
        "created_at": NOW,
    }
    return await Mail.create(**(defaults | values))
