"""Structures of the directory of data·inclusion, for whoever looks for one that is not on the platform."""

from __future__ import annotations

import re

import strawberry

from resolvers.context import context_of
from resolvers.errors import BadUserInput, Forbidden
from resolvers.inclusion_structures import read_structures
from resolvers.viewer import Scope
from schema.info import Info
from schema.types.connections import After, Connection, First, page_arguments
from schema.types.geography import NearInput
from schema.types.inclusion_structures import InclusionStructure, inclusion_structure
from services.communes import Position, insee_code_of
from services.inclusion_structures import StructureSearch
from services.surroundings import Circle

_MAX_RADIUS_KM = 50
_MAX_SLUGS = 50
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}", re.ASCII)


@strawberry.input(description="At least one of the three places is needed; several of them narrow each other.")
class InclusionStructureFilter:
    commune_insee_code: str | None = None
    department_code: str | None = strawberry.field(
        default=None, description="not of an overseas collectivity: search there by commune"
    )
    near: NearInput | None = strawberry.field(
        default=None,
        description="as the crow flies, at most 50 km around; a structure whose place is not known is left out",
    )
    minimum_quality_score: float | None = strawberry.field(
        default=None, description="0 to 1; above 0 every structure without a service is left out"
    )
    sources: list[str] | None = strawberry.field(default=None, description="slugs, such as `dora`; all when not given")
    networks: list[str] | None = strawberry.field(default=None, description="one of them at least, such as `aci`")


@strawberry.type
class InclusionStructureQueries:
    @strawberry.field(
        description=(
            "Structures known to data·inclusion that the platform does not hold itself, the best first. Limited per"
            " account. Null with a PARTNER_UNAVAILABLE error when it gives no answer and none is remembered."
        )
    )
    async def inclusion_structures(
        self, info: Info, filter: InclusionStructureFilter, first: First = None, after: After = None
    ) -> Connection[InclusionStructure] | None:
        if context_of(info.raw).signed_in().scope is Scope.PARTNER:
            raise Forbidden("inclusionStructures: not for machine clients")
        search = _search(filter)
        return await read_structures(info.raw, search, page_arguments(first, after), inclusion_structure)  # pyright: ignore[reportReturnType]


def _search(given: InclusionStructureFilter) -> StructureSearch:
    if not (given.commune_insee_code or given.department_code or given.near):
        raise BadUserInput("filter: give `communeInseeCode`, `departmentCode` or `near`")
    quality = given.minimum_quality_score
    # Written so that NaN, which compares as false, is refused as well.
    if quality is not None and not 0 <= quality <= 1:
        raise BadUserInput("filter: minimumQualityScore from 0 to 1 expected")
    return StructureSearch(
        commune_insee_code=_commune(given.commune_insee_code),
        department_code=(given.department_code or "").strip().upper() or None,
        circle=_circle(given.near),
        minimum_quality=quality,
        sources=_slugs("sources", given.sources),
        networks=_slugs("networks", given.networks),
    )


def _commune(text: str | None) -> str | None:
    if not text:
        return None
    code = insee_code_of(text)
    if code is None:
        raise BadUserInput("filter: communeInseeCode is no INSEE code of a commune, such as 57463")
    return code


def _circle(near: NearInput | None) -> Circle | None:
    if near is None:
        return None
    if not 0 < near.radius_km <= _MAX_RADIUS_KM:
        raise BadUserInput(f"filter: a radiusKm above 0 and up to {_MAX_RADIUS_KM} expected")
    return Circle(Position(*near.position()), near.radius_km)


def _slugs(name: str, values: list[str] | None) -> tuple[str, ...]:
    slugs = tuple(dict.fromkeys(value.strip() for value in values or ()))
    if len(slugs) > _MAX_SLUGS:
        raise BadUserInput(f"filter: {len(slugs)} values in {name}, at most {_MAX_SLUGS} expected")
    if not all(_SLUG.fullmatch(slug) for slug in slugs):
        raise BadUserInput(f"filter: {name} holds a value that is no slug: lower case letters, digits and hyphens")
    return slugs
