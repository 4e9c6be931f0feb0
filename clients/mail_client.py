"""E-mail by SMTP (RFC 5321): one message to one person at a time.

The steps of a session are taken one by one, because only that tells what became of the message: until its last line
has left nothing was sent, and after that only the server's reply says.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from enum import StrEnum
from time import monotonic

import aiosmtplib

from clients.breaker import Breaker, BreakerState, Verdict
from clients.errors import Delivery, ErrorCode, PartnerError, PartnerRejected, PartnerUnavailable
from clients.mail import PARTNER, Mail, MailConfig, MailConfigurationError, Security, normalise_address
from clients.observer import CallOutcome, Observer

SEND_OPERATION = "send_mail"

BeforeContent = Callable[[], Awaitable[bool]]

INVALID_RECIPIENT = "invalid_recipient"  # ours: no address that a mail can be sent to

_QUIT_SECONDS = 2.0
_REFUSALS = range(400, 600)
_PERMANENT = 500
_SERVICE_NOT_AVAILABLE = 421
_MESSAGE_KEY = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
# Seven bits a character: every relay takes it, whatever it announces.
_POLICY = SMTP_POLICY.clone(cte_type="7bit")


class MailClient:
    """The mail relay. Build it once a process, on the loop that uses it.

    Raises PartnerUnavailable (MailConfigurationError when it is about us) or PartnerRejected with the SMTP reply code.
    With `delivery` UNKNOWN the mail may have left; a repeat under the same key bears the same Message-ID.
    """

    def __init__(
        self,
        config: MailConfig,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Raise ValueError when the configured sender is no address."""
        self._config = config
        self._observer = observer
        self._clock = clock
        self._now = now
        self._slots = asyncio.Semaphore(config.max_concurrency)
        self._breaker = Breaker(config.breaker, clock=clock)
        self._sender_name, sender = parseaddr(config.sender)
        address = normalise_address(sender)
        if address is None:
            raise ValueError("mail sender: no e-mail address; give one, or `Name <address>`")
        self._sender = address

    async def send(self, mail: Mail, *, before_content: BeforeContent | None = None) -> None:
        """Hand the mail over; returning means that the relay took it.

        `before_content` is awaited when the relay has taken the recipient and nothing of the content has left: what it
        writes down separates the mails that surely were not sent from those that may have been. False calls it off.
        """
        started, outcome = self._clock(), CallOutcome.ABORTED
        try:
            await self._send(mail, before_content)
            outcome = CallOutcome.OK
        except PartnerError as error:
            outcome = _outcome_of(error)
            raise
        finally:
            if self._observer is not None:
                self._observer.observe(
                    partner=PARTNER,
                    operation=SEND_OPERATION,
                    outcome=outcome,
                    http_status=None,
                    duration_ms=(self._clock() - started) * 1000,
                )

    async def check(self) -> None:
        """Open a session as a mail would, encryption and sign-in included, and leave. Raises as `send` does."""
        smtp, failure = self._session(), None
        try:
            async with asyncio.timeout(self._config.connect_timeout_seconds):
                await smtp.connect()
            await _leave(smtp)
        except (TimeoutError, OSError, aiosmtplib.SMTPException) as error:
            failure = _failure(_Step.CONNECTION, error)
        finally:
            smtp.close()
        if failure is not None:
            raise failure.error

    def breaker_states(self) -> dict[str, BreakerState]:
        return {SEND_OPERATION: self._breaker.state}

    async def _send(self, mail: Mail, before_content: BeforeContent | None) -> None:
        recipient = normalise_address(mail.recipient)
        if recipient is None:
            raise PartnerRejected(
                PARTNER,
                SEND_OPERATION,
                "not sent: the recipient has no usable e-mail address",
                code=INVALID_RECIPIENT,
                delivery=Delivery.NOT_SENT,
            )
        content = self._compose(mail, recipient)
        async with self._slots:
            permit = self._breaker.admit()
            if permit is None:
                raise self._breaker_open()
            verdict = Verdict.NEUTRAL
            try:
                failure = await self._deliver(recipient, content, before_content)
                verdict = Verdict.FAILING if failure is not None and failure.is_outage else Verdict.HEALTHY
            finally:
                self._breaker.settle(permit, verdict)
        if failure is not None:
            raise failure.error

    def _compose(self, mail: Mail, recipient: str) -> bytes:
        """Raise ValueError for a key or a subject that would break out of its header."""
        if not _MESSAGE_KEY.fullmatch(mail.key):
            raise ValueError("mail key: letters, digits, dots and hyphens expected, 64 at most")
        if mail.subject != "".join(mail.subject.splitlines()):
            raise ValueError("mail subject: one line expected")
        message = EmailMessage(policy=_POLICY)
        message["From"] = Address(display_name=self._sender_name, addr_spec=self._sender)
        message["To"] = Address(addr_spec=recipient)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(self._now())
        message["Message-ID"] = f"<{mail.key}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies to it
        message.set_content(mail.text)
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
        return message.as_bytes()

    async def _deliver(self, recipient: str, content: bytes, before_content: BeforeContent | None) -> "_Failure | None":
        """Nothing of the library's is raised here: it holds addresses."""
        config = self._config
        progress = _Progress()
        smtp = self._session()
        try:
            async with asyncio.timeout(config.timeout_seconds):
                async with asyncio.timeout(config.connect_timeout_seconds):
                    await smtp.connect()
                progress.step = _Step.SENDER
                await smtp.mail(self._sender)
                progress.step = _Step.RECIPIENT
                await smtp.rcpt(recipient)
                if before_content is not None and not await before_content():
                    return _CALLED_OFF
                progress.step = _Step.CONTENT
                await smtp.data(content)
                progress.step = _Step.DONE
                await _leave(smtp)
        except (TimeoutError, OSError, aiosmtplib.SMTPException) as error:
            return None if progress.step is _Step.DONE else _failure(progress.step, error)
        finally:
            smtp.close()
        return None

    def _session(self) -> aiosmtplib.SMTP:
        config = self._config
        return aiosmtplib.SMTP(
            hostname=config.host,
            port=config.port,
            # As bytes: the library would write a letter that is not ASCII into the text of an exception.
            username=config.username.encode() if config.username else None,
            password=config.password.encode() if config.password else None,
            use_tls=config.security is Security.TLS,
            start_tls=config.security is Security.STARTTLS,
            timeout=config.timeout_seconds,
            # Not our machine's name, whose look-up may block: the sender's domain says who speaks.
            local_hostname=self._sender.rpartition("@")[2],
        )

    def _breaker_open(self) -> PartnerUnavailable:
        return PartnerUnavailable(
            PARTNER,
            SEND_OPERATION,
            "not called: the last calls failed, the breaker is open",
            code=ErrorCode.BREAKER_OPEN,
            retry_after=self._breaker.seconds_closed_to_calls(),
            delivery=Delivery.NOT_SENT,
        )


