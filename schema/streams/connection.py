"""One WebSocket of graphql-transport-ws: reads what the client says, runs its operations, ends for one reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from graphql import OperationType
from starlette.types import Message, Receive, Send

from schema.answers import internal_error
from schema.streams.operations import ClientLost, Errors, OperationRunner
from schema.streams.protocol import (
    ACKNOWLEDGED,
    INIT_TIMEOUT,
    TOO_MANY_INITS,
    TOO_MANY_MESSAGES,
    TRY_AGAIN_LATER,
    UNAUTHORIZED,
    Close,
    Complete,
    Init,
    Ping,
    Pong,
    ProtocolError,
    Subscribe,
    already_exists,
    complete_message,
    error_message,
    json_id,
    next_frame,
    next_message,
    pong,
    read_message,
)
from schema.streams.registry import RIGHTS_CHANGED, RIGHTS_ENDED, TOKEN_EXPIRED, Ending, Streams, TooManyStreams
from schema.streams.sessions import Session
from services.tokens import InvalidToken

_MOST_FORMS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """`messages_per_second` may be exceeded for a moment, by `message_burst` in all."""

    init_seconds: float = 10.0
    # A client that takes nothing for so long is given up.
    send_seconds: float = 20.0
    # How long what was asked may still run when the server ends a socket.
    grace_seconds: float = 5.0
    max_operations: int = 20
    messages_per_second: float = 50.0
    message_burst: int = 200


class Socket:
    """One connection, from `serve` to its end. `is_stuck` at the end: the client reads nothing, so cut the line."""

    __slots__ = (
        "_clock",
        "_ending",
        "_is_acknowledged",
        "_is_initialising",
        "_is_lost",
        "_limits",
        "_meter",
        "_operations",
        "_receive",
        "_runner",
        "_send",
        "_streams",
        "_tasks",
        "_write_frame",
        "is_stuck",
        "session",
    )

    def __init__(
        self,
        runner: OperationRunner,
        session: Session,
        streams: Streams,
        limits: SocketLimits,
        receive: Receive,
        send: Send,
        write_frame: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._runner = runner
        self.session = session
        self._streams = streams
        self._limits = limits
        self._receive = receive
        self._send = send
        self._write_frame = write_frame
        # Runs out when the client must have said hello, when its token ends, or when the server ends the socket.
        self._clock: asyncio.Timeout | None = None
        self._ending: Ending | None = None
        self._is_initialising = False
        self._is_acknowledged = False
        self._meter = _Meter(limits.messages_per_second, limits.message_burst)
        # By id, as the client knows them; a task may outlive its id, which the client may then use anew.
        self._operations: dict[str, _Operation] = {}
        self._tasks: dict[asyncio.Task[None], _Operation] = {}
        self._is_lost = False
        self.is_stuck = False

    def end(self, ending: Ending) -> None:
        """Say goodbye soon. What was asked first counts; never waits."""
        if self._ending is None:
            self._ending = ending
            self._stop_the_clock()

    async def serve(self, authorization: str | None) -> None:
        """Speak with the client until either side ends it. `authorization`: the header of the handshake."""
        close: Close | None = None  # none: the client left
        try:
            async with asyncio.timeout(0 if self._ending else self._limits.init_seconds) as self._clock:
                await self._converse(authorization)
        except TimeoutError:
            close = self._reason_of_the_clock()
        except ProtocolError as error:
            close = error.close
        except ClientLost:
            pass
        except Exception as error:  # noqa: BLE001 (the last door: of what happened, only the log may hear)
            internal_error(error, self.session.connection_id)
            close = TRY_AGAIN_LATER
        finally:
            self._clock = None
            await self._stop(close)

    def _stop_the_clock(self) -> None:
        if self._clock is not None and not self._clock.expired():
            self._clock.reschedule(asyncio.get_running_loop().time())

    def _reason_of_the_clock(self) -> Close | None:
        if self._is_lost:
            return None
        if self._ending is not None:
            return self._ending.close
        return TOKEN_EXPIRED.close if self._is_acknowledged else INIT_TIMEOUT

    # -- what the client says

    async def _converse(self, authorization: str | None) -> None:
        while (message := await self._receive())["type"] != "websocket.disconnect":
            if not self._meter.allows_one_more():
                raise ProtocolError(TOO_MANY_MESSAGES)
            match read_message(message.get("text")):
                case Init() as init:
                    await self._initialise(init, authorization)
                case Subscribe() as subscribe:
                    await self._subscribe(subscribe)
                case Complete() as complete:
                    self._complete(complete)
                case Ping() as ping:
                    await self.send_text(pong(ping))
                case Pong():
                    pass

    async def _initialise(self, init: Init, authorization: str | None) -> None:
        if self._is_initialising:
            raise ProtocolError(TOO_MANY_INITS)
        self._is_initialising = True
        given = init.authorization
        given = authorization if given is None else given
        if given is not None:
            await self._sign_in(given)
        await self.send_text(ACKNOWLEDGED)
        self._is_acknowledged = True
        seconds = self.session.seconds_left(datetime.now(UTC))
        if self._clock is not None and self._ending is None and not self._clock.expired():
            self._clock.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

    async def _sign_in(self, authorization: str) -> None:
        try:
            await self.session.sign_in(authorization)
            self._streams.identify(self)
        except InvalidToken as error:
            raise ProtocolError(Close(4403, f"Forbidden: {error}")) from None
        except TooManyStreams as refusal:
            raise ProtocolError(Close(TRY_AGAIN_LATER.code, f"{refusal}: try again later")) from None

    async def _subscribe(self, asked: Subscribe) -> None:
        if not self._is_acknowledged:
            raise ProtocolError(UNAUTHORIZED)
        if asked.id in self._operations:
            raise ProtocolError(already_exists(asked.id))
        if len(self._tasks) >= self._limits.max_operations:
            message = f"operations: {len(self._tasks)} under way on this socket, at most {self._limits.max_operations}"
            error = {"message": message, "extensions": {"code": "LIMIT_EXCEEDED"}}
            await self.send_text(error_message(json_id(asked.id), [error]))
            return
        operation = self._operations[asked.id] = _Operation(self, asked.id, self._runner.kind_of(asked.request))
        operation.task = asyncio.create_task(self._operate(asked, operation))
        self._tasks[operation.task] = operation
        operation.task.add_done_callback(self._forget)

    def _complete(self, asked: Complete) -> None:
        operation = self._operations.get(asked.id)
        # One that has just ended here, while this message was under way, is no error.
        if operation is not None:
            operation.leave()

    # -- operations

    async def _operate(self, asked: Subscribe, operation: _Operation) -> None:
        try:
            if not await self.session.refresh():
                self.end(RIGHTS_CHANGED)
            elif not self._streams.is_draining:
                await self._runner.run(asked.request, self.session, operation)
        except InvalidToken:
            self.end(RIGHTS_ENDED)
        except ClientLost:
            self._stop_the_clock()
        except Exception as error:  # noqa: BLE001 (the last door: of what happened, only the log may hear)
            with suppress(ClientLost):
                await operation.error([internal_error(error, self.session.connection_id)])

    def release(self, operation: _Operation) -> None:
        """Let the client use the id anew."""
        if self._operations.get(operation.id) is operation:
            del self._operations[operation.id]

    def _forget(self, task: asyncio.Task[None]) -> None:
        self.release(self._tasks.pop(task))

    # -- what the client is told

    async def send_text(self, text: str) -> None:
        """Send a message. Raises ClientLost when the client left, or takes nothing for too long."""
        await self._send_in_time({"type": "websocket.send", "text": text})

    def send_at_once(self, frame: bytes) -> bool:
        """Send a whole frame, if the server can do so without waiting; tell whether it did."""
        return self._write_frame is not None and not self._is_lost and self._write_frame(frame)

    async def close(self, close: Close) -> None:
        with suppress(ClientLost):
            await self._send_in_time({"type": "websocket.close", "code": close.code, "reason": close.fitting_reason})

    async def _send_in_time(self, message: Message) -> None:
        if self._is_lost:
            raise ClientLost
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._send(message)
        except TimeoutError:
            self._is_lost = self.is_stuck = True
            raise ClientLost from None
        except OSError:
            self._is_lost = True
            raise ClientLost from None

    # -- the end

    async def _stop(self, close: Close | None) -> None:
        """End everything. What the server interrupts may answer first, if it answers once; mutations always finish."""
        is_polite = self._ending is not None and self._ending.retry_after_ms is not None
        for operation in list(self._tasks.values()):
            if not is_polite or operation.kind is OperationType.SUBSCRIPTION:
                operation.leave()
        if is_polite and self._tasks:
            await asyncio.wait(self._tasks, timeout=self._limits.grace_seconds)
        if close is not None:
            await self.close(close)
        for operation in list(self._tasks.values()):
            operation.leave()
        if self._tasks:
            await asyncio.wait(self._tasks)


class _Operation:
    """One operation as its client knows it: where its answers go."""

    __slots__ = ("_is_left", "_json_id", "_socket", "id", "kind", "task")

    def __init__(self, socket: Socket, operation_id: str, kind: OperationType | None) -> None:
        self._socket = socket
        self._json_id = json_id(operation_id)
        self._is_left = False
        self.id = operation_id
        self.kind = kind
        self.task: asyncio.Task[None] | None = None

    def leave(self) -> None:
        """Nobody listens any more. What a mutation began it ends, as over HTTP; all else stops."""
        self._is_left = True
        self._socket.release(self)
        if self.kind is not OperationType.MUTATION and self.task is not None:
            self.task.cancel()

    async def next(self, answer: str, forms: MutableMapping[str, bytes] | None = None) -> None:
        if not self._is_left and not self._socket.send_at_once(self._frame(answer, forms)):
            await self._socket.send_text(next_message(self._json_id, answer))

    def _frame(self, answer: str, forms: MutableMapping[str, bytes] | None) -> bytes:
        """Return the answer's frame, which others whose operations are called the same may have made before."""
        frame = forms.get(self._json_id) if forms is not None else None
        if frame is None:
            frame = next_frame(self._json_id, answer)
            # Clients that call each operation differently share nothing: those frames are not kept.
            if forms is not None and len(forms) < _MOST_FORMS:
                forms[self._json_id] = frame
        return frame

    async def error(self, errors: Errors) -> None:
        self._socket.release(self)
        if not self._is_left:
            await self._socket.send_text(error_message(self._json_id, errors))

    async def complete(self) -> None:
        self._socket.release(self)
        if not self._is_left:
            await self._socket.send_text(complete_message(self._json_id))


class _Meter:
    """A bucket that holds `burst` messages and fills at `rate` a second."""

    __slots__ = ("_burst", "_filled_at", "_left", "_rate")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._left = float(burst)
        self._filled_at = monotonic()

    def allows_one_more(self) -> bool:
        now = monotonic()
        self._left = min(self._left + (now - self._filled_at) * self._rate, self._burst)
        self._filled_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
