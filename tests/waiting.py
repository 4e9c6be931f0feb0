"""Waiting for what another task or process does, by looking and not by guessing how long it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_BETWEEN_LOOKS_SECONDS = 0.02


async def until(condition: Callable[[], Awaitable[bool]], *, within_seconds: float = 10) -> None:
    """Return as soon as the condition holds. Raises TimeoutError when it does not in time."""
    async with asyncio.timeout(within_seconds):
        while not await condition():  # noqa: ASYNC110 - what is looked at lives in a database or another process
            await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)
