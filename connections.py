"""What a connection of a client does here beyond uvicorn's: it has limits, and an end that tells clients to come back.

uvicorn alone closes WebSockets without a word when it stops, waits for event streams until it gives up, keeps
connections whose other end sends or reads nothing, and closes those that wait for their next request just when it may
be on its way. What it calls on each connection at these moments is here.
"""

from __future__ import annotations

import logging
from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.protocol import State

from joined_writes import JoinedWrites
from request_heads import BoundedHead
from schema.streams.server import ABORT_EXTENSION, DRAIN_STATE, FRAME_EXTENSION

# uvicorn writes an access line for each socket, query string and address included, whatever its settings say.
_socket_log = logging.getLogger("uvicorn.sockets")
_socket_log.setLevel(logging.WARNING)
_SECONDS_TO_FLUSH = 2.0
# Each costs work and memory, however little it holds; the size of a message counts what they hold alone.
MOST_FRAGMENTS = 256
_TOO_SLOW = b"connection: close\r\ncontent-length: 0\r\n\r\n"


class HTTPConnection(BoundedHead):
    """Waits for no other end for ever, ends its event stream when the server stops, can be cut by the application.

    What is timed is the whole of a request's head, and then of its body: a slow sender never pauses for long.
    """

    arrival_seconds = 10.0
    stall_seconds = 30.0
    linger_seconds = 2.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrival: TimerHandle | None = None
        self._stall: TimerHandle | None = None
        self._has_begun = False
        self._is_leaving = False
        # Its connection is another protocol's from then on, and may be silent for as long as that one likes.
        self._is_socket = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_arrival()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # uvicorn counts any byte as a sign of a request. An empty line is none, and half a head not enough.
        if self._arrival is None and self._is_between_requests() and not self._is_socket:
            self._await_arrival()

    def on_message_begin(self) -> None:
        self._has_begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._arrived()
        super().on_headers_complete()
        if self._is_leaving and not self._is_between_requests():
            self.cycle.keep_alive = False
        self._await_arrival()

    def on_message_complete(self) -> None:
        self._has_begun = False
        self._arrived()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._arrived()
        self._is_socket = True
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._arrived()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def shutdown(self) -> None:
        """Begin the end. Whose next request is on its way is answered, and told that it was the last one here."""
        _begin_to_drain(self.app_state)
        self._is_leaving = True
        if self._is_between_requests():
            self.loop.call_later(self.linger_seconds, self._leave_if_idle)
        else:
            super().shutdown()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope = cast("dict[str, Any]", cycle.scope)
        scope["extensions"] = {**scope.get("extensions", {}), ABORT_EXTENSION: cycle.transport.abort}
        cycle.transport = cast("Any", JoinedWrites(cycle.transport, self.loop))
        super()._start_asgi_task(cycle, app)

    def _is_between_requests(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is None or cycle.response_complete

    def _leave_if_idle(self) -> None:
        if self._is_between_requests() and not self._has_begun:
            self.transport.close()

    def _await_arrival(self) -> None:
        if not self.transport.is_closing():
            self._arrival = self.loop.call_later(self.arrival_seconds, self._give_up)

    def _arrived(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _give_up(self) -> None:
        """End the wait for a request: 408 where one was begun and is not answered yet."""
        self._arrival = None
        is_unanswered = self._has_begun
        if not self._is_between_requests():
            is_unanswered = not self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if is_unanswered:
            self.transport.write(STATUS_LINE[408] + _TOO_SLOW)
        self.transport.close()


class SocketConnection(WebSocketsSansIOProtocol):
    """The same; and it never outlives its end for long, however little its other end reads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _socket_log

    async def run_asgi(self) -> None:
        extensions = cast("dict[str, Any]", self.scope)["extensions"]
        extensions[ABORT_EXTENSION] = self.transport.abort
        extensions[FRAME_EXTENSION] = self.write_frame
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(self.close_timeout + _SECONDS_TO_FLUSH, self.transport.abort)

    def write_frame(self, frame: bytes) -> bool:
        """Write a frame if nothing keeps it from being written now; tell whether it was."""
        if (
            not self.writable.is_set()
            or self.close_sent
            or self.conn.state is not State.OPEN
            or self.transport.is_closing()
        ):
            return False
        self.transport.write(frame)
        return True

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MOST_FRAGMENTS:
            self._refuse(CloseCode.MESSAGE_TOO_BIG)
            return
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        # uvicorn does the same, and writes a traceback into the log for whatever bytes somebody cares to send.
        if self.curr_msg_data_type == "text" and not _is_utf8(self.frames):
            self._refuse(CloseCode.INVALID_DATA)
            return
        super().send_receive_event_to_app()

    def _refuse(self, code: CloseCode) -> None:
        """End the connection, once: what came along with what is refused may be no better."""
        self.frames = []
        if not self.close_sent:
            self.conn.send_close(code)
            self.handle_parser_exception()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.loop.call_later(_SECONDS_TO_FLUSH, self.transport.abort)

    def shutdown(self) -> None:
        if not (self.handshake_complete and _begin_to_drain(self.app_state)):
            super().shutdown()


def _is_utf8(frames: list[bytes]) -> bool:
    try:
        b"".join(frames).decode()
    except UnicodeDecodeError:
        return False
    return True


def _begin_to_drain(state: dict[str, Any]) -> bool:
    """Return whether the application ends its streams itself."""
    drain = cast("Callable[[], None] | None", state.get(DRAIN_STATE))
    if drain is None:
        return False
    drain()
    return True
