"""A structure of the directory of data·inclusion."""

from __future__ import annotations

from datetime import date
from typing import cast
from urllib.parse import urlsplit

import strawberry

from clients.data_inclusion import Structure
from models.departments import DEPARTMENTS, department_code_of
from schema.scalars import SIRET, URL
from schema.types.geography import Coordinates, Department, PostalAddress
from services.plain_text import plain_text


@strawberry.type(description="A structure that data·inclusion knows and the platform does not hold itself.")
class InclusionStructure:
    id: strawberry.ID = strawberry.field(description="That of data·inclusion: `dora--42`.")
    source: str
    name: str
    siret: SIRET | None = strawberry.field(
        description="Of the head office where the structure is no establishment itself; several may share one."
    )
    address: PostalAddress | None
    phone: str | None
    email: str | None
    website: URL | None
    description: str | None = strawberry.field(description="Without HTML; may hold Markdown.")
    networks: list[str]
    quality_score: float | None = strawberry.field(
        description="0 to 1: the mean of its services', 0 for a structure without any."
    )
    updated_on: date | None


def inclusion_structure(record: Structure) -> InclusionStructure:
    """Return a structure as the API shows it."""
    return InclusionStructure(
        id=strawberry.ID(record.id),
        source=record.source,
        name=record.name,
        siret=SIRET(record.siret) if record.siret else None,
        address=_address(record),
        phone=record.phone,
        email=record.email,
        website=_web_address(record.website),
        description=plain_text(record.description),
        networks=list(record.networks),
        quality_score=record.quality_score,
        updated_on=record.updated_on,
    )


def _web_address(text: str | None) -> URL | None:
    """What somebody typed at the source; None for what a reader's browser would run instead of open."""
    try:
        parts = urlsplit((text or "").strip())
    except ValueError:
        return None
    return URL(parts.geturl()) if parts.scheme in ("http", "https") and parts.hostname else None


def _address(record: Structure) -> PostalAddress | None:
    is_located = record.latitude is not None and record.longitude is not None
    parts = (record.address_line_1, record.address_line_2, record.post_code, record.commune, record.insee_code)
    if not is_located and not any(parts):
        return None
    code = department_code_of(insee_code=record.insee_code, post_code=record.post_code)
    return PostalAddress(
        line1=record.address_line_1,
        line2=record.address_line_2,
        post_code=record.post_code,
        city=record.commune,
        insee_code=record.insee_code,
        coordinates=Coordinates(latitude=record.latitude, longitude=record.longitude)
        if record.latitude is not None and record.longitude is not None
        else None,
        geocoding_score=None,
        department=cast("Department | None", DEPARTMENTS.get(code or "")),  # a record has the fields of its type
        address_insee_code=record.insee_code,
    )
