"""What lies in the queue, read and not touched: for the dashboard, and for its figures.

Sources: arq 0.28, `constants.py` and `jobs.py`, for the keys and the letters of what is stored. The sorted set of a
queue holds ids by the time from which each may begin; beside it lie a payload, a lock while a worker is at it, a number
of tries and, where one is kept, a result. These prefixes are shared by all queues of a Valkey, and nothing indexes
them: whatever else lies there is passed over, and a search ends when its time does. Values are read as JSON, which is
what we write, and never unpickled; of a payload arguments are shown only where they are the id of a record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson
from arq.constants import in_progress_key_prefix, job_key_prefix, result_key_prefix, retry_key_prefix
from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobs.bell import QUEUE
from services.operations.queues import (
    DEFAULT_SIZE,
    FoundJobs,
    JobState,
    PayloadState,
    QueuedJob,
    QueuedPage,
    QueueFigures,
    QueueUnavailable,
)

T = TypeVar("T")

MAXIMUM_SIZE = 200
MOST_FOUND = 500
TIME_BUDGET = timedelta(seconds=1)
"""For a search through all keys."""
_DEADLINE_SECONDS = 2.0
_KEYS_A_SCAN = 500
# More than any of ours; a larger one is somebody else's, and is not read into memory.
_LARGEST_PAYLOAD = 16_384
_LONGEST_TEXT = 200
_LATEST = 253_402_300_799_000  # milliseconds of the year 9999: later ones are no times


class ValkeyQueueReader:
    """Reads the queue `name` of the server. See services/operations/queues.py."""

    def __init__(self, valkey: Redis, *, name: str = QUEUE, time_budget: timedelta = TIME_BUDGET) -> None:
        self._valkey = valkey
        self._name = name
        self._time_budget = time_budget

    async def figures(self, *, now: datetime) -> QueueFigures | QueueUnavailable:
        async def read() -> QueueFigures:
            begun = monotonic()
            due = _milliseconds(now)
            pipeline = self._valkey.pipeline(transaction=False)
            pipeline.zcount(self._name, "-inf", due)
            pipeline.zcount(self._name, f"({due}", "+inf")
            pipeline.zrangebyscore(self._name, "-inf", due, start=0, num=1, withscores=True)
            queued, deferred, oldest = cast("tuple[int, int, Sequence[tuple[bytes, float]]]", await pipeline.execute())
            return QueueFigures(
                name=self._name,
                queued=queued,
                deferred=deferred,
                oldest_due_at=_instant(oldest[0][1]) if oldest else None,
                read_in=timedelta(seconds=monotonic() - begun),
            )

        return await _answered(read)

    async def queued(
        self, *, now: datetime, offset: int = 0, size: int = DEFAULT_SIZE
    ) -> QueuedPage | QueueUnavailable:
        return await self._page("-inf", str(_milliseconds(now)), JobState.QUEUED, offset, size)

    async def deferred(
        self, *, now: datetime, offset: int = 0, size: int = DEFAULT_SIZE
    ) -> QueuedPage | QueueUnavailable:
        return await self._page(f"({_milliseconds(now)}", "+inf", JobState.DEFERRED, offset, size)

    async def running(self) -> FoundJobs | QueueUnavailable:
        async def read() -> FoundJobs:
            ids, is_complete = await self._search(in_progress_key_prefix)
            jobs = await self._described(ids, {job_id: JobState.RUNNING for job_id in ids}, {})
            return FoundJobs(jobs=tuple(jobs), is_complete=is_complete)

        return await _answered(read)

    async def results(self) -> FoundJobs | QueueUnavailable:
        async def read() -> FoundJobs:
            ids, is_complete = await self._search(result_key_prefix)
            payloads = await self._values(result_key_prefix, ids)
            jobs = [_finished(job_id, payload, self._name) for job_id, payload in zip(ids, payloads, strict=True)]
            ours = [job for job in jobs if job is not None]
            ours.sort(key=lambda job: job.finished_at or datetime.min.replace(tzinfo=UTC), reverse=True)
            return FoundJobs(jobs=tuple(ours), is_complete=is_complete)

        return await _answered(read)

    async def _page(
        self, lowest: str, highest: str, state: JobState, offset: int, size: int
    ) -> QueuedPage | QueueUnavailable:
        offset, size = max(0, offset), max(1, min(size, MAXIMUM_SIZE))

        async def read() -> QueuedPage:
            pipeline = self._valkey.pipeline(transaction=False)
            pipeline.zcount(self._name, lowest, highest)
            pipeline.zrangebyscore(self._name, lowest, highest, start=offset, num=size, withscores=True)
            total, rows = cast("tuple[int, Sequence[tuple[bytes, float]]]", await pipeline.execute())
            due = {_text(raw): _instant(score) for raw, score in rows}
            locked = await self._locked(list(due))
            states = {job_id: JobState.RUNNING if job_id in locked else state for job_id in due}
            jobs = await self._described(list(due), states, due)
            end = offset + len(rows)
            return QueuedPage(
                jobs=tuple(jobs), offset=offset, total=total, next_offset=end if rows and end < total else None
            )

        return await _answered(read)

    async def _locked(self, ids: Sequence[str]) -> set[str]:
        """Which of them a worker holds: a job stays in the queue until it has ended."""
        if not ids:
            return set()
        pipeline = self._valkey.pipeline(transaction=False)
        for job_id in ids:
            pipeline.exists(in_progress_key_prefix + job_id)
        found = cast("Sequence[int]", await pipeline.execute())
        return {job_id for job_id, is_there in zip(ids, found, strict=True) if is_there}

    async def _described(
        self, ids: Sequence[str], states: Mapping[str, JobState], due: Mapping[str, datetime | None]
    ) -> list[QueuedJob]:
        payloads = await self._values(job_key_prefix, ids)
        tries = await self._values(retry_key_prefix, ids)
        return [
            _queued(job_id, payload, states[job_id], due.get(job_id), _number(tried))
            for job_id, payload, tried in zip(ids, payloads, tries, strict=True)
        ]

    async def _values(self, prefix: str, ids: Sequence[str]) -> list[bytes | None]:
        """None: missing, of another type, or larger than anything of ours."""
        if not ids:
            return []
        keys = [prefix + job_id for job_id in ids]
        pipeline = self._valkey.pipeline(transaction=False)
        for key in keys:
            pipeline.strlen(key)
        lengths = cast("Sequence[Any]", await pipeline.execute(raise_on_error=False))
        wanted = [
            key
            for key, length in zip(keys, lengths, strict=True)
            if isinstance(length, int) and 0 < length <= _LARGEST_PAYLOAD
        ]
        if not wanted:
            return [None] * len(keys)
        # MGET answers nothing for what is of another type, where GET would fail.
        values = dict(zip(wanted, cast("Sequence[bytes | None]", await self._valkey.mget(wanted)), strict=True))
        return [values.get(key) for key in keys]

    async def _search(self, prefix: str) -> tuple[list[str], bool]:
        """The ids behind a prefix, and whether these are all: no more than a bound, and no longer than the budget."""
        ends_at = monotonic() + self._time_budget.total_seconds()
        found: dict[str, None] = {}
        cursor = 0
        while True:
            cursor, keys = cast(
                "tuple[int, Sequence[bytes]]",
                await self._valkey.scan(cursor, match=f"{prefix}*", count=_KEYS_A_SCAN),
            )
            found.update(dict.fromkeys(_text(key).removeprefix(prefix) for key in keys))
            if cursor == 0:
                return list(found)[:MOST_FOUND], len(found) <= MOST_FOUND
            if len(found) >= MOST_FOUND or monotonic() >= ends_at:
                return list(found)[:MOST_FOUND], False


async def _answered(read: Callable[[], Awaitable[T]]) -> T | QueueUnavailable:
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            return await read()
    except (RedisError, OSError) as error:  # OSError: also the TimeoutError of the line above
        return QueueUnavailable(code=type(error).__name__)


def _queued(
    job_id: str, payload: bytes | None, state: JobState, due_at: datetime | None, tries: int | None
) -> QueuedJob:
    content = _object(payload)
    if content is None:
        found = PayloadState.MISSING if payload is None else PayloadState.FOREIGN
        return QueuedJob(job_id=_shown(job_id), state=state, payload=found, due_at=due_at, tries=tries)
    return QueuedJob(
        job_id=_shown(job_id),
        state=state,
        payload=PayloadState.READABLE,
        name=_shown(content["f"]),
        record_id=_record_id(content.get("a")),
        due_at=due_at,
        enqueued_at=_instant(content.get("et")),
        tries=tries,
    )


def _finished(job_id: str, payload: bytes | None, queue: str) -> QueuedJob | None:
    """None: of another queue."""
    content = _object(payload)
    if content is None:
        found = PayloadState.MISSING if payload is None else PayloadState.FOREIGN
        return QueuedJob(job_id=_shown(job_id), state=JobState.FINISHED, payload=found)
    if content.get("q") not in (queue, None):
        return None
    tries, succeeded = content.get("t"), content.get("s")
    return QueuedJob(
        job_id=_shown(job_id),
        state=JobState.FINISHED,
        payload=PayloadState.READABLE,
        name=_shown(content["f"]),
        record_id=_record_id(content.get("a")),
        enqueued_at=_instant(content.get("et")),
        tries=tries if isinstance(tries, int) else None,
        started_at=_instant(content.get("st")),
        finished_at=_instant(content.get("ft")),
        succeeded=succeeded if isinstance(succeeded, bool) else None,
        error_class=_error_class(content.get("r")),
    )


def _object(payload: bytes | None) -> Mapping[str, Any] | None:
    """The payload, if it is a JSON object with a function's name: pickled ones are not, and stay closed."""
    if payload is None:
        return None
    try:
        content = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(content, dict) or not isinstance(cast("dict[str, Any]", content).get("f"), str):
        return None
    return cast("dict[str, Any]", content)


def _record_id(arguments: Any) -> str | None:
    if not isinstance(arguments, list) or len(cast("list[Any]", arguments)) != 1:
        return None
    try:
        return str(UUID(cast("list[Any]", arguments)[0]))
    except (ValueError, AttributeError, TypeError):
        return None


def _error_class(result: Any) -> str | None:
    """What our serializer writes of an exception: its class and its code."""
    if not isinstance(result, dict):
        return None
    details = cast("dict[str, Any]", result)
    found = details.get("code") or details.get("error_class")
    return _shown(found) if isinstance(found, str) else None


def _number(value: bytes | None) -> int | None:
    try:
        return None if value is None else int(value)
    except ValueError:
        return None


def _instant(milliseconds: Any) -> datetime | None:
    if not isinstance(milliseconds, int | float) or not 0 <= milliseconds <= _LATEST:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _text(raw: bytes | str) -> str:
    return raw if isinstance(raw, str) else raw.decode(errors="backslashreplace")


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
