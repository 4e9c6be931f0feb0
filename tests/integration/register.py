"""INSEE's register on a faked wire, behind the real cache: what the tests of services and of the API share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs

import httpx
import redis.asyncio
import respx
from respx.models import Call

from clients.pacing import Pacer
from clients.sirene import SireneClient, SireneConfig, build_sirene_http
from services.establishments import Establishments
from services.lookup_cache import LookupCache
from services.throttling import Throttle
from tests.unit.clients.doubles import MemoryTokenStore, RecordingPacer
from tests.unit.clients.sirene import BASE, KEY_CONFIG, establishment, many, refusal


async def never_sleep(seconds: float) -> None:
    del seconds


@dataclass
class FakedRegister:
    """Knows what `know` told it and answers 404 for the rest; `one` and `search` may be given other answers."""

    establishments: Establishments
    searches: Throttle
    one: respx.Route
    search: respx.Route
    known: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def know(self, siret: str, **changes: Any) -> None:
        self.known[siret] = establishment(siret, **changes)

    @property
    def asked(self) -> list[list[str]]:
        """The numbers of each call, those of searches last."""
        ones = [[call.request.url.path.rsplit("/", 1)[1]] for call in cast("Sequence[Call]", self.one.calls)]
        return ones + [_numbers(call.request) for call in cast("Sequence[Call]", self.search.calls)]

    def answer_one(self, request: httpx.Request) -> httpx.Response:
        found = self.known.get(request.url.path.rsplit("/", 1)[1])
        return httpx.Response(200, json={"header": {"statut": 200}, "etablissement": found}) if found else refusal(404)

    def answer_search(self, request: httpx.Request) -> httpx.Response:
        found = [self.known[number] for number in _numbers(request) if number in self.known]
        return httpx.Response(200, json=many(*found)) if found else refusal(404)


@asynccontextmanager
async def faked_register(
    valkey: redis.asyncio.Redis,
    *,
    config: SireneConfig = KEY_CONFIG,
    pacer: Pacer | None = None,
    per_minute: int = 10_000,
) -> AsyncGenerator[FakedRegister]:
    cache = LookupCache(valkey, hash_key=b"tests-only")
    with respx.mock(assert_all_called=False) as router:
        async with build_sirene_http(config) as http:
            client = SireneClient(config, http, MemoryTokenStore(), pacer or RecordingPacer(), sleep=never_sleep)
            register = FakedRegister(
                establishments=Establishments(client, cache),
                searches=Throttle(valkey, name="tests", per_minute=per_minute, hash_key=b"tests-only"),
                one=router.get(url__regex=rf"{BASE}/siret/.+"),
                search=router.post(f"{BASE}/siret"),
            )
            register.one.mock(side_effect=register.answer_one)
            register.search.mock(side_effect=register.answer_search)
            try:
                yield register
            finally:
                await cache.aclose()


def _numbers(request: httpx.Request) -> list[str]:
    query = parse_qs(request.content.decode())["q"][0]
    return [term.removeprefix("siret:") for term in query.split(" OR ")]
