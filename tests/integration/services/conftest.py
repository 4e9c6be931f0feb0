"""France Travail on a faked wire, in front of the real database; waits that are remembered instead of slept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import pytest
import respx

from clients.france_travail import FranceTravailClient, build_france_travail_http
from tests.conftest import NOW
from tests.unit.clients.doubles import MemoryTokenStore, RecordingPacer
from tests.unit.clients.france_travail import CONFIG, FakeFranceTravail, fake_france_travail


@dataclass
class Sleeps:
    """Stands in for asyncio.sleep where a service waits because a partner asked it to."""

    seconds: list[float] = field(default_factory=list[float])

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@dataclass
class TickingClock:
    """Every look at it is a second later than the one before."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def api() -> Iterator[FakeFranceTravail]:
    """Finds everybody, takes everything, until a test says otherwise."""
    with respx.mock(assert_all_called=False) as router:
        yield fake_france_travail(router)


@pytest.fixture
async def france_travail_http() -> AsyncIterator[httpx.AsyncClient]:
    async with build_france_travail_http(CONFIG) as client:
        yield client


@pytest.fixture
def france_travail(france_travail_http: httpx.AsyncClient) -> FranceTravailClient:
    return FranceTravailClient(CONFIG, france_travail_http, MemoryTokenStore(), RecordingPacer())
