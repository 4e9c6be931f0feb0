"""The web server: uvicorn, with the limits of this service and an end that tells clients to come back.

uvicorn alone closes WebSockets without a word when it stops, waits for event streams until it gives up, and keeps
connections whose other end reads nothing. What it calls on each connection at these moments is here.
"""

from __future__ import annotations

import atexit
import logging
import os
import resource
import shutil
import tempfile
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from schema.streams.server import ABORT_EXTENSION, DRAIN_STATE
from settings import Settings
from telemetry.registry import SHARED_DIR_VARIABLE

# Longer than the streams may take to end: uvicorn cancels what is left.
_GRACE_SECONDS = 15
# uvicorn writes an access line for each socket, query string and address included, whatever its settings say.
_socket_log = logging.getLogger("uvicorn.sockets")
_SECONDS_TO_FLUSH = 2.0
_MOST_FILES = 65_536


class HTTPConnection(HttpToolsProtocol):
    """Ends its event stream when the server stops, and can be cut by the application."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope = cast("dict[str, Any]", cycle.scope)
        scope["extensions"] = {**scope.get("extensions", {}), ABORT_EXTENSION: cycle.transport.abort}
        super()._start_asgi_task(cycle, app)

    def shutdown(self) -> None:
        _begin_to_drain(self.app_state)
        super().shutdown()


class SocketConnection(WebSocketsSansIOProtocol):
    """The same; and it never outlives its end for long, however little its other end reads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _socket_log

    async def run_asgi(self) -> None:
        cast("dict[str, Any]", self.scope)["extensions"][ABORT_EXTENSION] = self.transport.abort
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(self.close_timeout + _SECONDS_TO_FLUSH, self.transport.abort)

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


def serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until a signal ends it."""
    _allow_many_connections()
    if workers > 1:
        _share_figures()
    _socket_log.setLevel(logging.WARNING)
    alive_seconds = settings.graphql_stream_ping_interval.total_seconds()
    uvicorn.run(
        "app:build",
        factory=True,
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
        timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
        access_log=False,
        # Anyone can write X-Forwarded-For: only named proxies are believed.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        log_config=None,
    )


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
