"""Mails leave once: over a real relay, with what goes wrong between its lines and ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from clients.breaker import BreakerPolicy
from clients.mail_client import MailClient
from models import Mail
from models.database import transaction, write
from models.enums import MailState, MailTemplate
from services.mails import post, send_due_mails, send_mail
from services.mails.outbox import claim, hand_over
from services.mails.sending import GIVE_UP_AFTER, PAUSES, MailOutcome
from tests.conftest import NOW
from tests.integration.relay import Relay, mail_relay

pytestmark = pytest.mark.usefixtures("database")

RECIPIENT = "camille.inventee@exemple.test"
PARAMETERS = {
    "greeting": "Madame INVENTÉE",
    "company": "L'Atelier <Imaginaire>",
    "job_seeker": "FICTIVE Zélie",
    "link": "https://traverse.exemple.test/go/diagoriente/jeton",
}


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with mail_relay() as relay:
        yield relay


async def posted(
    recipient: str = RECIPIENT, *, parameters: Mapping[str, str] = PARAMETERS, now: datetime = NOW
) -> UUID:
    return await post(MailTemplate.DIAGORIENTE_PRESCRIBER, uuid4(), recipient=recipient, parameters=parameters, now=now)


async def send(mail_id: UUID, relay: Relay, *, at: datetime = NOW) -> MailOutcome | None:
    return await send_over(relay.client, mail_id, at=at)


async def send_over(client: MailClient, mail_id: UUID, *, at: datetime) -> MailOutcome | None:
    return await send_mail(mail_id, client=client, clock=lambda: at)


async def test_a_mail_leaves_once_with_its_id_as_message_id(relay: Relay):
    mail_id = await posted()

    outcomes = await asyncio.gather(*(send(mail_id, relay) for _ in range(5)))
    again = await send(mail_id, relay)

    [mail] = await relay.mails()
    assert sorted(str(outcome) for outcome in outcomes) == ["None", "None", "None", "None", "sent"]
    assert again is None
    assert mail["recipients"] == [RECIPIENT]
    assert mail["headers"]["Message-ID"].startswith(f"<{mail_id}@")
    assert "FICTIVE Zélie" in mail["text"]
    assert "L&#x27;Atelier &lt;Imaginaire&gt;" in mail["html"]


async def test_nothing_personal_stays_once_a_mail_has_left(relay: Relay):
    mail_id = await posted()

    await send(mail_id, relay)

    row = await Mail.get(id=mail_id)
    assert (row.state, row.sent_at, row.attempts) == (MailState.SENT, NOW, 1)
    assert (row.recipient, row.parameters, row.next_attempt_at, row.lease_token) == (None, None, None, None)


async def test_a_mail_of_a_transaction_that_fails_never_leaves(relay: Relay):
    async def post_and_fail() -> None:
        async with transaction():
            await posted()
            raise RuntimeError("changed its mind")

    with pytest.raises(RuntimeError, match="changed its mind"):
        await post_and_fail()

    summary = await send_due_mails(client=relay.client, clock=lambda: NOW)

    assert summary.sent == 0
    assert await relay.mails() == []


async def test_a_relay_that_is_away_is_tried_again_at_growing_pauses(relay: Relay):
    mail_id = await posted()
    # Nobody listens on the discard port.
    gone = MailClient(replace(relay.config, port=9, breaker=BreakerPolicy(failures=100)))
    at, pauses = NOW, list[timedelta]()

    for _ in range(len(PAUSES) + 1):
        assert await send_over(gone, mail_id, at=at) is MailOutcome.POSTPONED
        due = (await Mail.get(id=mail_id)).next_attempt_at
        assert due is not None
        assert await send_over(gone, mail_id, at=due - timedelta(seconds=1)) is None
        pauses.append(due - at)
        at = due

    assert pauses == [*PAUSES, PAUSES[-1]]
    assert await send(mail_id, relay, at=at) is MailOutcome.SENT
    assert len(await relay.mails()) == 1


async def test_after_days_without_a_relay_the_team_is_told(relay: Relay):
    mail_id = await posted()
    gone = MailClient(replace(relay.config, port=9))

    with capture_logs() as logs:
        outcome = await send_over(gone, mail_id, at=NOW + GIVE_UP_AFTER)

    assert outcome is MailOutcome.FAILED
    assert (await Mail.get(id=mail_id)).state is MailState.FAILED
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["mail_given_up"]


@pytest.mark.parametrize("local_part", ["inconnu", "contenu"])
async def test_a_refused_mail_is_not_tried_again(relay: Relay, local_part: str):
    mail_id = await posted(f"{local_part}@exemple.test")

    outcome = await send(mail_id, relay)

    row = await Mail.get(id=mail_id)
    assert (outcome, row.state, row.next_attempt_at) == (MailOutcome.FAILED, MailState.FAILED, None)
    assert row.code in {"550", "554"}
    assert row.recipient is None


async def test_a_relay_that_asks_to_come_back_later_is_asked_later(relay: Relay):
    mail_id = await posted("occupe@exemple.test")

    outcome = await send(mail_id, relay)

    row = await Mail.get(id=mail_id)
    assert (outcome, row.state, row.code) == (MailOutcome.POSTPONED, MailState.PENDING, "450")
    assert row.handed_over_at is None


async def test_a_mail_that_may_have_arrived_is_not_sent_twice(relay: Relay):
    mail_id = await posted("coupe@exemple.test")

    with capture_logs() as logs:
        outcome = await send(mail_id, relay)
    later = await send_due_mails(client=relay.client, clock=lambda: NOW + timedelta(days=2))

    assert outcome is MailOutcome.UNCONFIRMED
    assert (await Mail.get(id=mail_id)).state is MailState.UNCONFIRMED
    assert later.sent == 0
    assert len(await relay.mails()) == 1
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["mail_given_up"]


async def expire_lease(mail_id: UUID) -> None:
    await write("UPDATE mail SET lease_until = clock_timestamp() - interval '1 second' WHERE id = $1", mail_id)


async def test_the_mail_of_a_worker_that_died_before_its_content_left_is_taken_over(relay: Relay):
    mail_id = await posted()
    await claim(mail_id, now=NOW)
    assert (await send_due_mails(client=relay.client, clock=lambda: NOW)).sent == 0
    await expire_lease(mail_id)

    summary = await send_due_mails(client=relay.client, clock=lambda: NOW)

    assert summary.sent == 1
    assert len(await relay.mails()) == 1


async def test_the_mail_of_a_worker_that_died_while_its_content_left_is_reported_and_not_repeated(relay: Relay):
    mail_id = await posted()
    dead = await claim(mail_id, now=NOW)
    assert dead is not None
    assert await hand_over(dead)
    await expire_lease(mail_id)

    summary = await send_due_mails(client=relay.client, clock=lambda: NOW)

    assert (summary.sent, summary.unconfirmed) == (0, 1)
    assert (await Mail.get(id=mail_id)).state is MailState.UNCONFIRMED
    assert await relay.mails() == []


async def test_a_worker_that_lost_its_lease_lets_nothing_leave(relay: Relay):
    mail_id = await posted()
    slow = await claim(mail_id, now=NOW)
    assert slow is not None
    await expire_lease(mail_id)

    assert await hand_over(slow) is False
    assert await send(mail_id, relay) is MailOutcome.SENT
    assert await hand_over(slow) is False


async def test_one_broken_mail_does_not_keep_the_others(relay: Relay):
    await posted(parameters={"greeting": "Madame"}, now=NOW - timedelta(minutes=1))
    await posted()

    with capture_logs() as logs:
        summary = await send_due_mails(client=relay.client, clock=lambda: NOW)

    assert summary.sent == 1
    assert [(entry["event"], entry["error_class"]) for entry in logs if entry["log_level"] == "error"] == [
        ("mail_broken", "KeyError")
    ]


async def test_logs_of_mails_name_nobody(relay: Relay):
    with capture_logs() as logs:
        for recipient in (RECIPIENT, "inconnu@exemple.test", "coupe@exemple.test", "occupe@exemple.test"):
            await send(await posted(recipient), relay)

    assert logs
    for secret in ("exemple.test", "camille", "FICTIVE", "INVENT", "jeton", "Imaginaire"):
        assert secret not in str(logs)
