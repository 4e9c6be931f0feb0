"""Rounds: work that takes minutes, as tasks of this process and not as jobs of the queue.

A job of the queue is bounded to a minute, since the longest bound decides how long every job of a killed worker stays
locked. A round is as long as it must be: its lease in PostgreSQL keeps it alone and hands it on when a worker dies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from jobs.current import CurrentJobs
from services.tasks import end_tasks

log = structlog.get_logger(__name__)


class Rounds:
    """The rounds of one process: of each name one at a time. `stop` is set when the process is to end."""

    def __init__(self, stop: asyncio.Event, current: CurrentJobs) -> None:
        self.stop = stop
        self._current = current
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, body: Callable[[], Awaitable[None]]) -> bool:
        """Begin the round in the background; False when it is under way already, or the process is ending."""
        if self.stop.is_set() or name in self._tasks:
            return False
        task = asyncio.create_task(self._run(name, body), name=name)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))
        return True

    async def pause(self, duration: timedelta) -> None:
        """Wait, but no longer than until the process is to end."""
        try:
            async with asyncio.timeout(duration.total_seconds()):
                await self.stop.wait()
        except TimeoutError:
            return

    async def finish(self, grace: timedelta) -> None:
        """Let the rounds end by themselves for so long, then cancel what is left."""
        tasks = set(self._tasks.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace.total_seconds())
        for task in late:
            log.warning("round_cancelled", name=task.get_name())
        await end_tasks(late)

    async def _run(self, name: str, body: Callable[[], Awaitable[None]]) -> None:
        try:
            with self._current.tracking(name):
                await body()
        except Exception as error:  # noqa: BLE001 - the next round may succeed; the failed one is in cron_run
            # The class alone: the text may hold what was being written.
            log.error("round_failed", name=name, error_class=type(error).__name__)  # noqa: TRY400
