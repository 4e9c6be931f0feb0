from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis.asyncio

from jobs.bell import QUEUE, JobQueue
from jobs.queue_reading import ValkeyQueueReader
from jobs.serialization import serialize
from jobs.valkey import connect
from services.operations.queues import FoundJobs, JobState, PayloadState, QueuedPage, QueueFigures, QueueUnavailable

NOW = datetime(2030, 1, 1, tzinfo=UTC)
AT = int(NOW.timestamp() * 1000)


class Exploding:
    """Whoever unpickles it runs code."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('a payload was unpickled')",)


@pytest.fixture
def reader(valkey: redis.asyncio.Redis) -> ValkeyQueueReader:
    return ValkeyQueueReader(valkey)


async def put(valkey: redis.asyncio.Redis, job_id: str, *, due: float = AT, payload: bytes | None = None) -> None:
    await valkey.zadd(QUEUE, {job_id: due})
    if payload is not None:
        await valkey.set(f"arq:job:{job_id}", payload)


def payload_of(name: str, *arguments: object) -> bytes:
    return serialize({"t": None, "f": name, "a": arguments, "k": {}, "et": AT})


async def test_a_job_that_was_rung_for_is_found_with_its_record(valkey: redis.asyncio.Redis, reader: ValkeyQueueReader):
    record_id = uuid4()
    await JobQueue(valkey).ring("send_mail", record_id)

    page = await reader.queued(now=datetime.now(UTC) + timedelta(seconds=1))

    assert isinstance(page, QueuedPage)
    [job] = page.jobs
    assert (job.name, job.record_id, job.payload) == ("send_mail", str(record_id), PayloadState.READABLE)
    assert job.enqueued_at is not None
    assert (page.total, page.next_offset) == (1, None)


async def test_waiting_and_deferred_jobs_are_told_apart_and_counted(
    valkey: redis.asyncio.Redis, reader: ValkeyQueueReader
):
    await put(valkey, "old", due=AT - 60_000, payload=payload_of("a"))
    await put(valkey, "now", due=AT, payload=payload_of("b"))
    await put(valkey, "later", due=AT + 1, payload=payload_of("c"))

    figures = await reader.figures(now=NOW)
    queued, deferred = await reader.queued(now=NOW), await reader.deferred(now=NOW)

    assert isinstance(figures, QueueFigures)
    assert (figures.queued, figures.deferred) == (2, 1)
    assert figures.oldest_due_at == NOW - timedelta(minutes=1)
    assert isinstance(queued, QueuedPage)
    assert isinstance(deferred, QueuedPage)
    assert [job.job_id for job in queued.jobs] == ["old", "now"]
    assert [(job.job_id, job.state) for job in deferred.jobs] == [("later", JobState.DEFERRED)]


async def test_a_long_queue_is_read_in_pages(valkey: redis.asyncio.Redis, reader: ValkeyQueueReader):
    for number in range(5):
        await put(valkey, f"job-{number}", due=AT - 5 + number, payload=payload_of("a"))

    first = await reader.queued(now=NOW, size=3)
    assert isinstance(first, QueuedPage)
    assert first.next_offset is not None
    second = await reader.queued(now=NOW, size=3, offset=first.next_offset)

    assert isinstance(second, QueuedPage)
    assert [job.job_id for job in (*first.jobs, *second.jobs)] == [f"job-{number}" for number in range(5)]
    assert (first.total, second.next_offset) == (5, None)


@pytest.mark.parametrize(
    "payload",
    [
        pickle.dumps(Exploding()),
        b"\x00\xff garbage",
        b"[1, 2]",
        b'{"a": ["no name"]}',
        b'{"f": 7}',
        b"x" * 100_000,
    ],
)
async def test_what_is_not_ours_is_shown_as_foreign_and_not_opened(
    valkey: redis.asyncio.Redis, reader: ValkeyQueueReader, payload: bytes
):
    await put(valkey, "foreign", payload=payload)
    await valkey.set("arq:result:foreign", payload)

    page, results = await reader.queued(now=NOW), await reader.results()

    assert isinstance(page, QueuedPage)
    assert isinstance(results, FoundJobs)
    for job in (*page.jobs, *results.jobs):
        assert job.payload is (PayloadState.MISSING if len(payload) > 16_384 else PayloadState.FOREIGN)
        assert job.name is None


async def test_missing_payloads_and_keys_of_other_types_are_tolerated(
    valkey: redis.asyncio.Redis, reader: ValkeyQueueReader
):
    await put(valkey, "expired")
    await put(valkey, "of-another-type")
    await valkey.zadd("arq:job:of-another-type", {"x": 1})
    await valkey.set("arq:retry:expired", b"many")
    await valkey.zadd(QUEUE, {b"\xff\xfe": AT})
    await put(valkey, "never", due=float("-inf"))
    await put(valkey, "é" * 500)

    page = await reader.queued(now=NOW)

    assert isinstance(page, QueuedPage)
    assert page.total == 5
    assert {job.payload for job in page.jobs} == {PayloadState.MISSING}
    assert all(len(job.job_id) <= 201 for job in page.jobs)


async def test_arguments_that_are_no_record_are_not_shown(valkey: redis.asyncio.Redis, reader: ValkeyQueueReader):
    await put(valkey, "talkative", payload=payload_of("a", "zelie@exemple.test"))

    page = await reader.queued(now=NOW)

    assert isinstance(page, QueuedPage)
    assert page.jobs[0].record_id is None
    assert "zelie" not in repr(page)


async def test_a_job_that_a_worker_holds_is_running(valkey: redis.asyncio.Redis, reader: ValkeyQueueReader):
    await put(valkey, "held", payload=payload_of("send_mail", str(uuid4())))
    await valkey.set("arq:in-progress:held", b"1")
    await valkey.set("arq:retry:held", b"3")

    running, queued = await reader.running(), await reader.queued(now=NOW)

    assert isinstance(running, FoundJobs)
    assert isinstance(queued, QueuedPage)
    [job] = running.jobs
    assert (job.job_id, job.name, job.tries, job.state) == ("held", "send_mail", 3, JobState.RUNNING)
    assert [job.state for job in queued.jobs] == [JobState.RUNNING]
    assert running.is_complete


async def test_results_tell_how_it_ended_newest_first_and_of_this_queue_only(
    valkey: redis.asyncio.Redis, reader: ValkeyQueueReader
):
    def result(at: int, *, succeeded: bool, queue: str = QUEUE) -> bytes:
        said = None if succeeded else {"error_class": "JobFailed", "code": "KeyError"}
        content: dict[str, Any] = {"t": 1, "f": "send_mail", "a": [], "k": {}, "et": AT, "s": succeeded, "r": said}
        return serialize(content | {"st": at, "ft": at + 20, "q": queue, "id": "x"})

    await valkey.set("arq:result:old", result(AT, succeeded=True))
    await valkey.set("arq:result:new", result(AT + 1000, succeeded=False))
    await valkey.set("arq:result:other", result(AT, succeeded=True, queue="somebody-elses"))

    found = await reader.results()

    assert isinstance(found, FoundJobs)
    assert [(job.job_id, job.succeeded, job.error_class) for job in found.jobs] == [
        ("new", False, "KeyError"),
        ("old", True, None),
    ]
    assert found.jobs[0].finished_at == NOW + timedelta(milliseconds=1020)


async def test_a_search_ends_when_its_time_is_over(valkey: redis.asyncio.Redis):
    await valkey.mset({f"somebody-else:{number}": "x" for number in range(3000)})
    hurried = ValkeyQueueReader(valkey, time_budget=timedelta(0))

    found = await hurried.running()

    assert isinstance(found, FoundJobs)
    assert not found.is_complete


async def test_a_valkey_that_is_away_is_an_answer(unused_tcp_port: int):
    async with connect(f"redis://127.0.0.1:{unused_tcp_port}/0") as away:
        reader = ValkeyQueueReader(away)

        outcomes = [await reader.figures(now=NOW), await reader.queued(now=NOW), await reader.results()]

    assert all(isinstance(outcome, QueueUnavailable) for outcome in outcomes)
