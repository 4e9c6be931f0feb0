"""How the answers of data·inclusion are read: tolerant of single records, strict about the envelope."""

import re
from datetime import date
from http import HTTPStatus
from typing import Any

from clients.answers import Reply
from clients.data_inclusion.errors import DataInclusionMisconfigured
from clients.data_inclusion.records import DataSource, Structure, StructureReference
from clients.errors import Delivery
from clients.shapes import Shape, Wire, object_or_none

_CREDENTIALS_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_SIRET = re.compile(r"\d{14}", re.ASCII)


class Page(Wire):
    """Items are read one by one: an odd one must not hide the others. `size` is not read: it only counts them."""

    items: list[Any]
    pages: int


class _Source(Wire):
    slug: str
    nom: str


class _Reference(Wire):
    source: str
    id: str


class _Structure(Wire):
    id: str
    source: str
    nom: str
    score_qualite: float
    date_maj: date | None = None
    description: str | None = None
    siret: Any = None
    adresse: str | None = None
    complement_adresse: str | None = None
    commune: str | None = None
    code_postal: str | None = None
    code_insee: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    telephone: str | None = None
    courriel: str | None = None
    site_web: str | None = None
    lien_source: str | None = None
    reseaux_porteurs: list[str] | None = None
    doublons: list[_Reference] | None = None


_SOURCES = Shape(list[_Source])
_PAGE = Shape(Page)
_STRUCTURE = Shape(_Structure)


def read_sources(reply: Reply) -> tuple[DataSource, ...]:
    _check(reply)
    return tuple(DataSource(slug=item.slug, name=item.nom) for item in reply.parse(_SOURCES))


def read_page(reply: Reply) -> Page:
    _check(reply)
    return reply.parse(_PAGE)


def read_structure(reply: Reply) -> Structure | None:
    if reply.status == HTTPStatus.NOT_FOUND:
        return None
    _check(reply)
    return _value_of(reply.parse(_STRUCTURE))


def _check(reply: Reply) -> None:
    if reply.status in _CREDENTIALS_REFUSED:
        raise DataInclusionMisconfigured(
            reply.partner,
            reply.operation,
            "token refused, or without the scope api; check the token",
            code=str(reply.status),
            http_status=reply.status,
            delivery=Delivery.REFUSED,
        )
    reply.check_status()


def structure_of(item: object) -> Structure | None:
    """The structure of an item; None when it cannot be read as one."""
    structure = _STRUCTURE.take_or_none(item)
    return None if structure is None else _value_of(structure)


def text_of(item: object, key: str) -> str | None:
    """A text of an item of which nothing is certain."""
    value = (object_or_none(item) or {}).get(key)
    return value if isinstance(value, str) else None


def _siret(value: object) -> str | None:
    """Imported data: what is not 14 digits identifies nothing."""
    return value if isinstance(value, str) and _SIRET.fullmatch(value) else None


def _value_of(item: _Structure) -> Structure:
    return Structure(
        id=item.id,
        source=item.source,
        name=item.nom,
        updated_on=item.date_maj,
        description=item.description,
        siret=_siret(item.siret),
        address_line_1=item.adresse,
        address_line_2=item.complement_adresse,
        commune=item.commune,
        post_code=item.code_postal,
        insee_code=item.code_insee,
        latitude=item.latitude,
        longitude=item.longitude,
        phone=item.telephone,
        email=item.courriel,
        website=item.site_web,
        source_url=item.lien_source,
        networks=tuple(item.reseaux_porteurs or ()),
        quality_score=item.score_qualite,
        duplicates=tuple(StructureReference(source=each.source, id=each.id) for each in item.doublons or ()),
    )
