"""Partners on a faked wire, with stand-ins for store, pacer and observer."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import respx

from clients.france_travail import FranceTravailClient, build_france_travail_http
from clients.http import PartnerHTTP, build_http_client
from tests.unit.clients.doubles import ManualClock, MemoryTokenStore, RecordingObserver, RecordingPacer
from tests.unit.clients.france_travail import CONFIG, FakeFranceTravail, fake_france_travail
from tests.unit.clients.partner import BASE, NOW, POLICY


@pytest.fixture
def observer() -> RecordingObserver:
    return RecordingObserver()


@pytest.fixture
def pacer() -> RecordingPacer:
    return RecordingPacer()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens() -> MemoryTokenStore:
    return MemoryTokenStore()


@pytest.fixture
def api() -> Iterator[FakeFranceTravail]:
    with respx.mock(assert_all_called=False) as router:
        yield fake_france_travail(router)


@pytest.fixture
async def france_travail_http() -> AsyncIterator[httpx.AsyncClient]:
    async with build_france_travail_http(CONFIG) as client:
        yield client


@pytest.fixture
def client(
    france_travail_http: httpx.AsyncClient,
    tokens: MemoryTokenStore,
    pacer: RecordingPacer,
    observer: RecordingObserver,
    clock: ManualClock,
) -> FranceTravailClient:
    return FranceTravailClient(CONFIG, france_travail_http, tokens, pacer, observer=observer, clock=clock)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with build_http_client(BASE) as client:
        yield client


@pytest.fixture
def partner(
    http: httpx.AsyncClient, observer: RecordingObserver, pacer: RecordingPacer, clock: ManualClock
) -> PartnerHTTP:
    return PartnerHTTP(
        "partner",
        http,
        POLICY,
        pacer=pacer,
        paced={"get_thing": "partner:things", "put_thing": "partner:writes"},
        observer=observer,
        clock=clock,
        now=lambda: NOW,
    )


@pytest.fixture
def things() -> Iterator[respx.Route]:
    with respx.mock(base_url=BASE, assert_all_called=False) as router:
        yield router.post("/things")
