"""The calls to the directory.

Paging is by offset over data that is rebuilt under way: a structure may come on two pages, or on none. So what is found
is unique by id, and what is not found proves nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from time import monotonic
from typing import TypeVar
from urllib.parse import quote

import httpx
import structlog

from clients.answers import Reader
from clients.breaker import BreakerState
from clients.data_inclusion.config import PARTNER, DataInclusionConfig, foreign_sources
from clients.data_inclusion.reading import Page, read_page, read_sources, read_structure, structure_of, text_of
from clients.data_inclusion.records import DataSource, FoundStructures, Location, Structure
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest
from clients.observer import Observer
from clients.repeat import Sleep, with_one_repeat

T = TypeVar("T")
Query = dict[str, str | list[str]]

log = structlog.get_logger(__name__)

_STRUCTURES = "/api/v1/structures"
_SERVICES = "/api/v1/services"
_SOURCES = "/api/v1/sources"
_PAGE_SIZE = 1_000
_MAX_PAGES = 200
_MAX_BYTES = 40_000_000  # a page of structures, each with a description of up to 10,000 characters
_MAX_LOGGED_IDS = 20


class DataInclusionClient:
    """The directory. Build it once a process, on the loop that uses it. Every call may be repeated once, after 1 s.

    Raises PartnerUnavailable (DataInclusionMisconfigured when an operator must act) or PartnerRejected:
    `directory_failure` tells what they mean to whoever asked.
    """

    def __init__(
        self,
        config: DataInclusionConfig,
        http: httpx.AsyncClient,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._base_url = config.base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {config.token}", "Accept": "application/json"}
        self._repeat = config.repeat
        self._sleep = sleep
        policy = CallPolicy(
            deadline_seconds=config.timeout_seconds,
            queue_seconds=config.queue_seconds,
            max_concurrency=config.max_concurrency,
            max_bytes=_MAX_BYTES,
            breaker=config.breaker,
        )
        self._partner = PartnerHTTP(PARTNER, http, policy, observer=observer, clock=clock)

    async def sources(self) -> tuple[DataSource, ...]:
        """Return the sources as of now. They change: keep them for a day at most."""
        return await self._get("list_sources", _SOURCES, {}, read_sources)

    async def search_structures(
        self, location: Location, *, sources: Sequence[str], networks: Sequence[str] = ()
    ) -> FoundStructures:
        """Return every structure of these sources in that place. Quality is no filter of this API: filter the result.

        `sources` are slugs; the platform's own is left out, and without any other nothing is asked.
        """
        slugs = foreign_sources(sources)
        if not slugs:
            return FoundStructures()
        query: Query = {**location.query(), "sources": slugs}
        if networks:
            query["reseaux_porteurs"] = list(networks)
        return await self._collect(query)

    async def structures_with_themes(
        self, location: Location, *, sources: Sequence[str], themes: Sequence[str]
    ) -> frozenset[str]:
        """Return the ids of the structures with a service of one of the themes or theme categories in that place."""
        slugs = foreign_sources(sources)
        if not slugs or not themes:
            return frozenset()
        query: Query = {**location.query(), "sources": slugs, "thematiques": list(themes)}
        ids: set[str] = set()
        async for page, _ in self._pages("list_services", _SERVICES, query):
            ids.update(id_ for item in page.items if (id_ := text_of(item, "structure_id")))
        return frozenset(ids)

    async def structure(self, id_: str) -> Structure | None:
        """Return one structure, or None when there is no such one."""
        path = f"{_STRUCTURES}/{quote(id_, safe='')}"
        return await self._get("get_structure", path, {}, read_structure)

    def breaker_states(self) -> dict[str, BreakerState]:
        """The breaker of each operation called so far."""
        return self._partner.breaker_states()

    async def _collect(self, query: Query) -> FoundStructures:
        found: dict[str, Structure] = {}
        skipped: list[str] = []
        is_complete = False
        async for page, is_last in self._pages("list_structures", _STRUCTURES, query):
            is_complete = is_last
            for item in page.items:
                structure = structure_of(item)
                if structure is None:
                    skipped.append(text_of(item, "id") or "without id")
                elif not structure.is_own:
                    found.setdefault(structure.id, structure)
        if skipped or not is_complete:
            log.warning(
                "data_inclusion_search_incomplete",
                skipped_ids=skipped[:_MAX_LOGGED_IDS],
                skipped=len(skipped),
                is_cut=not is_complete,
            )
        return FoundStructures(structures=tuple(found.values()), skipped_ids=tuple(skipped), is_complete=is_complete)

    async def _pages(self, operation: str, path: str, query: Query) -> AsyncGenerator[tuple[Page, bool], None]:
        """Each page with whether it is the last one."""
        for number in range(1, _MAX_PAGES + 1):
            page = await self._get(operation, path, {**query, "page": str(number), "size": str(_PAGE_SIZE)}, read_page)
            # The number of items says nothing: the last page is shorter, and any page may be.
            is_last = number >= page.pages
            yield page, is_last
            if is_last:
                return

    async def _get(self, operation: str, path: str, params: Query, read: Reader[T]) -> T:
        request = PartnerRequest(method="GET", url=self._base_url + path, params=params, headers=self._headers)
        return await with_one_repeat(
            lambda: self._partner.call(operation, request, read), self._repeat, sleep=self._sleep
        )
