"""Events of invitations: how far a message got, in whatever order the news arrive."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from structlog.testing import capture_logs

from models import Invitation
from models.enums import InvitationStatus
from services.webhooks.outcomes import Applied, Ignored, Unmatched
from tests.integration.services.rdv_events import apply, apply_all, invitation, make_invitation, next_number

DELIVERED_AT = "2026-02-17T10:15:40.000+01:00"

pytestmark = pytest.mark.usefixtures("database")


async def state(number: int) -> tuple[InvitationStatus, datetime | None]:
    found = await Invitation.get(rdv_insertion_id=number)
    return found.status, found.delivered_at


@pytest.mark.parametrize(
    ("news", "status"),
    [
        ({"clicked": True, "delivery_status": "hard_bounce"}, InvitationStatus.OPENED),
        ({"delivery_status": "delivered"}, InvitationStatus.DELIVERED),
        ({"delivery_status": "soft_bounce"}, InvitationStatus.NOT_DELIVERED),
        ({"delivery_status": "invalid_email"}, InvitationStatus.NOT_DELIVERED),
        ({"clicked": None, "delivery_status": None}, InvitationStatus.SENT),
    ],
)
async def test_news_of_an_invitation_become_its_status(news: dict[str, Any], status: InvitationStatus):
    await make_invitation(4806)

    outcome = await apply(invitation(4806, **news))

    assert outcome == Applied()
    assert await state(4806) == (status, None)


async def test_the_date_of_delivery_is_kept_and_never_erased():
    await make_invitation(4806)

    await apply(invitation(4806, delivery_status="delivered", delivered_at=DELIVERED_AT))
    await apply(invitation(4806, at=1, clicked=True, delivery_status="delivered", delivered_at=None))

    assert await state(4806) == (InvitationStatus.OPENED, datetime(2026, 2, 17, 9, 15, 40, tzinfo=UTC))


async def test_a_bounce_can_turn_into_a_delivery_and_an_older_event_changes_nothing():
    await make_invitation(4806)

    bounced, delivered, older = await apply_all(
        invitation(4806, at=1, delivery_status="soft_bounce"),
        invitation(4806, at=3, delivery_status="delivered"),
        invitation(4806, at=2, delivery_status="hard_bounce"),
    )

    assert (bounced, delivered, older) == (Applied(), Applied(), Ignored("stale"))
    assert await state(4806) == (InvitationStatus.DELIVERED, None)


async def test_a_word_that_nobody_listed_leaves_the_status_and_is_logged_once():
    await make_invitation(4806)
    await apply(invitation(4806, delivery_status="delivered"))

    with capture_logs() as logs:
        outcome = await apply(invitation(4806, at=1, delivery_status="deferred"))

    assert outcome == Applied()
    assert await state(4806) == (InvitationStatus.DELIVERED, None)
    assert logs == [
        {"event": "invitation_status_unlisted", "log_level": "error", "invitation": 4806, "status": "deferred"}
    ]


async def test_a_date_that_cannot_be_read_is_logged_and_costs_the_rest_nothing():
    await make_invitation(4806)

    with capture_logs() as logs:
        outcome = await apply(invitation(4806, delivery_status="delivered", delivered_at="hier"))

    assert outcome == Applied()
    assert await state(4806) == (InvitationStatus.DELIVERED, None)
    assert [entry["event"] for entry in logs] == ["invitation_date_unreadable"]


async def test_a_reminder_is_unmatched_without_any_alarm():
    with capture_logs() as logs:
        outcome = await apply(invitation(4999, "created"))

    assert outcome == Unmatched("unknown_invitation")
    assert logs == []


async def test_a_destroyed_invitation_stays_as_it_is_and_its_older_news_still_count():
    await make_invitation(4806)

    destroyed, older = await apply_all(
        invitation(4806, "destroyed", at=5), invitation(4806, at=1, delivery_status="delivered")
    )

    assert (destroyed, older) == (Applied(), Applied())
    assert await state(4806) == (InvitationStatus.DELIVERED, None)


async def test_news_in_any_order_come_to_the_same():
    news: tuple[dict[str, Any], ...] = (
        {"event": "created", "at": 0},
        {"at": 1, "delivery_status": "soft_bounce"},
        {"at": 2, "delivery_status": "delivered", "delivered_at": DELIVERED_AT},
        {"at": 3, "clicked": True, "delivery_status": "delivered", "delivered_at": DELIVERED_AT},
        {"at": 4, "delivery_status": None},
        {"event": "destroyed", "at": 5},
    )
    ends: set[Any] = set()

    for order in permutations(news):
        number = next_number()
        await make_invitation(number)
        await apply_all(*(invitation(number, **each) for each in order))
        ends.add(await state(number))

    assert ends == {(InvitationStatus.OPENED, datetime(2026, 2, 17, 9, 15, 40, tzinfo=UTC))}
