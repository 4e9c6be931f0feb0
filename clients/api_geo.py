"""API Géo: the communes of France, by INSEE code, post code or name, and all of them.

Source: geo.api.gouv.fr, "API Découpage administratif". It knows no key and publishes no limit.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from time import monotonic
from types import MappingProxyType
from typing import Annotated, TypeVar

import httpx
import msgspec

from clients.answers import PERMANENT, Reader, Reply
from clients.breaker import BreakerPolicy, BreakerState
from clients.errors import ErrorCode
from clients.geojson import Point
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest, build_http_client
from clients.observer import Observer
from clients.pacing import Pacer
from clients.repeat import Repeat, with_one_repeat
from clients.shapes import Shape, Wire

T = TypeVar("T")

PARTNER = "api_geo"
COMMUNE_OPERATION = "commune"
SEARCH_OPERATION = "communes"
COUNTRY_OPERATION = "country"

_GATE = f"{PARTNER}:communes"
PACE_KEYS: Mapping[str, str] = MappingProxyType(
    {operation: _GATE for operation in (COMMUNE_OPERATION, SEARCH_OPERATION, COUNTRY_OPERATION)}
)

# France has about 35,000 communes; fewer than this is a truncated answer, which would delete live ones.
FEWEST_COMMUNES = 30_000
# 20 of Paris, 9 of Lyon, 16 of Marseille.
FEWEST_ARRONDISSEMENTS = 45

_COMMUNE = "commune-actuelle"
_ARRONDISSEMENT = "arrondissement-municipal"
_FIELDS = "nom,code,codesPostaux,codeDepartement,codeRegion,codeEpci,codeParent,anciensCodes,population,centre"
_INSEE_CODE = re.compile(r"\d{5}|2[AB]\d{3}", re.ASCII)
_MAX_BYTES = 2_000_000
_MAX_COUNTRY_BYTES = 60_000_000
# A method that is not allowed is answered 401: both are mistakes of this module, which no repeat would heal.
_PERMANENT = PERMANENT | {HTTPStatus.UNAUTHORIZED}


@dataclass(frozen=True, slots=True, kw_only=True)
class APIGeoConfig:
    """All times in seconds. `fewest_communes`: what an answer must hold to be taken for the country."""

    base_url: str = "https://geo.api.gouv.fr"
    timeout_seconds: float = 10.0
    country_timeout_seconds: float = 60.0
    max_rps: float = 20.0
    max_concurrency: int = 10
    queue_seconds: float = 1.0
    patience_seconds: float = 5.0
    fewest_communes: int = FEWEST_COMMUNES
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    def pace_rates(self) -> dict[str, float]:
        """Calls a second for each key that this client gives to its Pacer."""
        return {_GATE: self.max_rps}


def build_api_geo_http(config: APIGeoConfig) -> httpx.AsyncClient:
    """The HTTP client with this partner's bounds; whoever builds it closes it."""
    return build_http_client(
        config.base_url, read=config.country_timeout_seconds, max_connections=config.max_concurrency + 1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommuneRecord:
    """A commune, or an arrondissement of Paris, Lyon or Marseille, which then has a `parent_code`.

    A post code may belong to several communes and a commune may have several. Overseas some codes are absent.
    `former_codes`: of the communes that were merged into this one.
    """

    insee_code: str
    name: str
    post_codes: tuple[str, ...]
    department_code: str | None
    region_code: str | None
    epci_code: str | None
    parent_code: str | None
    population: int | None
    latitude: float | None
    longitude: float | None
    former_codes: tuple[str, ...] = ()


class _Commune(Wire):
    code: Annotated[str, msgspec.Meta(pattern=r"^(\d{5}|2[AB]\d{3})\Z")]
    name: Annotated[str, msgspec.Meta(min_length=1)] = msgspec.field(name="nom")
    post_codes: tuple[str, ...] = msgspec.field(default=(), name="codesPostaux")
    department_code: str | None = msgspec.field(default=None, name="codeDepartement")
    region_code: str | None = msgspec.field(default=None, name="codeRegion")
    epci_code: str | None = msgspec.field(default=None, name="codeEpci")
    parent_code: str | None = msgspec.field(default=None, name="codeParent")
    former_codes: tuple[str, ...] = msgspec.field(default=(), name="anciensCodes")
    population: int | None = None
    centre: Point | None = None

    def record(self) -> CommuneRecord:
        longitude, latitude = self.centre.coordinates if self.centre else (None, None)
        return CommuneRecord(
            insee_code=self.code,
            name=self.name,
            post_codes=self.post_codes,
            department_code=self.department_code,
            region_code=self.region_code,
            epci_code=self.epci_code,
            parent_code=self.parent_code,
            population=self.population,
            latitude=latitude,
            longitude=longitude,
            former_codes=self.former_codes,
        )


_ONE = Shape(_Commune)
_MANY = Shape(list[_Commune])


class APIGeoClient:
    """The communes of France. Build it once a process, on the loop that uses it.

    Every call raises PartnerUnavailable: fall back on the local table then. A 429 that asks for a short wait is waited
    for and the call made once more; any other failure is not repeated, the local table answers at once.
    """

    def __init__(
        self,
        config: APIGeoConfig,
        http: httpx.AsyncClient,
        pacer: Pacer,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._base_url = config.base_url.rstrip("/")
        self._fewest_communes = config.fewest_communes
        self._sleep = sleep
        self._repeat = Repeat(patience_seconds=config.patience_seconds)
        build = partial(
            PartnerHTTP, PARTNER, http, pacer=pacer, paced=PACE_KEYS, observer=observer, clock=clock, now=now
        )
        self._look_ups = build(
            CallPolicy(
                deadline_seconds=config.timeout_seconds,
                queue_seconds=config.queue_seconds,
                max_concurrency=config.max_concurrency,
                max_bytes=_MAX_BYTES,
                retry_after_default_seconds=config.patience_seconds,
                breaker=config.breaker,
            )
        )
        self._country = build(
            CallPolicy(
                deadline_seconds=config.country_timeout_seconds,
                queue_seconds=config.country_timeout_seconds,
                max_concurrency=1,
                max_bytes=_MAX_COUNTRY_BYTES,
                retry_after_default_seconds=config.patience_seconds,
                breaker=config.breaker,
            )
        )

    async def commune(self, insee_code: str) -> CommuneRecord | None:
        """By INSEE code, arrondissements included. None: there is no such code today; a former one may have been."""
        code = insee_code.strip().upper()
        if not _INSEE_CODE.fullmatch(code):
            return None
        return await self._get(
            self._look_ups, COMMUNE_OPERATION, f"/communes/{code}", {"fields": _FIELDS}, _read_one_or_none
        )

    async def commune_of_former_code(self, insee_code: str) -> CommuneRecord | None:
        """The commune into which that of a former code was merged. None: no commune remembers that code."""
        code = insee_code.strip().upper()
        if not _INSEE_CODE.fullmatch(code):
            return None
        found = await self._search({"ancienCode": code, "limit": "1"})
        return found[0] if found else None

    async def commune_at(self, latitude: float, longitude: float) -> CommuneRecord | None:
        """The commune in which a point lies. None: at sea, or abroad."""
        found = await self._search({"lat": f"{latitude:.4f}", "lon": f"{longitude:.4f}", "limit": "1"})
        return found[0] if found else None

    async def communes(
        self,
        *,
        name: str | None = None,
        post_code: str | None = None,
        department_code: str | None = None,
        limit: int = 10,
        with_arrondissements: bool = False,
    ) -> list[CommuneRecord]:
        """The communes that match all of what is given; by name the likeliest first, larger ones favoured.

        Names may be incomplete, and lack accents and hyphens. Nothing given: ValueError, that would be all of France.
        """
        if limit < 1:
            raise ValueError(f"limit of communes: {limit}, at least 1 expected")  # 0 means none to the API
        filters = {
            "nom": " ".join((name or "").split()),
            "codePostal": (post_code or "").strip(),
            "codeDepartement": (department_code or "").strip().upper(),
        }
        params = {key: value for key, value in filters.items() if value}
        if not params:
            raise ValueError("communes: nothing to search by; give a name, a post code or a department")
        if "nom" in params:
            params["boost"] = "population"
        if with_arrondissements:
            params["type"] = f"{_COMMUNE},{_ARRONDISSEMENT}"
        return await self._search({**params, "limit": str(limit)})

    async def country(self) -> list[CommuneRecord]:
        """Every commune and every arrondissement, in two calls of many megabytes: for the synchronisation.

        An answer that is too short to be the country is PartnerUnavailable: whoever trusted it would delete communes.
        """
        communes = await self._all(_COMMUNE, at_least=self._fewest_communes)
        return communes + await self._all(_ARRONDISSEMENT, at_least=FEWEST_ARRONDISSEMENTS)

    def breaker_states(self) -> dict[str, BreakerState]:
        """The breaker of each operation called so far."""
        return self._look_ups.breaker_states() | self._country.breaker_states()

    async def _search(self, params: dict[str, str]) -> list[CommuneRecord]:
        return await self._get(
            self._look_ups, SEARCH_OPERATION, "/communes", {**params, "fields": _FIELDS}, _read_many(at_least=0)
        )

    async def _all(self, kind: str, *, at_least: int) -> list[CommuneRecord]:
        params = {"fields": _FIELDS, "type": kind}
        reply = await self._get(self._country, COUNTRY_OPERATION, "/communes", params, _sound)
        # Megabytes of JSON: read on the loop, they would hold up everything else in this process for long.
        return await asyncio.to_thread(_read_many(at_least), reply)

    async def _get(self, partner: PartnerHTTP, operation: str, path: str, params: dict[str, str], read: Reader[T]) -> T:
        request = PartnerRequest(
            method="GET",
            url=self._base_url + path,
            params={**params, "format": "json"},
            headers={"Accept": "application/json"},
        )
        return await with_one_repeat(lambda: partner.call(operation, request, read), self._repeat, sleep=self._sleep)


def _read_one_or_none(reply: Reply) -> CommuneRecord | None:
    if reply.status == HTTPStatus.NOT_FOUND:  # its body is plain text
        return None
    reply.check_status(permanent=_PERMANENT)
    return reply.parse(_ONE).record()


def _sound(reply: Reply) -> Reply:
    reply.check_status(permanent=_PERMANENT)
    return reply


def _read_many(at_least: int) -> Reader[list[CommuneRecord]]:
    def read(reply: Reply) -> list[CommuneRecord]:
        reply.check_status(permanent=_PERMANENT)
        communes = [commune.record() for commune in reply.parse(_MANY)]
        if len(communes) < at_least:
            raise reply.unavailable(
                "fewer communes than France has: the answer was cut", code=ErrorCode.UNEXPECTED_SHAPE
            )
        return communes

    return read
