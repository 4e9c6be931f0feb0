"""A country on a faked wire, and its known communes in the table: for tests of both.

It is smaller than France, and the client believes in it: whole ones are loaded by tests/e2e/test_communes.py.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import httpx
import orjson
import respx

from clients.api_geo import APIGeoClient, APIGeoConfig, build_api_geo_http
from clients.breaker import BreakerPolicy
from models import Commune
from models.communes import search_text
from sandbox.gazetteer import COMMUNES
from sandbox.gazetteer import Commune as KnownCommune
from sandbox.geo.communes import as_json
from sandbox.geo.country import whole_country
from tests.conftest import NOW
from tests.unit.clients.doubles import RecordingPacer

GEO = "https://geo.example"
_CONFIG = APIGeoConfig(base_url=GEO, fewest_communes=1_000, breaker=BreakerPolicy(failures=10_000))
_FIELDS = ("codesPostaux", "codeEpci", "codeParent", "anciensCodes", "population", "centre")
SIZE = 1_200

JSON = dict[str, Any]


@cache
def _country() -> tuple[JSON, ...]:
    return tuple(as_json(commune, _FIELDS) for commune in whole_country(SIZE))


@dataclass
class Country:
    """What API Géo lists: `changes` by code, None for a commune that is no more; `extra`: those that are new."""

    client: APIGeoClient
    route: respx.Route
    changes: dict[str, JSON | None] = field(default_factory=dict[str, JSON | None])
    extra: list[JSON] = field(default_factory=list[JSON])
    without: frozenset[str] = frozenset()
    keeps: int | None = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if "arrondissement-municipal" in request.url.params.get("type", ""):
            found = [as_json(commune, _FIELDS) for commune in COMMUNES if commune.is_arrondissement]
            return httpx.Response(200, content=orjson.dumps(found))
        listed = [
            {**commune, **(self.changes.get(commune["code"]) or {})}
            for commune in _country()
            if self.changes.get(commune["code"], commune) is not None and commune["code"][:2] not in self.without
        ]
        return httpx.Response(200, content=orjson.dumps([*listed, *self.extra][: self.keeps]))


@asynccontextmanager
async def faked_country(*, deadline_seconds: float = 60) -> AsyncGenerator[Country]:
    config = replace(_CONFIG, country_timeout_seconds=deadline_seconds)
    with respx.mock(assert_all_called=False) as router:
        async with build_api_geo_http(config) as http:
            country = Country(APIGeoClient(config, http, RecordingPacer()), router.get(url__startswith=GEO))
            country.route.mock(side_effect=country.answer)
            yield country


async def fill_table(communes: Iterable[KnownCommune] = COMMUNES) -> None:
    """Put communes into the table as a synchronisation would, without one."""
    await Commune.bulk_create(
        Commune(
            insee_code=commune.code,
            name=commune.name,
            search_name=search_text(commune.name),
            post_codes=list(commune.post_codes),
            epci_code=commune.epci_code or None,
            parent_code=commune.parent_code or None,
            former_codes=list(commune.former_codes),
            population=commune.population,
            latitude=commune.latitude,
            longitude=commune.longitude,
            updated_at=NOW,
        )
        for commune in communes
    )
