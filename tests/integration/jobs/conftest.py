"""A worker's parts in this process: real PostgreSQL and Valkey, France Travail faked at the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import respx

from clients.france_travail import FranceTravailClient, build_france_travail_http
from jobs.context import NotificationPlan, WorkerContext
from jobs.current import CurrentJobs
from jobs.rounds import Rounds
from tests.unit.clients.doubles import MemoryTokenStore, RecordingPacer
from tests.unit.clients.france_travail import CONFIG, FakeFranceTravail, fake_france_travail


@dataclass
class WorkerParts:
    """What makes up a worker, and the switch that ends it."""

    context: WorkerContext
    stop: asyncio.Event


@pytest.fixture
def api() -> Iterator[FakeFranceTravail]:
    with respx.mock(assert_all_called=False) as router:
        yield fake_france_travail(router)


@pytest.fixture
async def france_travail_http() -> AsyncIterator[httpx.AsyncClient]:
    async with build_france_travail_http(CONFIG) as client:
        yield client


@pytest.fixture
async def worker(france_travail_http: httpx.AsyncClient) -> AsyncIterator[WorkerParts]:
    """A worker whose runs may start at any hour, a second after the last one."""
    stop, current = asyncio.Event(), CurrentJobs()
    rounds = Rounds(stop, current)
    client = FranceTravailClient(CONFIG, france_travail_http, MemoryTokenStore(), RecordingPacer())
    plan = NotificationPlan(interval=timedelta(seconds=1), last_hour=23)
    yield WorkerParts(
        WorkerContext(
            france_travail=client, notification=plan, certification_batch_size=200, rounds=rounds, current=current
        ),
        stop,
    )
    stop.set()
    await rounds.finish(timedelta(seconds=5))
