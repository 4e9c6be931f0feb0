"""Structures that data·inclusion knows and the platform does not: by place, quality, source and network.

The partner's pages shift while its data are rebuilt, and it neither knows distances nor filters by quality. So all
pages of a question are read at once and kept for minutes, and narrowed and sorted here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from clients.data_inclusion import DataInclusionClient, Location, Structure, foreign_sources
from clients.errors import PartnerError
from models.database import fetch_all
from models.departments import DEPARTMENTS, department_code_of
from models.enums import Partner
from services.communes import Communes
from services.lookup_cache import LookupCache
from services.lookups import Lookup, LookupPolicy, one_by_one
from services.surroundings import Circle, communes_around, small_departments_within

_AT_ONCE = 3
_EVERYTHING = "all"
# Overseas collectivities are no departments to the partner; the others are those of INSEE.
_DEPARTMENTS = frozenset(code for code in DEPARTMENTS if len(code) == 2 or code in {"971", "972", "973", "974", "976"})
# Records of these cities may have the code of an arrondissement, which a search by the city's code would not find.
_ARRONDISSEMENTS: Mapping[str, frozenset[str]] = {
    "75056": frozenset(str(code) for code in range(75101, 75121)),
    "69123": frozenset(str(code) for code in range(69381, 69390)),
    "13055": frozenset(str(code) for code in range(13201, 13217)),
}
# Whatever organisation of the platform's has the number, whoever may see it: discovering it would be no discovery.
_HELD = """
SELECT siret AS known FROM company WHERE siret = ANY($1::text[])
UNION ALL SELECT siret FROM prescriber_organization WHERE siret = ANY($1::text[])
UNION ALL SELECT id::text FROM company WHERE id = ANY($2::uuid[])
UNION ALL SELECT id::text FROM prescriber_organization WHERE id = ANY($2::uuid[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureSearch:
    """What is looked for. At least one of the three places; several of them narrow each other.

    Without `sources`, all of them; a structure has one of the `networks`, if any are given.
    """

    commune_insee_code: str | None = None
    department_code: str | None = None
    circle: Circle | None = None
    minimum_quality: float | None = None
    sources: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


class _Question(NamedTuple):
    """What the partner is asked, sorted, so that the same question has the same name."""

    commune: str
    department: str
    sources: tuple[str, ...]
    networks: tuple[str, ...]

    def text(self) -> str:
        return f"{self.commune}/{self.department}/{','.join(self.sources)}/{','.join(self.networks)}"

    def location(self) -> Location:
        return Location(commune_insee_code=self.commune or None, department_code=self.department or None)


class UnsupportedDepartmentError(Exception):
    """data·inclusion has no such department. `str()` says what to do."""


class CommunesAwayError(Exception):
    """API Géo, which says what lies around a point, gives no answer. `cause` is None where it is off."""

    def __init__(self, cause: PartnerError | None) -> None:
        super().__init__("communes around a point: no answer")
        self.cause = cause


class InclusionStructures:
    """The directory without what the platform holds. Build it once a process."""

    def __init__(self, client: DataInclusionClient, cache: LookupCache, communes: Communes | None) -> None:
        self._client = client
        self._communes = communes
        partner = Partner.DATA_INCLUSION.value
        self._sources: Lookup[str, tuple[str, ...]] = Lookup(
            cache,
            LookupPolicy(
                name="inclusion_sources",
                version=1,
                partner=partner,
                fresh=timedelta(days=1),
                stale=timedelta(days=30),
                deadline=timedelta(seconds=8),
            ),
            value=tuple[str, ...],
            key=str,
            fetch=self._fetch_sources,
        )
        self._structures: Lookup[_Question, tuple[Structure, ...]] = Lookup(
            cache,
            LookupPolicy(
                name="inclusion_structures",
                version=1,
                partner=partner,
                # Long enough to turn pages; short, since a department is megabytes.
                fresh=timedelta(minutes=10),
                stale=timedelta(hours=1),
                deadline=timedelta(seconds=8),
                flight=timedelta(seconds=60),
            ),
            value=tuple[Structure, ...],
            key=_Question.text,
            fetch=self._fetch_structures,
        )

    async def find(self, search: StructureSearch) -> list[Structure]:
        """Return all of them, the best first, then by id.

        Raises PartnerError (data·inclusion's), CommunesAwayError, or UnsupportedDepartmentError.
        """
        sources = await self._sources_of(search)
        places = await self._places(search) if sources else []
        networks = tuple(sorted(set(search.networks)))
        questions = [_Question(commune, department, sources, networks) for commune, department in places]
        found: dict[str, Structure] = {}
        for outcome in (await self._structures.many(questions)).values():
            if isinstance(outcome, PartnerError):
                raise outcome
            found |= {structure.id: structure for structure in outcome.value or () if _is_wanted(structure, search)}
        unknown = await without_held(list(found.values()))
        return sorted(unknown, key=position_of)

    async def _sources_of(self, search: StructureSearch) -> tuple[str, ...]:
        slugs = search.sources or (await self._sources.one(_EVERYTHING)).value or ()
        return tuple(sorted(set(foreign_sources(slugs))))

    async def _places(self, search: StructureSearch) -> list[tuple[str, str]]:
        """Return what to ask for, each a commune or a department (the other one is empty)."""
        commune, department = search.commune_insee_code, search.department_code
        if department is not None and department not in _DEPARTMENTS:
            raise UnsupportedDepartmentError(f"{department}: no department of data·inclusion's; search by commune")
        if commune is not None:
            if department is not None and department_code_of(insee_code=commune) != department:
                return []
            return [_place(commune) if commune in _ARRONDISSEMENTS else (commune, "")]
        if department is not None:
            return [("", department)]
        if search.circle is None:
            raise ValueError("a search of structures needs a place: a commune, a department or a circle")
        if self._communes is None:
            raise CommunesAwayError(None)
        try:
            around = await communes_around(search.circle, self._communes)
        except PartnerError as error:
            raise CommunesAwayError(error) from None
        places = {_place(code) for code in around}
        return sorted(places | {("", code) for code in small_departments_within(search.circle)})

    async def _fetch_sources(self, keys: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        slugs = tuple(source.slug for source in await self._client.sources())
        return dict.fromkeys(keys, slugs)

    async def _fetch_structures(
        self, questions: Sequence[_Question]
    ) -> Mapping[_Question, tuple[Structure, ...] | PartnerError]:
        async def ask(question: _Question) -> tuple[Structure, ...]:
            found = await self._client.search_structures(
                question.location(), sources=question.sources, networks=question.networks
            )
            return found.structures

        return await one_by_one(questions, ask, at_once=_AT_ONCE)


def position_of(structure: Structure) -> tuple[float, str]:
    """Where a structure stands in the order of all of them: a total order of ours, since the partner's is not sure."""
    return -structure.quality_score, structure.id


async def without_held(structures: Sequence[Structure]) -> list[Structure]:
    """Leave out what the platform holds: the same SIRET, or a duplicate with an id of the platform's. One statement."""
    if not structures:
        return []
    sirets = sorted({structure.siret for structure in structures if structure.siret})
    uids = {uid for structure in structures for uid in _own_ids(structure)}
    held = {row["known"] for row in await fetch_all(_HELD, sirets, sorted(uids))}
    return [
        structure
        for structure in structures
        if structure.siret not in held and held.isdisjoint(str(uid) for uid in _own_ids(structure))
    ]


def _own_ids(structure: Structure) -> list[UUID]:
    ids: list[UUID] = []
    for uid in structure.own_uids:
        try:
            ids.append(UUID(uid))
        except ValueError:
            continue  # another platform's way to number, or a mistake: no row has it
    return ids


def _place(insee_code: str) -> tuple[str, str]:
    """The department of a commune; the commune itself where it lies in none of the partner's."""
    department = department_code_of(insee_code=insee_code)
    return ("", department) if department in _DEPARTMENTS else (insee_code, "")


def _is_wanted(structure: Structure, search: StructureSearch) -> bool:
    """What the partner ignores is asked for here; what it knows as well, since it ignores what it does not know."""
    arrondissements = _ARRONDISSEMENTS.get(search.commune_insee_code or "")
    return (
        not structure.is_own
        and (not search.sources or structure.source in search.sources)
        and (not search.networks or not set(search.networks).isdisjoint(structure.networks))
        and (search.minimum_quality is None or structure.quality_score >= search.minimum_quality)
        and (search.circle is None or search.circle.holds(structure.latitude, structure.longitude))
        and (
            arrondissements is None
            or structure.insee_code == search.commune_insee_code
            or structure.insee_code in arrondissements
        )
    )
