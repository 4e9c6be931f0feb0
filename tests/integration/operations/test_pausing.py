from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from models import Approval, AuditEntry
from models.enums import AuditAction, NotificationStatus, Partner, WebhookEventStatus, WorkQueue
from services.leases import DEFAULT_LEASE
from services.mails import outbox
from services.notification.claims import Subject, claim_one
from services.operations.acting import MadeDue, replay_webhook, retry_notification
from services.operations.audit import AuditFilter, checked_reason, list_audit
from services.operations.pausing import Changed, end_automatic_pause, pause, read_pauses, resume
from services.outcomes import ConflictFound, Invalid, NotFound
from services.pauses import PauseTarget, is_on_hold, is_paused, pause_partner
from services.webhooks.claims import claim
from tests.factories import make_approval
from tests.integration.operations.rows import LATER, NOW, REASON, make_event, make_operator, make_refused

pytestmark = pytest.mark.usefixtures("database")


async def paused(target: PauseTarget) -> None:
    assert await pause(target, by=(await make_operator()).id, reason=REASON, now=NOW) == Changed()


async def resumed(target: PauseTarget) -> None:
    assert await resume(target, by=(await make_operator()).id, reason=REASON, now=LATER) == Changed()


@pytest.mark.parametrize("target", [WorkQueue.NOTIFICATIONS, Partner.FRANCE_TRAVAIL])
async def test_no_notification_is_claimed_while_its_queue_or_its_partner_is_paused(target: PauseTarget):
    approval = await make_approval(pe_notification_status=NotificationStatus.READY)
    await paused(target)

    held = await claim_one(Subject.APPROVAL, approval.id, lease=DEFAULT_LEASE)
    await resumed(target)
    claimed = await claim_one(Subject.APPROVAL, approval.id, lease=DEFAULT_LEASE)

    assert held is None
    assert claimed is not None


async def test_events_of_a_paused_partner_wait_and_those_of_others_do_not():
    await make_event(WebhookEventStatus.RECEIVED, source=Partner.RDV_INSERTION)
    tally = await make_event(WebhookEventStatus.RECEIVED, source=Partner.TALLY, model="form_response")
    await paused(Partner.RDV_INSERTION)

    batch = await claim([Partner.RDV_INSERTION, Partner.TALLY], now=LATER, size=10, lease=DEFAULT_LEASE)

    assert [resource.id for resource in batch.resources] == [tally.resource_id]


async def test_no_event_is_claimed_while_their_processing_is_paused():
    await make_event(WebhookEventStatus.RECEIVED)
    await paused(WorkQueue.WEBHOOKS)

    held = await claim([Partner.RDV_INSERTION], now=LATER, size=10, lease=DEFAULT_LEASE)
    await resumed(WorkQueue.WEBHOOKS)
    batch = await claim([Partner.RDV_INSERTION], now=LATER, size=10, lease=DEFAULT_LEASE)

    assert (len(held.resources), len(batch.resources)) == (0, 1)


async def test_no_mail_is_claimed_while_mails_are_paused():
    mail_id = await outbox.post(
        outbox.MailTemplate.SURVEY_EMPLOYER, uuid4(), recipient="a@exemple.test", parameters={}, now=NOW
    )
    await paused(WorkQueue.MAILS)

    due, held = await outbox.due_mails(LATER, limit=5), await outbox.claim(mail_id, now=LATER)
    await resumed(WorkQueue.MAILS)

    assert (due, held) == ([], None)
    assert await outbox.claim(mail_id, now=LATER) is not None


async def test_who_waits_for_a_paused_partner_is_told():
    await paused(Partner.API_PARTICULIER)

    assert await is_on_hold(Partner.API_PARTICULIER)
    assert await is_paused(Partner.API_PARTICULIER, access="any", now=NOW)
    assert not await is_on_hold(Partner.FRANCE_TRAVAIL)


async def test_pauses_are_shown_with_author_and_reason_apart_from_automatic_ones():
    await paused(WorkQueue.GEOCODING)
    await pause_partner(Partner.API_PARTICULIER, access="a", reason="00103", now=NOW)

    pauses = await read_pauses(now=LATER)

    [manual], [automatic] = pauses.manual, pauses.automatic
    assert (manual.target, manual.author_name, manual.reason) == (WorkQueue.GEOCODING, "Opale Fictive", REASON)
    assert pauses.of(WorkQueue.GEOCODING) == manual
    assert pauses.of(Partner.BAN) is None
    assert (automatic.partner, automatic.code) == (Partner.API_PARTICULIER, "00103")


