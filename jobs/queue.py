"""Who answers the bell: arq's worker, over what PostgreSQL holds.

What arq does by itself and must not: it keeps the only copy of a job for a day (here a sweep finds the row again),
counts crashes as tries (the attempts that matter are rows), forgets a cause that is not JSON (here the class of the
error is kept), ends the worker when Valkey goes away (here the loop is begun anew), and when a hook raises (here there
are no hooks).
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from arq import Retry, cron, func
from arq.connections import ArqRedis
from arq.typing import WorkerCoroutine
from arq.worker import Worker
from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobs.bell import QUEUE, RING_SECONDS, arq_over
from jobs.serialization import deserialize, serialize
from models.database import DATABASE_AWAY
from services.tasks import end_tasks
from telemetry.tracing import note_failure

if TYPE_CHECKING:
    # Who only rings needs nothing of what the jobs need.
    from jobs.context import WorkerContext

log = structlog.get_logger(__name__)

# The longest bound decides how long every job of a killed worker stays locked: one bound, and a short one.
JOB_TIMEOUT = timedelta(seconds=60)
SHUTDOWN_GRACE = timedelta(seconds=10)
_RETRY_DELAY = timedelta(seconds=15)
_HEALTH_INTERVAL_SECONDS = 10
# A look is one small question to Valkey; arq's own half second was most of the way of a booking to its readers.
_LOOK_EVERY_SECONDS = 0.1
# A tick that was answered must stay known for longer than another worker may be late with the same one.
_TICK_RESULT_SECONDS = 180
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0

# Ours to repeat: what was to be done is still on its row. Everything else would fail again.
_INFRASTRUCTURE = (RedisError, *DATABASE_AWAY)


class JobFailed(Exception):
    """A job ended by an error of ours. `code` is the class of the error; its text stays where it was."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Job:
    """What the bell may call: a name, and a thin function over one record's id."""

    name: str
    run: Callable[[WorkerContext, UUID], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Tick:
    """What the clock calls, once over all workers. Hours are UTC; None: every hour, every minute. Done in a minute."""

    name: str
    run: Callable[[WorkerContext], Awaitable[None]]
    minute: int | None
    hour: int | None = None
    at_start: bool = False


class QueueServer:
    """The side that answers, in one process."""

    def __init__(
        self, connect: Callable[[], Redis], context: WorkerContext, *, jobs: Sequence[Job], ticks: Sequence[Tick]
    ) -> None:
        self._connect = connect
        self._context = context
        self._jobs = jobs
        self._ticks = ticks

    async def serve(self) -> None:
        """Answer until the process is to end. When Valkey goes away, try again with growing pauses."""
        stop = self._context.rounds.stop
        pause = _FIRST_PAUSE_SECONDS
        while not stop.is_set():
            begun = monotonic()
            try:
                await self._serve_until(stop)
            except (RedisError, OSError) as error:
                if monotonic() - begun > _LONGEST_PAUSE_SECONDS:
                    pause = _FIRST_PAUSE_SECONDS
                log.warning("queue_lost", error_class=type(error).__name__, next_try_in_seconds=pause)
                # Not all workers at the same instant.
                await self._context.rounds.pause(timedelta(seconds=pause * random.uniform(0.5, 1)))  # noqa: S311
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _serve_until(self, stop: asyncio.Event) -> None:
        """Returns when `stop` is set; raises what ends arq's loop."""
        arq = arq_over(self._connect())
        worker = self._worker(arq)
        loop = asyncio.create_task(worker.main())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({loop, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if loop.done():
                await loop
                return
            worker.allow_pick_jobs = False
            if worker.tasks:
                await asyncio.wait(set(worker.tasks.values()), timeout=SHUTDOWN_GRACE.total_seconds())
        finally:
            await end_tasks({loop, stopping, *worker.tasks.values()})
            await _close(arq, worker.health_check_key)

    def _worker(self, arq: ArqRedis) -> Worker:
        return Worker(
            functions=[func(self._answer(job), name=job.name, keep_result=0) for job in self._jobs],
            cron_jobs=[
                cron(
                    self._keep_time(tick),
                    name=tick.name,
                    hour=tick.hour,
                    minute=tick.minute,
                    second=0,
                    run_at_startup=tick.at_start,
                    keep_result=_TICK_RESULT_SECONDS,
                )
                for tick in self._ticks
            ],
            queue_name=QUEUE,
            redis_pool=arq,
            handle_signals=False,
            job_timeout=JOB_TIMEOUT.total_seconds(),
            poll_delay=_LOOK_EVERY_SECONDS,
            keep_result=0,
            # Crashes and deployments count as tries: what must end is ended by its row, not by this number.
            max_tries=1_000,
            health_check_interval=_HEALTH_INTERVAL_SECONDS,
            health_check_key=f"{QUEUE}:health:{socket.gethostname()}:{os.getpid()}",
            job_serializer=serialize,
            job_deserializer=deserialize,
            timezone=UTC,  # pyright: ignore[reportArgumentType]: annotated with a class, used as any tzinfo
        )

    def _answer(self, job: Job) -> WorkerCoroutine:
        async def answer(
            ctx: dict[Any, Any],  # noqa: ARG001 - arq's signature
            record_id: str,
            traceparent: str | None = None,  # only where traces are made
        ) -> None:
            with self._context.current.tracking(job.name, record_id, traceparent):
                await _guarded(job.name, lambda: job.run(self._context, UUID(record_id)))

        return answer

    def _keep_time(self, tick: Tick) -> WorkerCoroutine:
        async def keep_time(ctx: dict[Any, Any]) -> None:  # noqa: ARG001 - arq's signature
            with self._context.current.tracking(tick.name):
                await _guarded(tick.name, lambda: tick.run(self._context))

        return keep_time


async def _guarded(name: str, body: Callable[[], Awaitable[None]]) -> None:
    """Turn what goes wrong into what arq understands: again later, or over. No text of an error passes."""
    try:
        await body()
        return
    except _INFRASTRUCTURE as error:
        code, again = type(error).__name__, True
    except Exception as error:  # noqa: BLE001 - the border between our errors and the queue's
        code, again = type(error).__name__, False
    log.error("job_failed", job=name, error_class=code, again=again)
    note_failure(code)
    if again:
        raise Retry(defer=_RETRY_DELAY)
    raise JobFailed(code)


async def _close(arq: ArqRedis, health_check_key: str) -> None:
    try:
        async with asyncio.timeout(RING_SECONDS):
            await arq.delete(health_check_key)
    except (RedisError, OSError) as error:
        log.debug("health_key_left_behind", error_class=type(error).__name__)
    finally:
        await arq.aclose(close_connection_pool=True)
