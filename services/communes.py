"""Communes of France: from the local table once it is loaded, before that from API Géo, through the cache.

Departments and regions are neither: models/departments.py is the truth about them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from clients.api_geo import APIGeoClient, CommuneRecord
from clients.errors import PartnerError, PartnerUnavailable
from models.departments import department_code_of
from models.enums import Partner
from services import commune_table
from services.lookup_cache import LookupCache
from services.lookups import Lookup, LookupPolicy, one_by_one
from services.table_lookup import TableLookup

MAX_COMMUNES = 50
_AT_ONCE = 5
# The largest department has fewer than 900 communes; Paris, Lyon and Marseille add their arrondissements.
_OF_ONE_DEPARTMENT = 2_000
_INSEE_CODE = re.compile(r"\d{5}|2[AB]\d{3}", re.ASCII)
_POST_CODE = re.compile(r"\d{5}", re.ASCII)


class CommuneSearch(NamedTuple):
    """What communes are searched by: a name or its beginning, a post code, or both."""

    name: str
    post_code: str
    limit: int

    def text(self) -> str:
        return f"{self.limit}:{self.post_code}:{self.name}"


class Position(NamedTuple):
    """A point in degrees, WGS 84. It may tell where somebody lives."""

    latitude: float
    longitude: float

    def text(self) -> str:
        return f"{self.latitude:.4f},{self.longitude:.4f}"


class Communes:
    """The questions about communes. Build it once a process."""

    def __init__(self, client: APIGeoClient, cache: LookupCache) -> None:
        self._client = client
        partner = Partner.API_GEO.value
        self.asked_by_code: Lookup[str, CommuneRecord] = Lookup(
            cache,
            LookupPolicy(
                name="commune",
                version=2,
                partner=partner,
                fresh=timedelta(days=7),
                stale=timedelta(days=180),
                nothing=timedelta(days=1),
            ),
            value=CommuneRecord,
            key=str,
            fetch=self._fetch,
        )
        self.asked_by_search: Lookup[CommuneSearch, tuple[CommuneRecord, ...]] = Lookup(
            cache,
            LookupPolicy(
                name="communes", version=2, partner=partner, fresh=timedelta(days=1), stale=timedelta(days=30)
            ),
            value=tuple[CommuneRecord, ...],
            key=CommuneSearch.text,
            fetch=self._search,
        )
        self.by_position: Lookup[Position, CommuneRecord] = Lookup(
            cache,
            LookupPolicy(
                name="commune_at",
                version=2,
                partner=partner,
                fresh=timedelta(days=30),
                stale=timedelta(days=180),
                nothing=timedelta(days=30),
                deadline=timedelta(seconds=5),
                is_personal=True,
            ),
            value=CommuneRecord,
            key=Position.text,
            fetch=self._locate,
        )
        # A commune of this week may be younger than the table: API Géo is asked for codes that the table lacks.
        self.by_code = TableLookup(
            self.asked_by_code, find=commune_table.find_communes, is_loaded=commune_table.is_loaded, asks_partner=True
        )
        self.by_search = TableLookup(
            self.asked_by_search, find=_search_table, is_loaded=commune_table.is_loaded, asks_partner=False
        )

    async def first_post_code(self, insee_code: str) -> str | None:
        """The first post code of a commune; None when there is none, or nobody can say now."""
        code = insee_code_of(insee_code)
        if code is None:
            return None
        try:
            commune = (await self.by_code.one(code)).value
        except PartnerError:
            return None
        return commune.post_codes[0] if commune is not None and commune.post_codes else None

    async def _fetch(self, codes: Sequence[str]) -> Mapping[str, CommuneRecord | PartnerError]:
        """Several communes of one department cost one call; what it lacks, former codes for instance, one each."""
        found: dict[str, CommuneRecord | PartnerError] = {}
        by_department: dict[str, list[str]] = defaultdict(list)
        for code in codes:
            by_department[department_code_of(insee_code=code) or ""].append(code)
        shared = [department for department, members in by_department.items() if department and len(members) > 1]
        listed = await one_by_one(shared, self._of_department, at_once=_AT_ONCE)
        for department, communes in listed.items():
            if isinstance(communes, PartnerUnavailable):
                # Asking for each of them now would only press a partner that is in trouble.
                found |= dict.fromkeys(by_department[department], communes)
            elif not isinstance(communes, PartnerError):
                found |= {code: communes[code] for code in by_department[department] if code in communes}
        single = [code for code in codes if code not in found]
        return found | await one_by_one(single, self._one, at_once=_AT_ONCE)

    async def _of_department(self, department: str) -> dict[str, CommuneRecord]:
        communes = await self._client.communes(
            department_code=department, limit=_OF_ONE_DEPARTMENT, with_arrondissements=True
        )
        return {commune.insee_code: commune for commune in communes}

    async def _one(self, code: str) -> CommuneRecord | None:
        return await self._client.commune(code) or await self._client.commune_of_former_code(code)

    async def _locate(self, positions: Sequence[Position]) -> Mapping[Position, CommuneRecord | PartnerError]:
        return await one_by_one(positions, lambda at: self._client.commune_at(*at), at_once=_AT_ONCE)

    async def _search(
        self, searches: Sequence[CommuneSearch]
    ) -> Mapping[CommuneSearch, tuple[CommuneRecord, ...] | PartnerError]:
        async def ask(search: CommuneSearch) -> tuple[CommuneRecord, ...]:
            # "Paris" with 75008 means the arrondissement: both are asked for, the smaller one comes first.
            found = await self._client.communes(
                name=search.name or None,
                post_code=search.post_code or None,
                limit=search.limit,
                with_arrondissements=bool(search.post_code),
            )
            return tuple(_most_precise_first(found) if search.post_code else found)

        return await one_by_one(searches, ask, at_once=_AT_ONCE)


def insee_code_of(text: str) -> str | None:
    """The INSEE code of a commune as it is written, in upper case; None for what cannot be one."""
    code = text.strip().upper()
    return code if _INSEE_CODE.fullmatch(code) and department_code_of(insee_code=code) else None


def commune_search(name: str | None, post_code: str | None, limit: int) -> CommuneSearch | None:
    """What to search by; None when nothing can be found by it: neither a name nor a post code."""
    wanted = " ".join((name or "").split()).casefold()
    code = (post_code or "").strip()
    if code and not _POST_CODE.fullmatch(code):
        return None
    return CommuneSearch(wanted, code, limit) if wanted or code else None


async def _search_table(searches: Sequence[CommuneSearch]) -> dict[CommuneSearch, tuple[CommuneRecord, ...]]:
    """What is found; a search that finds nothing is left out."""
    found: dict[CommuneSearch, tuple[CommuneRecord, ...]] = {}
    for search in searches:
        communes = await commune_table.search_communes(search.name, search.post_code, limit=search.limit)
        if communes:
            found[search] = tuple(communes)
    return found


def _most_precise_first(communes: Sequence[CommuneRecord]) -> list[CommuneRecord]:
    """The order of the partner, but for a commune and its own arrondissement: the one with fewer post codes leads."""
    parents = {commune.parent_code for commune in communes if commune.parent_code}
    return sorted(communes, key=lambda commune: commune.insee_code in parents)
