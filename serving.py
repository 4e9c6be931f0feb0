"""The web server: uvicorn, in one process or several, with the connections of connections.py."""

from __future__ import annotations

import atexit
import gc
import os
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, cast

from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.server import Server

import lean_imports
from execution.spare_memory import give_back
from settings import Settings
from telemetry.registry import SHARED_DIR_VARIABLE

# Longer than the streams may take to end: uvicorn cancels what is left.
_GRACE_SECONDS = 15
_MOST_FILES = 65_536
# Between two looks for cycles. A page makes some thousands of objects and hardly a cycle; Python's own 700 would mean
# several looks a page. Rarer ones save nothing that could be measured, and let a megabyte of cycles lie about.
_NEW_OBJECTS = 5_000
_FIRST_HANDED_OVER = 3

ASGIApplication = Callable[[Any, Any, Any], Awaitable[None]]


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
    alive_seconds = settings.graphql_stream_ping_interval.total_seconds()
    config = Config(
        "serving:build",
        factory=True,
        interface="asgi3",
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        # By name: the parent of several processes has no connections.
        http="connections:HTTPConnection",
        ws="connections:SocketConnection",
        ws_max_size=settings.graphql_socket_max_message_bytes,
        ws_ping_interval=alive_seconds,
        ws_ping_timeout=alive_seconds,
        # Events are small and many: to compress each takes more time, and memory a socket, than it saves.
        ws_per_message_deflate=False,
        timeout_keep_alive=int(settings.http_keep_alive.total_seconds()),
        timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
        access_log=False,
        # Anyone can write X-Forwarded-For: only named proxies are believed.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        log_config=None,
    )
    sockets = [_handed_over() or config.bind_socket()]
    if workers > 1:
        from supervising import Supervisor  # what it takes to start others, one process that serves can do without

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
