"""The directory of data·inclusion on a faked wire, behind the real cache: what the tests of its searches share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import httpx
import redis.asyncio
import respx
from respx.models import Call

from clients.api_geo import APIGeoClient, build_api_geo_http
from clients.data_inclusion import DataInclusionClient, build_data_inclusion_http
from services.communes import Communes
from services.inclusion_structures import InclusionStructures
from services.lookup_cache import LookupCache
from services.throttling import Throttle
from tests.integration.places import GEO, GEO_CONFIG
from tests.unit.clients.data_inclusion import CONFIG, LOCAL_MISSION, SOURCES_URL, STRUCTURES_URL, WORKSHOP, page
from tests.unit.clients.doubles import RecordingPacer

SLUGS = ("dora", "emplois-de-linclusion", "mission-locale")
# Metz, and what lies to the north of 49.3 degrees, which is Thionville's commune here: both in Moselle.
METZ_LATITUDE, METZ_LONGITUDE = 49.11, 6.17


@dataclass
class FakedDirectory:
    """`pages` are answered to every search, whatever it asks: the real one ignores what it does not know as well."""

    found: InclusionStructures
    searches: Throttle
    structures: respx.Route
    sources: respx.Route
    geo: respx.Route
    pages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    # INSEE codes by the first latitude, from north to south, that lies below a point; what is further south is the sea.
    communes_from: list[tuple[float, str]] = field(default_factory=lambda: [(-90.0, "57463")])

    def hold(self, *records: dict[str, Any]) -> None:
        self.pages = [page(*records)]

    @property
    def queries(self) -> list[list[tuple[str, str]]]:
        calls = cast("Sequence[Call]", self.structures.calls)
        return [call.request.url.params.multi_items() for call in calls]

    def answer(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=self.pages[int(request.url.params["page"]) - 1])

    def locate(self, request: httpx.Request) -> httpx.Response:
        latitude = float(request.url.params["lat"])
        codes = [code for south, code in self.communes_from if latitude >= south]
        communes = [{"nom": "Commune inventée", "code": code} for code in codes[:1]]
        return httpx.Response(200, json=communes)


@asynccontextmanager
async def faked_directory(
    valkey: redis.asyncio.Redis, *, per_minute: int = 10_000, with_communes: bool = True
) -> AsyncGenerator[FakedDirectory]:
    async def never_sleep(seconds: float) -> None:
        del seconds

    cache = LookupCache(valkey, hash_key=b"tests-only")
    config = replace(CONFIG, timeout_seconds=2)
    with respx.mock(assert_all_called=False) as router:
        async with build_data_inclusion_http(config) as http, build_api_geo_http(GEO_CONFIG) as geo_http:
            communes = Communes(APIGeoClient(GEO_CONFIG, geo_http, RecordingPacer()), cache)
            client = DataInclusionClient(config, http, sleep=never_sleep)
            directory = FakedDirectory(
                found=InclusionStructures(client, cache, communes if with_communes else None),
                searches=Throttle(valkey, name="tests", per_minute=per_minute, hash_key=b"tests-only"),
                structures=router.get(STRUCTURES_URL),
                sources=router.get(SOURCES_URL).respond(200, json=[{"slug": slug, "nom": slug} for slug in SLUGS]),
                geo=router.get(url__startswith=GEO),
            )
            directory.hold(WORKSHOP, LOCAL_MISSION)
            directory.structures.mock(side_effect=directory.answer)
            directory.geo.mock(side_effect=directory.locate)
            try:
                yield directory
            finally:
                await cache.aclose()
