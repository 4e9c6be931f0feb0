"""Hand mails over to the relay, each one at most once: again only if it surely did not leave.

Between the last line of a mail and the relay's answer to it nobody knows. A mail that was lost there stays
UNCONFIRMED and is reported: somebody who gets the same mail twice is worse served than an alarm for the team.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from clients.errors import Delivery, ErrorCode, PartnerError, PartnerRejected
from clients.mail import Mail, MailConfigurationError
from models.enums import MailState
from services.clock import Clock, utc_now
from services.mails.outbox import ClaimedMail, claim, due_mails, give_up_unconfirmed, hand_over, postpone, settle
from services.mails.rendering import render

if TYPE_CHECKING:
    # Who only posts mails does without what sends them.
    from clients.mail_client import MailClient

log = structlog.get_logger(__name__)

BATCH_SIZE = 200
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
)
"""After the first failure, the second, and so on; the last one from then on."""
GIVE_UP_AFTER = timedelta(days=3)


class MailOutcome(StrEnum):
    """What one attempt came to."""

    SENT = "sent"
    POSTPONED = "postponed"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    RELAY_IS_DOWN = "relay_is_down"


@dataclass(slots=True, kw_only=True)
class MailSummary:
    """What became of the mails of one run. `stopped`: the relay takes none at present."""

    sent: int = 0
    postponed: int = 0
    unconfirmed: int = 0
    failed: int = 0
    stopped: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def count(self, outcome: MailOutcome) -> None:
        match outcome:
            case MailOutcome.SENT:
                self.sent += 1
            case MailOutcome.POSTPONED:
                self.postponed += 1
            case MailOutcome.UNCONFIRMED:
                self.unconfirmed += 1
            case MailOutcome.FAILED:
                self.failed += 1
            case MailOutcome.RELAY_IS_DOWN:
                self.postponed += 1
                self.stopped = True


async def send_due_mails(
    *,
    client: MailClient,
    batch_size: int = BATCH_SIZE,
    clock: Clock = utc_now,
    keep_going: Callable[[], bool] = lambda: True,
) -> MailSummary:
    """Hand over what is due, those that waited the longest first. `keep_going` is asked before each."""
    summary = MailSummary()
    for mail_id in await give_up_unconfirmed():
        log.error("mail_unconfirmed", mail_id=str(mail_id), code="worker_died")
        summary.unconfirmed += 1
    for mail_id in await due_mails(clock(), limit=batch_size):
        if summary.stopped or not keep_going():
            break
        try:
            outcome = await send_mail(mail_id, client=client, clock=clock)
        except Exception as error:  # noqa: BLE001 - one mail must not keep the others from their turn
            # The class alone: the text may hold what was to be sent.
            log.error("mail_broken", mail_id=str(mail_id), error_class=type(error).__name__)  # noqa: TRY400
            continue
        if outcome is not None:
            summary.count(outcome)
    return summary


async def send_mail(mail_id: UUID, *, client: MailClient, clock: Clock = utc_now) -> MailOutcome | None:
    """Hand one mail over if it is due. None: it is not, or somebody else is at it. Never raises PartnerError."""
    mail = await claim(mail_id, now=clock())
    if mail is None:
        return None
    content = render(mail.template, mail.parameters)
    message = Mail(
        key=str(mail.id), recipient=mail.recipient, subject=content.subject, text=content.text, html=content.html
    )
    try:
        await client.send(message, before_content=lambda: hand_over(mail))
    except PartnerError as error:
        return await _failed(mail, error, now=clock())
    await settle(mail, MailState.SENT, sent_at=clock())
    log.info("mail_sent", mail_id=str(mail.id), template=mail.template.value, attempts=mail.attempts)
    return MailOutcome.SENT


async def _failed(mail: ClaimedMail, error: PartnerError, *, now: datetime) -> MailOutcome:
    if isinstance(error, PartnerRejected):
        return await _given_up(mail, error.code, MailState.FAILED, MailOutcome.FAILED)
    if error.delivery is Delivery.UNKNOWN:
        return await _given_up(mail, error.code, MailState.UNCONFIRMED, MailOutcome.UNCONFIRMED)
    if now - mail.created_at >= GIVE_UP_AFTER:
        return await _given_up(mail, error.code, MailState.FAILED, MailOutcome.FAILED)
    pause = PAUSES[min(mail.attempts, len(PAUSES)) - 1]
    if error.retry_after is not None:
        pause = max(pause, timedelta(seconds=error.retry_after))
    await postpone(mail, now + pause, code=error.code)
    log.warning("mail_postponed", mail_id=str(mail.id), code=error.code, attempts=mail.attempts)
    if isinstance(error, MailConfigurationError):
        # Every mail fails alike until somebody corrects the settings.
        log.error("mail_alarm", reason="configuration", code=error.code)
        return MailOutcome.RELAY_IS_DOWN
    return MailOutcome.RELAY_IS_DOWN if error.code == ErrorCode.BREAKER_OPEN else MailOutcome.POSTPONED


async def _given_up(mail: ClaimedMail, code: str | None, state: MailState, outcome: MailOutcome) -> MailOutcome:
    await settle(mail, state, code=code)
    log.error("mail_given_up", mail_id=str(mail.id), state=state.value, code=code, attempts=mail.attempts)
    return outcome
