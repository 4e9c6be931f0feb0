"""What becomes of events afterwards: bodies that are purged, events that are replayed, partners that fall silent."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from models import WebhookEvent
from models.enums import Partner
from models.enums import WebhookEventStatus as Status
from services.webhooks.replaying import Replay, replay
from services.webhooks.retention import Retention, purge_bodies
from services.webhooks.silence import alarm_on_silence, expectations, read_activity, read_backlog
from tests.conftest import NOW
from tests.integration.services.test_webhook_engine import receive
from tests.integration.webhooks.senders import as_json, invitation, rdv

pytestmark = pytest.mark.usefixtures("database")

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


async def settle(event_id: UUID, status: Status) -> None:
    processed_at = None if status is Status.RECEIVED else NOW
    await WebhookEvent.filter(id=event_id).update(status=status, processed_at=processed_at)


@pytest.mark.parametrize(
    ("status", "kept"),
    [
        (Status.PROCESSED, 30 * DAY),
        (Status.IGNORED, 30 * DAY),
        (Status.UNMATCHED, 90 * DAY),
        (Status.FAILED, 90 * DAY),
        (Status.RECEIVED, None),
    ],
)
async def test_a_body_is_kept_for_its_time_and_no_longer(status: Status, kept: timedelta | None):
    [event_id] = await receive(rdv())
    await settle(event_id, status)
    over = kept or 9_999 * DAY

    purged = [
        await purge_bodies(Retention(), now=NOW + over),
        await purge_bodies(Retention(), now=NOW + over + SECOND),
    ]

    assert purged == [0, 0 if kept is None else 1]
    event = await WebhookEvent.get(id=event_id)
    assert (event.body is None) == (kept is not None)
    assert (event.status, event.resource_id, event.partner_user_ids) == (status, "1261", [3432])


async def test_bodies_are_purged_in_steps_until_none_is_left_or_the_worker_is_to_end():
    for event_id in await receive(*(rdv(number) for number in range(1, 8))):
        await settle(event_id, Status.PROCESSED)
    answers = iter([True, False])

    first = await purge_bodies(Retention(), now=NOW + 31 * DAY, batch_size=2, keep_going=lambda: next(answers))
    rest = await purge_bodies(Retention(), now=NOW + 31 * DAY, batch_size=2)

    assert (first, rest) == (2, 5)


@pytest.mark.parametrize("status", list(Status))
async def test_an_event_in_any_state_is_due_again_after_a_replay(status: Status):
    [event_id] = await receive(rdv())
    await settle(event_id, status)

    assert await replay(event_id, by=uuid4(), now=NOW) is Replay.DUE
    event = await WebhookEvent.get(id=event_id)
    assert (event.status, event.attempts, event.error, event.processed_at) == (Status.RECEIVED, 0, None, None)


async def test_what_cannot_be_replayed_says_why():
    purged, held = await receive(rdv(1), rdv(2))
    [unknown] = await receive(
        as_json({"data": {"id": 7}, "meta": {"model": "Agent", "timestamp": "2026-03-02 10:15:00 +0100"}})
    )
    await settle(purged, Status.PROCESSED)
    await WebhookEvent.filter(id=purged).update(body=None)
    await WebhookEvent.filter(id=held).update(lease_token=uuid4(), lease_until=NOW + 9_999 * DAY)

    outcomes = [await replay(event_id, by=None, now=NOW) for event_id in (purged, held, unknown, uuid4())]

    assert outcomes == [Replay.PURGED, Replay.UNDER_WAY, Replay.UNKNOWN_MODEL, Replay.NOT_FOUND]


async def test_each_kind_of_webhook_says_when_it_came_last():
    expected = expectations(rdv_insertion=DAY, tally=None)
    await receive(rdv(1), rdv(2))
    await WebhookEvent.all().update(received_at=NOW - DAY)
    [late] = await receive(rdv(3))
    await WebhookEvent.filter(id=late).update(received_at=NOW - 2 * DAY)

    appointments, invitations = await read_activity(expected, now=NOW)
    later = await read_activity(expected, now=NOW + SECOND)

    assert (appointments.last_received_at, appointments.is_silent) == (NOW - DAY, False)
    assert (invitations.last_received_at, invitations.is_silent) == (None, False)
    assert [each.is_silent for each in later] == [True, False]


async def test_a_partner_that_fell_silent_is_an_alarm_for_each_kind():
    await receive(rdv(), invitation())
    expected = expectations(rdv_insertion=DAY, tally=DAY)

    with capture_logs() as logs:
        silent = await alarm_on_silence(expected, now=NOW + DAY + SECOND)

    assert silent == 2
    assert [(entry["event"], entry["log_level"], entry["model"]) for entry in logs] == [
        ("webhook_silence", "error", "rdv"),
        ("webhook_silence", "error", "invitation"),
    ]


async def test_what_waits_is_counted_with_the_age_of_the_oldest():
    empty = await read_backlog()
    first, _ = await receive(rdv(1), rdv(2))
    await WebhookEvent.filter(id=first).update(received_at=NOW - DAY)

    backlog = await read_backlog()

    assert (empty.waiting, empty.oldest_due_at) == (0, None)
    assert (backlog.waiting, backlog.oldest_due_at) == (2, NOW - DAY)


def test_nothing_is_expected_of_partners_that_are_not_configured():
    assert expectations(rdv_insertion=None, tally=None) == ()
    assert {each.source for each in expectations(rdv_insertion=None, tally=DAY)} == {Partner.TALLY}
