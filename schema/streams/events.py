"""GraphQL over server-sent events, distinct connections mode: one operation a request, answered as it goes.

Source: https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverSSE.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from graphql import OperationType
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from execution.engine import OperationRequest
from schema.admission import Ticket
from schema.streams.operations import ClientLost, Errors, OperationRunner
from schema.streams.registry import TOKEN_EXPIRED, Ending, Streams
from schema.streams.sessions import Session
from schema.streams.sockets import abort_connection

EVENT_STREAM = "text/event-stream"

_FORM = "event"  # by which subscribers find what was made of an answer for another
_PING = b": ping\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"
_HEADERS = {
    "Content-Type": f"{EVENT_STREAM}; charset=utf-8",
    "Cache-Control": "no-store",
    "Vary": "Accept",
    # nginx and its kin hold answers back until they are worth a packet, unless they are told.
    "X-Accel-Buffering": "no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStreamLimits:
    ping_seconds: float = 15.0
    # A client that takes nothing for so long is given up.
    send_seconds: float = 20.0
    # How long a query or mutation may still run when the server ends the stream.
    grace_seconds: float = 5.0


class EventStreams:
    """Opens event streams. One for a process."""

    def __init__(self, runner: OperationRunner, streams: Streams, limits: EventStreamLimits | None = None) -> None:
        self._runner = runner
        self._streams = streams
        self._limits = limits or EventStreamLimits()

    def open(self, request: OperationRequest, session: Session) -> Response:
        """Return the response that streams the operation's answers. Raises TooManyStreams, or RateLimited."""
        ticket = self._runner.admit(session)
        stream = EventStream(request, session, ticket, self._runner, self._streams, self._limits)
        self._streams.enter(stream)
        return stream


class EventStream(Response):
    """The answers of one operation. It has entered its `streams`, and leaves them at its end."""

    def __init__(
        self,
        request: OperationRequest,
        session: Session,
        ticket: Ticket,
        runner: OperationRunner,
        streams: Streams,
        limits: EventStreamLimits,
    ) -> None:
        super().__init__(headers={**_HEADERS, **ticket.headers})
        del self.headers["content-length"]
        self._request = request
        self.session = session
        self._ticket = ticket
        self._runner = runner
        self._streams = streams
        self._limits = limits
        self._clock: asyncio.Timeout | None = None
        self._ending: Ending | None = None
        self._is_complete = False
        self._is_lost = False

    def end(self, ending: Ending) -> None:
        """Say goodbye soon. What was asked first counts; never waits."""
        if self._ending is None:
            self._ending = ending
            if self._clock is not None and not self._clock.expired():
                self._clock.reschedule(asyncio.get_running_loop().time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._send = send
        try:
            await self._begin()
            await self._live(receive)
            await self._finish()
        except ClientLost:
            pass
        finally:
            self._streams.leave(self)

    # -- its life

    async def _begin(self) -> None:
        await self._send_in_time(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        # At once, so that proxies and clients see that the stream is open long before its first event.
        await self._write(b":\n\n")

    async def _live(self, receive: Receive) -> None:
        """Run the operation until it ends, the client leaves, the token ends, or the server says so."""
        operation = asyncio.create_task(self._runner.run(self._request, self.session, self, self._ticket))
        absence = asyncio.create_task(_disconnected(receive))
        seconds = 0.0 if self._ending else self.session.seconds_left(datetime.now(UTC))
        try:
            async with asyncio.timeout(seconds) as self._clock:
                while not (operation.done() or absence.done()):
                    done, _ = await asyncio.wait(
                        {operation, absence},
                        timeout=self._limits.ping_seconds,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                    if not done:
                        await self._write(_PING)
        except TimeoutError:
            self._ending = self._ending or TOKEN_EXPIRED
        finally:
            self._clock = None
            self._is_lost = self._is_lost or absence.done()
            absence.cancel()
            await self._stop(operation)

    async def _stop(self, operation: asyncio.Task[None]) -> None:
        """A subscription ends here; what answers once may finish; a mutation must, whoever is left to hear of it."""
        kind = self._runner.kind_of(self._request)
        if kind is OperationType.SUBSCRIPTION or (kind is OperationType.QUERY and self._is_lost):
            operation.cancel()
        elif kind is not OperationType.MUTATION:
            await asyncio.wait({operation}, timeout=self._limits.grace_seconds)
            operation.cancel()
        with suppress(asyncio.CancelledError, ClientLost):
            await operation

    async def _finish(self) -> None:
        if self._ending is not None and not self._is_complete:
            await self._tell(self._ending)
        await self._send_in_time({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, ending: Ending) -> None:
        extensions: dict[str, Any] = {"code": ending.code}
        if ending.retry_after_ms is not None:
            extensions["retryAfterMs"] = ending.retry_after_ms
            await self._write(b"retry: %d\n\n" % ending.retry_after_ms)
        await self.error([{"message": ending.close.reason, "extensions": extensions}])

    # -- what the client is told: a sink for the operation

    async def next(self, answer: str, forms: MutableMapping[str, bytes] | None = None) -> None:
        event = forms.get(_FORM) if forms is not None else None
        if event is None:
            event = b"event: next\ndata: %b\n\n" % answer.encode()
            if forms is not None:
                forms[_FORM] = event
        await self._write(event)

    async def error(self, errors: Errors) -> None:
        """There is no event for errors: they are the last answer."""
        await self.next(orjson.dumps({"errors": errors}).decode())
        await self.complete()

    async def complete(self) -> None:
        self._is_complete = True
        await self._write(_COMPLETE)

    async def _write(self, body: bytes) -> None:
        await self._send_in_time({"type": "http.response.body", "body": body, "more_body": True})

    async def _send_in_time(self, message: Mapping[str, Any]) -> None:
        if self._is_lost:
            raise ClientLost
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._send(dict(message))
        except TimeoutError:
            self._is_lost = True
            abort_connection(self._scope)
            raise ClientLost from None
        except OSError:
            self._is_lost = True
            raise ClientLost from None


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