async def test_a_pause_begins_once_and_ends_once():
    operator = await make_operator()
    await paused(Partner.BAN)

    again = await pause(Partner.BAN, by=operator.id, reason=REASON, now=LATER)
    await resumed(Partner.BAN)
    over = await resume(Partner.BAN, by=operator.id, reason=REASON, now=LATER)

    assert isinstance(again, ConflictFound)
    assert isinstance(over, ConflictFound)
    assert await AuditEntry.filter(action=AuditAction.PAUSED).count() == 1
    assert await AuditEntry.filter(action=AuditAction.RESUMED).count() == 1


async def test_an_automatic_pause_can_be_ended_early():
    operator = await make_operator()
    await pause_partner(Partner.API_PARTICULIER, access="a", reason="00103", now=NOW)

    ended = await end_automatic_pause(Partner.API_PARTICULIER, by=operator.id, reason=REASON, now=LATER)
    again = await end_automatic_pause(Partner.API_PARTICULIER, by=operator.id, reason=REASON, now=LATER)

    entry = await AuditEntry.get(action=AuditAction.PARTNER_RETRIED)
    assert ended == Changed()
    assert isinstance(again, ConflictFound)
    assert not await is_paused(Partner.API_PARTICULIER, access="a", now=LATER)
    assert entry.before is not None
    assert entry.before["code"] == "00103"


async def test_a_partner_that_no_worker_calls_cannot_be_paused():
    outcome = await pause(Partner.METABASE, by=uuid4(), reason=REASON, now=NOW)

    assert isinstance(outcome, Invalid)


@pytest.mark.parametrize(
    "text",
    ["", "  a ", "x" * 301, "voir 1 85 05 78 006 084 36", "écrire à zelie@exemple.test", "rappeler le 06 12 34 56 78"],
)
def test_a_reason_says_something_and_names_nobody(text: str):
    assert isinstance(checked_reason(text), Invalid)


def test_a_reason_may_name_an_approval_and_a_ticket():
    assert checked_reason("  Ticket 4821,\n PASS 999992139048 ") == "Ticket 4821, PASS 999992139048"


async def test_one_notification_is_retried_and_recorded_with_what_was_before():
    operator, approval = await make_operator(), await make_refused()

    outcome = await retry_notification(Subject.APPROVAL, approval.id, by=operator.id, reason=REASON, now=LATER)

    [entry] = (await list_audit(AuditFilter(subject_id=str(approval.id)))).items
    assert outcome == MadeDue(approval.id)
    assert (await Approval.get(id=approval.id)).pe_notification_status is NotificationStatus.PENDING
    assert (entry.actor_name, entry.action) == ("Opale Fictive", AuditAction.NOTIFICATION_RETRIED)
    assert (entry.before, entry.after) == (
        {"status": "notification_error", "code": "S008"},
        {"status": "notification_pending", "code": "S008"},
    )


async def test_a_retry_that_cannot_be_is_not_recorded():
    approval = await make_refused()
    await Approval.filter(id=approval.id).update(lease_token=uuid4(), lease_until=LATER + timedelta(days=36_500))

    under_way = await retry_notification(Subject.APPROVAL, approval.id, by=uuid4(), now=LATER)
    missing = await retry_notification(Subject.CANCELLATION, uuid4(), by=uuid4(), now=LATER)

    assert isinstance(under_way, ConflictFound)
    assert isinstance(missing, NotFound)
    assert await AuditEntry.all().count() == 0


async def test_one_event_is_replayed_and_recorded():
    operator, event = await make_operator(), await make_event()

    outcome = await replay_webhook(event.id, by=operator.id, now=LATER)

    entry = await AuditEntry.get(action=AuditAction.WEBHOOK_REPLAYED)
    assert outcome == MadeDue(event.id)
    assert entry.before == {"status": "failed", "error": "KeyError", "attempts": 3}


async def test_an_event_that_cannot_be_replayed_says_why():
    purged, unknown = await make_event(body=None), await make_event(error="unknown_model")

    outcomes = [await replay_webhook(event.id, by=uuid4(), now=LATER) for event in (purged, unknown)]

    assert all(isinstance(outcome, ConflictFound) for outcome in outcomes)
    assert await replay_webhook(uuid4(), by=uuid4(), now=LATER) == NotFound()
    assert await AuditEntry.all().count() == 0


async def test_the_record_is_narrowed_by_action_person_and_time():
    operator = await make_operator()
    await pause(WorkQueue.MAILS, by=operator.id, reason=REASON, now=NOW)
    await resume(WorkQueue.MAILS, by=operator.id, reason=REASON, now=LATER)

    by_action = await list_audit(AuditFilter(action=AuditAction.RESUMED))
    by_time = await list_audit(AuditFilter(actor_id=operator.id, until=LATER))
    nobody = await list_audit(AuditFilter(actor_id=uuid4()))

    assert [entry.at for entry in by_action.items] == [LATER]
    assert [entry.action for entry in by_time.items] == [AuditAction.PAUSED]
    assert nobody.items == ()
