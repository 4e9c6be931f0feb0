"""What the BAN tests share: a client on a faked wire, and invented or public addresses."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import httpx
import respx
from respx.models import Call

from clients.ban import BANClient, BANConfig, build_ban_http
from clients.breaker import BreakerPolicy
from tests.unit.clients.doubles import RecordingPacer

BASE = "https://ban.example"
SEARCH_URL = f"{BASE}/geocodage/search/"
BATCH_URL = f"{BASE}/geocodage/search/csv/"
CONFIG = BANConfig(base_url=BASE, breaker=BreakerPolicy(failures=10_000))

METZ_STREET = "12 rue des Tilleuls Inventés, 57000 Metz"
PROPERTIES: dict[str, Any] = {
    "label": "12 Rue des Tilleuls Inventés 57000 Metz",
    "score": 0.9729,
    "housenumber": "12",
    "id": "57463_0001_00012",
    "name": "12 Rue des Tilleuls Inventés",
    "postcode": "57000",
    "citycode": "57463",
    "x": 932_000.1,
    "y": 6_895_000.2,
    "city": "Metz",
    "context": "57, Moselle, Grand Est",
    "type": "housenumber",
    "importance": 0.7,
    "street": "Rue des Tilleuls Inventés",
}


def feature(**changes: Any) -> dict[str, Any]:
    """One feature; None drops a property."""
    properties = {key: value for key, value in (PROPERTIES | changes).items() if value is not None}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [6.175619, 49.119309]},
        "properties": properties,
    }


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), "query": "as sent"}


@dataclass
class Geocoder:
    """A client, what it sent and how long it waited between two attempts."""

    client: BANClient
    search: respx.Route
    batch: respx.Route
    pacer: RecordingPacer
    pauses: list[float] = field(default_factory=list[float])

    @property
    def queries(self) -> list[dict[str, str]]:
        calls = cast("Sequence[Call]", self.search.calls)
        return [dict(call.request.url.params) for call in calls]


@asynccontextmanager
async def geocoder_within(deadline_seconds: float = 5.0) -> AsyncGenerator[Geocoder]:
    config = replace(CONFIG, timeout_seconds=deadline_seconds, batch_timeout_seconds=deadline_seconds)
    pacer = RecordingPacer()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    with respx.mock(assert_all_called=False) as router:
        async with build_ban_http(config) as http:
            yield Geocoder(
                client=BANClient(config, http, pacer, sleep=sleep),
                search=router.get(SEARCH_URL).respond(200, json=collection(feature())),
                batch=router.post(BATCH_URL),
                pacer=pacer,
                pauses=pauses,
            )


def in_turn(*answers: httpx.Response | type[httpx.HTTPError]) -> Iterator[Any]:
    return iter(answers)
