"""The bell that wakes workers, and nothing more: PostgreSQL holds what is to be done.

What rings and what answers (jobs/queue.py) are all that knows of arq, so that another library would change these alone.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog
from arq.connections import ArqRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobs.serialization import deserialize, serialize
from telemetry.tracing import traceparent

log = structlog.get_logger(__name__)

# The serializer is part of the name's meaning: another one needs another name.
QUEUE = "traverse:jobs"
PROCESS_WEBHOOKS = "process_webhooks"
INBOX = UUID(int=0)
"""What the bell rings for: the inbox as a whole, so that a burst of deliveries comes to one ring."""

RING_SECONDS = 1.0


class JobQueue:
    """The side that rings."""

    def __init__(self, valkey: Redis) -> None:
        self._arq = arq_over(valkey)

    async def ring(self, job: str, record_id: UUID) -> None:
        """Wake a worker for a record that is due. Never raises and never waits long: a sweep finds what was not heard.

        A second ring for the same record is dropped while the first one waits or is answered. The trace under way, if
        there is one, goes on in the job.
        """
        carried = traceparent()
        arguments = (str(record_id),) if carried is None else (str(record_id), carried)
        try:
            async with asyncio.timeout(RING_SECONDS):
                await self._arq.enqueue_job(job, *arguments, _job_id=f"{job}:{record_id}")
        except (RedisError, OSError) as error:  # OSError: also the TimeoutError of the line above
            log.warning("bell_not_heard", job=job, record_id=str(record_id), error_class=type(error).__name__)


def arq_over(valkey: Redis) -> ArqRedis:
    """Return arq's client of our queue, over a client's connections."""
    return ArqRedis(
        valkey.connection_pool,  # pyright: ignore[reportArgumentType]: its stub names both pools, this is the async one
        job_serializer=serialize,
        job_deserializer=deserialize,
        default_queue_name=QUEUE,
    )
