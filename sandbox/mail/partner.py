"""The simulated mail relay: an SMTP server on a port of its own, whose mails can be listed."""

import asyncio
import email
import email.policy
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Annotated, Any, cast

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.clock import Clock
from sandbox.control import OrjsonResponse
from sandbox.faults import FaultBoard, FaultMoment
from sandbox.mail.session import Account, Message, Session, Verdict
from sandbox.partner import PartnerSettings, SimulatedPartner

HOST = "127.0.0.1"

_KEPT = 10_000
_LINE_LIMIT = 64 * 1024
# What a recipient's local part triggers, by the step at which it does.
_TRIGGERS = {
    ("rcpt", "inconnu"): Verdict(code=550),
    ("rcpt", "occupe"): Verdict(code=450),
    ("data", "contenu"): Verdict(code=554),
    ("data", "coupe"): Verdict(cut=True, keep=True),
}


class MailSettings(PartnerSettings):
    """With a `username`, a session has to sign in."""

    username: str | None = None
    password: str = ""
    max_bytes: Annotated[int, Meta(ge=1)] = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    number: int
    at: str
    message: Message = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        parsed = email.message_from_bytes(self.message.content, policy=email.policy.default)
        return {
            "number": self.number,
            "at": self.at,
            "sender": self.message.sender,
            "recipients": self.message.recipients,
            "subject": str(parsed["Subject"] or ""),
            "headers": {name: str(value) for name, value in parsed.items()},
            "text": _part(parsed, "plain"),
            "html": _part(parsed, "html"),
        }


class SimulatedMailRelay(SimulatedPartner[MailSettings]):
    """Faults reach it at the end of a message: `status` is the reply, `disconnect` takes its place."""

    name = "smtp"

    def __init__(
        self, settings: MailSettings, clock: Clock, *, port: int | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """`port` None: it does not listen; 0: on any free one."""
        super().__init__(settings, clock)
        self._wanted_port = port
        self._tls = tls
        self._faults: FaultBoard | None = None
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._mails: deque[_Kept] = deque(maxlen=_KEPT)
        self._received = 0

    @property
    def port(self) -> int | None:
        """Where it listens; None while it does not."""
        return None if self._server is None else self._server.sockets[0].getsockname()[1]

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    def doors(self) -> Sequence[BaseRoute]:
        return (
            Route("/_mails", self._list, methods=["GET"]),
            Route("/_mails", self._forget, methods=["DELETE"]),
        )

    async def start(self, faults: FaultBoard) -> None:
        """Raises RuntimeError when the port is taken."""
        if self._wanted_port is None:
            return
        self._faults = faults
        try:
            self._server = await asyncio.start_server(
                self._serve, HOST, self._wanted_port, limit=_LINE_LIMIT, ssl=self._tls
            )
        except OSError:
            raise RuntimeError(
                f"port {self._wanted_port}: taken, and the sandbox takes mails there; free it or choose another port"
            ) from None

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for session in list(self._sessions):
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _list(self, request: Request) -> Response:
        recipient = request.query_params.get("recipient")
        wanted = [mail for mail in self._mails if recipient is None or recipient in mail.message.recipients]
        return OrjsonResponse([mail.as_json() for mail in wanted])

    async def _forget(self, _: Request) -> Response:
        self._mails.clear()
        return Response(status_code=204)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._sessions.add(task)
        settings = self.settings
        session = Session(
            reader,
            writer,
            account=Account(settings.username, settings.password) if settings.username else None,
            max_bytes=settings.max_bytes,
            judge=self._judge,
            keep=self._keep,
        )
        try:
            await session.run()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the other side went away, or does not speak SMTP
        finally:
            self._sessions.discard(task)
            writer.close()

    async def _judge(self, step: str, recipient: str) -> Verdict:
        if step == "data":
            await asyncio.sleep(self.settings.latency_s)
            fault = self._faults.draw(self.name, "/data") if self._faults else None
            if fault is not None:
                await asyncio.sleep(fault.fault.delay_s)
                is_kept = fault.fault.when is FaultMoment.AFTER
                return Verdict(code=fault.fault.status, cut=fault.fault.disconnect, keep=is_kept)
        return _TRIGGERS.get((step, recipient.partition("@")[0].lower()), Verdict())

    def _keep(self, message: Message) -> None:
        self._received += 1
        self._mails.append(_Kept(number=self._received, at=self.clock.now().isoformat(), message=message))


def _part(parsed: EmailMessage, kind: str) -> str | None:
    part = parsed.get_body((kind,))
    return None if part is None else str(part.get_content())
