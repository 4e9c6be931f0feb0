"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

_BETWEEN_CANCELLATIONS_SECONDS = 0.2


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks and return when all have ended. How they ended is of no interest any more.

    They are cancelled again and again: `asyncio.wait_for`, through which redis-py sends, loses before Python 3.12 a
    cancellation that comes just when the sending is done, and its task would go on for ever.
    """
    ended = set(tasks)
    running = set(ended)
    while running:
        for task in running:
            task.cancel()
        # Not `await task`: catching its cancellation would also swallow one that is meant for us.
        _, running = await asyncio.wait(running, timeout=_BETWEEN_CANCELLATIONS_SECONDS)
    for task in ended:
        if not task.cancelled():
            task.exception()  # unread, it would be reported as never retrieved
