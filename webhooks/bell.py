"""Waking a worker for what was stored: once for many deliveries, and never in the way of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from services.tasks import end_tasks

log = structlog.get_logger(__name__)


class Bell:
    """`strike` returns at once; the ring follows. Strikes during a ring come to one more ring."""

    def __init__(self, ring: Callable[[], Awaitable[None]]) -> None:
        self._ring = ring
        self._struck = asyncio.Event()

    def strike(self) -> None:
        self._struck.set()

    @asynccontextmanager
    async def hung(self) -> AsyncGenerator[None, None]:
        """Ring for strikes while the block runs."""
        ringing = asyncio.create_task(self._ring_when_struck())
        try:
            yield
        finally:
            await end_tasks([ringing])

    async def _ring_when_struck(self) -> None:
        while True:
            await self._struck.wait()
            self._struck.clear()
            try:
                await self._ring()
            except Exception as error:  # noqa: BLE001 - workers look by themselves; the next strike must find us here
                log.warning("webhook_bell_broken", error_class=type(error).__name__)
