"""Addresses and communes on a faked wire, behind the real cache: what the tests of services and of the API share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import httpx
import redis.asyncio
import respx
from respx.models import Call

from clients.api_geo import APIGeoClient, APIGeoConfig, build_api_geo_http
from clients.ban import BANClient, build_ban_http
from clients.breaker import BreakerPolicy
from services.communes import Communes
from services.geocoding import Geocoding
from services.lookup_cache import LookupCache
from services.throttling import Throttle
from tests.unit.clients.ban import BATCH_URL, SEARCH_URL, collection, feature
from tests.unit.clients.ban import CONFIG as BAN_CONFIG
from tests.unit.clients.doubles import RecordingPacer

GEO = "https://geo.example"
GEO_CONFIG = APIGeoConfig(base_url=GEO, breaker=BreakerPolicy(failures=10_000))

COMMUNES: dict[str, dict[str, Any]] = {
    code: {
        "nom": name,
        "code": code,
        "codesPostaux": post_codes,
        "codeDepartement": department,
        "population": population,
        "centre": {"type": "Point", "coordinates": [6.1956, 49.1081]},
    }
    for code, name, post_codes, department, population in (
        ("57463", "Metz", ["57000", "57050", "57070"], "57", 120_000),
        ("57672", "Thionville", ["57100"], "57", 42_000),
        ("69123", "Lyon", ["69001"], "69", 520_000),
        ("75056", "Paris", ["75001", "75008"], "75", 2_100_000),
        ("97801", "Saint-Martin", ["97150"], "978", 31_000),
    )
} | {
    "75108": {"nom": "Paris 8e Arrondissement", "code": "75108", "codesPostaux": ["75008"], "codeParent": "75056"},
}
FORMER = {"57999": "57463"}


@dataclass
class Places:
    """The services, and what they asked of both partners. `geo_is_down`: API Géo answers 503 from then on."""

    geocoding: Geocoding
    communes: Communes
    ban: BANClient
    searches: Throttle
    search: respx.Route
    batch: respx.Route
    geo: respx.Route
    geo_is_down: bool = False

    @property
    def ban_queries(self) -> list[dict[str, str]]:
        return _queries(self.search)

    @property
    def geo_paths(self) -> list[str]:
        calls = cast("Sequence[Call]", self.geo.calls)
        return [call.request.url.path for call in calls]

    @property
    def geo_queries(self) -> list[dict[str, str]]:
        return _queries(self.geo)

    def answer_geo(self, request: httpx.Request) -> httpx.Response:
        if self.geo_is_down:
            return httpx.Response(503, text="Service Unavailable")
        path = request.url.path.split("/")
        if len(path) == 3:
            found = COMMUNES.get(path[2])
            return httpx.Response(200, json=found) if found else httpx.Response(404, text="Not Found")
        wanted = dict(request.url.params)
        return httpx.Response(200, json=[commune for commune in COMMUNES.values() if _matches(commune, wanted)])


@asynccontextmanager
async def faked_places(valkey: redis.asyncio.Redis, *, per_minute: int = 10_000) -> AsyncGenerator[Places]:
    cache = LookupCache(valkey, hash_key=b"tests-only")
    with respx.mock(assert_all_called=False) as router:
        async with build_ban_http(BAN_CONFIG) as ban_http, build_api_geo_http(GEO_CONFIG) as geo_http:
            ban = BANClient(replace(BAN_CONFIG, failure_pause_seconds=0), ban_http, RecordingPacer())
            communes = Communes(APIGeoClient(GEO_CONFIG, geo_http, RecordingPacer()), cache)
            places = Places(
                geocoding=Geocoding(ban, cache, communes),
                communes=communes,
                ban=ban,
                searches=Throttle(valkey, name="tests", per_minute=per_minute, hash_key=b"tests-only"),
                search=router.get(SEARCH_URL).respond(200, json=collection(feature())),
                batch=router.post(BATCH_URL),
                geo=router.get(url__startswith=GEO),
            )
            places.geo.mock(side_effect=places.answer_geo)
            try:
                yield places
            finally:
                await cache.aclose()


def _queries(route: respx.Route) -> list[dict[str, str]]:
    calls = cast("Sequence[Call]", route.calls)
    return [dict(call.request.url.params) for call in calls]


def _matches(commune: dict[str, Any], wanted: dict[str, str]) -> bool:
    if commune.get("codeParent") and "arrondissement-municipal" not in wanted.get("type", ""):
        return False
    if "ancienCode" in wanted:
        return FORMER.get(wanted["ancienCode"]) == commune["code"]
    return (
        commune["nom"].casefold().startswith(wanted.get("nom", "").casefold())
        and wanted.get("codePostal") in (None, *commune["codesPostaux"])
        and wanted.get("codeDepartement") in (None, commune.get("codeDepartement"))
    )
