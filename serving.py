"""The web server: uvicorn, with the limits of this service and an end that tells clients to come back.

uvicorn alone closes WebSockets without a word when it stops, waits for event streams until it gives up, keeps
connections whose other end sends or reads nothing, and closes those that wait for their next request just when it may
be on its way. What it calls on each connection at these moments is here.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import resource
import shutil
import socket
import sys
import tempfile
from asyncio import TimerHandle
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, cast

from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import Server
from uvicorn.supervisors.multiprocess import Multiprocess
from websockets.protocol import State

import lean_imports
from execution.spare_memory import give_back
from joined_writes import JoinedWrites
from request_heads import BoundedHead
from schema.streams.server import ABORT_EXTENSION, DRAIN_STATE, FRAME_EXTENSION
from settings import Settings
from telemetry.registry import SHARED_DIR_VARIABLE

# Longer than the streams may take to end: uvicorn cancels what is left.
_GRACE_SECONDS = 15
# uvicorn writes an access line for each socket, query string and address included, whatever its settings say.
_socket_log = logging.getLogger("uvicorn.sockets")
_SECONDS_TO_FLUSH = 2.0
_MOST_FILES = 65_536
# Between two looks for cycles. A page makes some thousands of objects and hardly a cycle; Python's own 700 would mean
# several looks a page. Rarer ones save nothing that could be measured, and let a megabyte of cycles lie about.
_NEW_OBJECTS = 5_000
# A new process of a server under load may take its time; the one before it serves until then.
_START_SECONDS = 60
_SILENT_SECONDS = 20
_FIRST_HANDED_OVER = 3
_TOO_SLOW = b"connection: close\r\ncontent-length: 0\r\n\r\n"

ASGIApplication = Callable[[Any, Any, Any], Awaitable[None]]


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

    def send_receive_event_to_app(self) -> None:
        # uvicorn does the same, and writes a traceback into the log for whatever bytes somebody cares to send.
        if self.curr_msg_data_type == "text" and not _is_utf8(self.frames):
            self.frames = []
            self.conn.send_close(1007)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.loop.call_later(_SECONDS_TO_FLUSH, self.transport.abort)

    def shutdown(self) -> None:
        if not (self.handshake_complete and _begin_to_drain(self.app_state)):
            super().shutdown()


class Supervisor(Multiprocess):
    """Sees at once that a process of its own died, and gives a successor the time to start."""

    def keep_subprocess_alive(self) -> None:
        for process in self.processes:
            # As long as the child's end is open here as well, nobody hears that the child is gone.
            process.child_conn.close()
        super().keep_subprocess_alive()

    def restart_all(self) -> None:
        self.config.timeout_worker_healthcheck = _START_SECONDS
        try:
            super().restart_all()
        finally:
            self.config.timeout_worker_healthcheck = _SILENT_SECONDS


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


def build() -> ASGIApplication:
    """Return `app:build`, with the garbage collector off until it has started.

    A start makes objects by the hundred thousand that stay. Each full collection would look at all of them again,
    during the start and ever after: they are exempted from it, once.
    """
    gc.disable()
    # Again, for a process that another command line than ours started.
    lean_imports.install()
    application = cast("ASGIApplication", import_module("app").build())

    def collected(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        return application(scope, receive, _collecting_once_started(send) if scope["type"] == "lifespan" else send)

    return collected


def _collecting_once_started(send: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def send_and_collect(message: Any) -> None:
        if message["type"].startswith("lifespan.startup"):
            gc.collect()
            gc.freeze()
            give_back()
            gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
            gc.enable()
        await send(message)

    return send_and_collect


def serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until a signal ends it.

    All processes accept from one socket, which is bound here or was handed over by systemd: a process that ends leaves
    nobody in its queue unanswered. SIGHUP to the parent replaces its processes one after the other, each once its
    successor serves.
    """
    _allow_many_connections()
    if workers > 1:
        _share_figures()
    _socket_log.setLevel(logging.WARNING)
    alive_seconds = settings.graphql_stream_ping_interval.total_seconds()
    config = Config(
        "serving:build",
        factory=True,
        interface="asgi3",
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=HTTPConnection,
        ws=SocketConnection,
        ws_max_size=settings.graphql_socket_max_message_bytes,
        ws_ping_interval=alive_seconds,
        ws_ping_timeout=alive_seconds,
        # Events are small and many: to compress each takes more time, and memory a socket, than it saves.
        ws_per_message_deflate=False,
        timeout_keep_alive=int(settings.http_keep_alive.total_seconds()),
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_worker_healthcheck=_SILENT_SECONDS,
        server_header=False,
        access_log=False,
        # Anyone can write X-Forwarded-For: only named proxies are believed.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        log_config=None,
    )
    sockets = [_handed_over() or config.bind_socket()]
    if workers > 1:
        Supervisor(config, sockets).run()
        return
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _handed_over() -> socket.socket | None:
    """Return the socket that systemd listens on for us, if it does. Source: sd_listen_fds(3)."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    handed_over = socket.socket(fileno=_FIRST_HANDED_OVER)
    handed_over.set_inheritable(True)
    return handed_over


def _share_figures() -> None:
    """Let the processes count into files of one folder, so that each can tell /metrics about all of them."""
    if SHARED_DIR_VARIABLE not in os.environ:
        directory = tempfile.mkdtemp(prefix="traverse-metrics-")
        os.environ[SHARED_DIR_VARIABLE] = directory
        atexit.register(shutil.rmtree, directory, ignore_errors=True)


def _allow_many_connections() -> None:
    """Take as many open files as the system grants: shells commonly start with 1,024, a socket is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
