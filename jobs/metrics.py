"""A worker's own door: /metrics and /healthz, for whoever watches over it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.tasks import end_tasks
from telemetry.endpoint import MetricsEndpoint

_SECONDS_TO_CLOSE = 2.0


class _Server(uvicorn.Server):
    """Leaves the signals to the worker."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve_metrics(stop: asyncio.Event, *, host: str, port: int, token: str | None) -> None:
    """Answer until `stop` is set. A port that is taken ends the process, as uvicorn has it."""
    app = Starlette(routes=[Route("/metrics", MetricsEndpoint(token).answer), Route("/healthz", _healthz)])
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        # It closes its door itself, within a moment.
        await asyncio.wait({serving}, timeout=_SECONDS_TO_CLOSE)
    finally:
        await end_tasks({serving, stopping})


async def _healthz(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")
