"""How the answers of data·inclusion are read: tolerant of single records, strict about the envelope."""

import re
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, TypeAdapter, ValidationError

from clients.answers import Reply
from clients.data_inclusion.errors import DataInclusionMisconfigured
from clients.data_inclusion.records import DataSource, Structure, StructureReference
from clients.errors import Delivery

_CREDENTIALS_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_SIRET = re.compile(r"\d{14}", re.ASCII)


def _siret(value: Any) -> Any:
    """Imported data: what is not 14 digits identifies nothing."""
    return value if isinstance(value, str) and _SIRET.fullmatch(value) else None


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Page(_Model):
    """Items are read one by one: an odd one must not hide the others. `size` is not read: it only counts them."""

    items: list[JsonValue]
    pages: int


class _Source(_Model):
    slug: str
    nom: str


class _Reference(_Model):
    source: str
    id: str


class _Structure(_Model):
    id: str
    source: str
    nom: str
    score_qualite: float
    date_maj: date | None = None
    description: str | None = None
    siret: Annotated[str | None, BeforeValidator(_siret)] = None
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


_SOURCES = TypeAdapter(list[_Source])
_PAGE = TypeAdapter(Page)
_STRUCTURE = TypeAdapter(_Structure)


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


def structure_of(item: JsonValue) -> Structure | None:
    """The structure of an item; None when it cannot be read as one."""
    try:
        return _value_of(_STRUCTURE.validate_python(item))
    except ValidationError:
        return None


def text_of(item: JsonValue, key: str) -> str | None:
    """A text of an item of which nothing is certain."""
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, str) else None


def _value_of(item: _Structure) -> Structure:
    return Structure(
        id=item.id,
        source=item.source,
        name=item.nom,
        updated_on=item.date_maj,
        description=item.description,
        siret=item.siret,
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
