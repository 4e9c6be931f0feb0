"""A worker says that it lives: one row a process, refreshed by a task of its own every few seconds.

arq's own health key is shared by all workers of a queue, and stays after a kill: it says neither who lives nor whether.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from uuid import UUID, uuid4

import orjson
import structlog

from jobs.current import CurrentJobs
from models.database import DATABASE_AWAY, write
from services.tasks import end_tasks

log = structlog.get_logger(__name__)

INTERVAL = timedelta(seconds=5)
FIRST_PAUSE = timedelta(seconds=1)
KEPT = timedelta(days=7)

# An upsert: a worker that was cut off for days finds its row gone, and still lives.
_BEAT = """
INSERT INTO worker_heartbeat (id, host, pid, version, queue, started_at, beat_at, current_jobs)
VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp(), $6)
ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at, current_jobs = excluded.current_jobs
RETURNING id
"""
_LEAVE = """
UPDATE worker_heartbeat SET stopped_at = clock_timestamp(), current_jobs = '[]' WHERE id = $1 RETURNING id
"""
_FORGET = "DELETE FROM worker_heartbeat WHERE beat_at < clock_timestamp() - $1::interval RETURNING id"


@asynccontextmanager
async def beating(queue: str, current: CurrentJobs, *, interval: timedelta = INTERVAL) -> AsyncGenerator[UUID, None]:
    """Beat while the block runs, and sign off at its end.

    The block begins with the first beat, which waits for a PostgreSQL that is away. Later ones may be missed. Raises
    what waiting would not mend: a password that is wrong, a table that is not there yet.
    """
    worker_id = uuid4()
    await _beat_first(worker_id, queue, current, pause=min(interval, FIRST_PAUSE))
    task = asyncio.create_task(_keep_beating(worker_id, queue, current, interval))
    try:
        yield worker_id
    finally:
        await end_tasks([task])
        try:
            await write(_LEAVE, worker_id)
        except Exception as error:  # noqa: BLE001 - an unsigned exit shows by the age of the last beat
            log.warning("heartbeat_not_signed_off", error_class=type(error).__name__)


async def forget_old_heartbeats() -> int:
    """Delete the rows of workers that are gone for good; return how many."""
    return len(await write(_FORGET, KEPT))


async def _beat_first(worker_id: UUID, queue: str, current: CurrentJobs, *, pause: timedelta) -> None:
    while True:
        try:
            return await _beat(worker_id, queue, current)
        except DATABASE_AWAY as error:
            log.warning(
                "worker_waits_for_database",
                error_class=type(error).__name__,
                advice="start PostgreSQL or look at DATABASE_URL; nothing else is needed",
            )
        await asyncio.sleep(pause.total_seconds())


async def _keep_beating(worker_id: UUID, queue: str, current: CurrentJobs, interval: timedelta) -> None:
    while True:
        await asyncio.sleep(interval.total_seconds())
        try:
            await _beat(worker_id, queue, current)
        except Exception as error:  # noqa: BLE001 - the database may be back at the next beat
            log.warning("heartbeat_missed", error_class=type(error).__name__)


async def _beat(worker_id: UUID, queue: str, current: CurrentJobs) -> None:
    jobs = orjson.dumps(current.as_json()).decode()
    await write(_BEAT, worker_id, socket.gethostname(), os.getpid(), _version(), queue, jobs)


def _version() -> str:
    try:
        return version("traverse")
    except PackageNotFoundError:
        return "unknown"
