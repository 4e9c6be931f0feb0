"""What a simulated partner is, and the guard that stands before each of them."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import Meta
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Router
from starlette.types import Message, Receive, Scope, Send

from sandbox.calls import CallLog, CallRecord
from sandbox.clock import Clock
from sandbox.faults import ActiveFault, FaultBoard, FaultMoment
from sandbox.rates import Window
from sandbox.shapes import Shape, take
from sandbox.transport import cut_connection, dripping

_MAX_BODY_BYTES = 5_000_000
_NOTE = "sandbox.call"


class PartnerSettings(Shape):
    """What can be set on every partner, at the start or by `PATCH /_settings`. Some are secrets: `repr` shows none."""

    latency_s: Annotated[float, Meta(ge=0, le=60)] = 0.0
    rate_per_second: Annotated[int, Meta(ge=1)] | None = None
    retry_after_s: Annotated[int, Meta(ge=0)] = 1

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def as_json(self) -> dict[str, Any]:
        return msgspec.to_builtins(self)


S = TypeVar("S", bound=PartnerSettings, covariant=True)


class SimulatedPartner(ABC, Generic[S]):
    """One partner: routes below its mount `/{name}`, and settings that may be replaced while it runs."""

    name: ClassVar[str]

    def __init__(self, settings: S, clock: Clock) -> None:
        self._settings = settings
        self.clock = clock
        self._windows: dict[str, Window] = {}

    @property
    def settings(self) -> S:
        return self._settings

    @abstractmethod
    def routes(self) -> Sequence[BaseRoute]:
        """Paths are relative to the mount."""

    def doors(self) -> Sequence[BaseRoute]:
        """Control doors of its own, beside the common ones: paths from the root, beginning with `/_`."""
        return ()

    def people(self) -> Sequence[Mapping[str, Any]]:
        """Invented people who trigger something at this partner only, for `GET /_people`."""
        return ()

    def companies(self) -> Sequence[Mapping[str, Any]]:
        """Invented companies that trigger something at this partner only, for `GET /_companies`."""
        return ()

    async def start(self, faults: FaultBoard) -> None:
        """Open what is not HTTP, when the sandbox runs as a server."""

    async def stop(self) -> None:
        """Close what `start` opened, and end what is still under way."""

    def change_settings(self, changes: dict[str, Any]) -> None:
        """Raises ValueError and changes nothing when one of the values is wrong."""
        self._settings = take(type(self._settings), self._settings.as_json() | changes)

    def is_too_fast(self, path: str) -> bool:
        """Whether one more call would pass the rate: a sliding second a path. Refused calls do not count."""
        limit = self.settings.rate_per_second
        return limit is not None and not self._windows.setdefault(path, Window()).admits(
            self.clock.monotonic(), limit=limit
        )

    def too_many_requests(self) -> Response:
        """How this partner says that a caller is too fast."""
        return PlainTextResponse(
            "Too Many Requests", status_code=429, headers={"Retry-After": str(self.settings.retry_after_s)}
        )


def note_outcome(scope: Scope, *, code: str, subject: str | None = None) -> None:
    """Tell the call log the partner's exit code, and what the call was about."""
    record: CallRecord = scope[_NOTE]
    record.code = code
    record.subject = subject


class PartnerGuard:
    """ASGI application around one partner: records, paces, delays and breaks its calls."""

    def __init__(self, partner: SimulatedPartner[PartnerSettings], calls: CallLog, faults: FaultBoard) -> None:
        self._partner = partner
        self._calls = calls
        self._faults = faults
        self._router = Router(partner.routes())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read_body(receive)
        if body is None:
            await PlainTextResponse("Payload Too Large", status_code=413)(scope, receive, send)
            return
        record = self._calls.begin(
            partner=self._partner.name,
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=Headers(scope=scope),
            raw_body=body,
        )
        started = time.perf_counter()
        try:
            await self._answer({**scope, _NOTE: record}, body, receive, send, record)
        finally:
            record.duration_ms = round((time.perf_counter() - started) * 1000, 3)
            self._calls.finish(record)

    async def _answer(self, scope: Scope, body: bytes, receive: Receive, send: Send, record: CallRecord) -> None:
        active = self._faults.draw(self._partner.name, scope["path"])
        if active is None:
            await _send_all(await self._handled(scope, body), send, record)
            return
        record.fault = active.number
        messages: list[Message] = []
        if active.fault.when is FaultMoment.AFTER or not (active.fault.has_answer or active.fault.disconnect):
            messages = await self._handled_around_delay(active, scope, body)
        else:
            await asyncio.sleep(active.fault.delay_s)
        if active.fault.disconnect:
            await cut_connection(receive, send)
            return
        if active.fault.has_answer:
            messages = await _messages_of(active.fault.answer(), scope)
        if active.fault.drip_s:
            send = dripping(receive, send, pause_s=active.fault.drip_s)
        await _send_all(messages, send, record)

    async def _handled_around_delay(self, active: ActiveFault, scope: Scope, body: bytes) -> list[Message]:
        if active.fault.when is FaultMoment.BEFORE:
            await asyncio.sleep(active.fault.delay_s)
            return await self._handled(scope, body)
        messages = await self._handled(scope, body)
        await asyncio.sleep(active.fault.delay_s)
        return messages

    async def _handled(self, scope: Scope, body: bytes) -> list[Message]:
        """What the partner answers when nothing is broken."""
        if self._partner.is_too_fast(scope["path"]):
            return await _messages_of(self._partner.too_many_requests(), scope)
        await asyncio.sleep(self._partner.settings.latency_s)
        messages: list[Message] = []
        await self._router(scope, _replay(body), _collector(messages))
        return messages


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is larger than any partner would take."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return body


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _collector(messages: list[Message]) -> Send:
    async def send(message: Message) -> None:
        messages.append(message)

    return send


async def _messages_of(response: Response, scope: Scope) -> list[Message]:
    messages: list[Message] = []
    await response(scope, _replay(b""), _collector(messages))
    return messages


async def _send_all(messages: list[Message], send: Send, record: CallRecord) -> None:
    for message in messages:
        if message["type"] == "http.response.start":
            record.status = message["status"]
        await send(message)