class _Step(StrEnum):
    """What was under way when it ended."""

    CONNECTION = "connection"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"
    DONE = "done"


@dataclass(slots=True)
class _Progress:
    step: _Step = _Step.CONNECTION


@dataclass(frozen=True, slots=True)
class _Failure:
    """A value, not an exception: raised outside any handler it chains nothing personal."""

    error: PartnerError
    is_outage: bool  # says something about the relay's health


_CALLED_OFF = _Failure(
    PartnerUnavailable(
        PARTNER, SEND_OPERATION, "called off before its content left", code="called_off", delivery=Delivery.NOT_SENT
    ),
    is_outage=False,
)


async def _leave(smtp: aiosmtplib.SMTP) -> None:
    """A polite end. The message is with the relay: whatever goes wrong now changes nothing."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await smtp.quit(timeout=_QUIT_SECONDS)


def _failure(step: _Step, error: Exception) -> _Failure:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _refusal(step, error.code)
    if isinstance(error, aiosmtplib.SMTPException) and not isinstance(error, OSError):
        # STARTTLS or AUTH wanted and not offered.
        return _Failure(_configuration_error("the relay does not offer what the settings ask for"), is_outage=False)
    reason = "no complete answer before the deadline" if isinstance(error, TimeoutError) else "the connection failed"
    return _outage(step, reason, ErrorCode.HTTP_ERROR)


def _outage(step: _Step, reason: str, code: ErrorCode) -> _Failure:
    # Only the last line of the content makes the relay act, and the reply to it may be what got lost.
    delivery = Delivery.UNKNOWN if step is _Step.CONTENT else Delivery.NOT_SENT
    error = PartnerUnavailable(PARTNER, SEND_OPERATION, reason, code=code, delivery=delivery)
    return _Failure(error, is_outage=True)


def _refusal(step: _Step, reply_code: int) -> _Failure:
    """A reply that is not the good one: 4xx heals by itself, 5xx does not (RFC 5321, section 4.2.1)."""
    if reply_code not in _REFUSALS:
        return _outage(step, "the reply is none that SMTP knows here", ErrorCode.UNEXPECTED_SHAPE)
    code = str(reply_code)
    if reply_code < _PERMANENT:
        error = PartnerUnavailable(
            PARTNER, SEND_OPERATION, "the relay asks to come back later", code=code, delivery=Delivery.REFUSED
        )
        return _Failure(error, is_outage=reply_code == _SERVICE_NOT_AVAILABLE)
    if step in {_Step.CONNECTION, _Step.SENDER}:
        # No message was looked at yet: a wrong password, a sender that may not send. To reject would lose every mail.
        return _Failure(_configuration_error("the relay refuses our credentials or our sender", code), is_outage=False)
    reason = "the recipient was refused" if step is _Step.RECIPIENT else "the message was refused"
    return _Failure(PartnerRejected(PARTNER, SEND_OPERATION, reason, code=code), is_outage=False)


def _configuration_error(reason: str, code: str | None = None) -> MailConfigurationError:
    return MailConfigurationError(PARTNER, SEND_OPERATION, reason, code=code, delivery=Delivery.NOT_SENT)


def _outcome_of(error: PartnerError) -> CallOutcome:
    if isinstance(error, PartnerRejected):
        return CallOutcome.REJECTED
    return CallOutcome.BREAKER_OPEN if error.code == ErrorCode.BREAKER_OPEN else CallOutcome.UNAVAILABLE
