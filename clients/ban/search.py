"""What is asked of the search, and what a feature of its answer becomes."""

from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

import msgspec

from clients.answers import Reply
from clients.ban.outcomes import GeocodingOutcome
from clients.geojson import Point
from clients.shapes import Shape, Wire

# With the slash at the end: without it some versions answer by a redirect.
SEARCH_PATH = "/geocodage/search/"

MIN_QUERY_LENGTH = 3
MAX_QUERY_LENGTH = 200
MAX_LIMIT = 20


class ResultKind(StrEnum):
    """From the most precise to the least."""

    HOUSE_NUMBER = "housenumber"
    STREET = "street"
    LOCALITY = "locality"
    MUNICIPALITY = "municipality"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place on earth, WGS 84, in degrees."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAddress:
    """One candidate. Where somebody lives is personal: only what tells no place prints itself.

    `kind` is one of ResultKind, or a word that the BAN has added since. `insee_code` is that of the arrondissement in
    Paris, Lyon and Marseille. `post_code` is None for communes that have several. `score` compares texts, from 0 to 1:
    it says that the label looks like what was asked, not that the point is right.
    """

    id: str = field(repr=False)
    label: str = field(repr=False)
    name: str = field(repr=False)  # number and street, or street, or place, or commune
    number: str | None = field(repr=False)
    lane: str | None = field(repr=False)
    post_code: str | None = field(repr=False)
    city: str = field(repr=False)
    insee_code: str = field(repr=False)
    context: str = field(repr=False)  # "57, Moselle, Grand Est"
    position: Position
    score: float
    kind: str

    @property
    def choice_label(self) -> str:
        """The label among suggestions, where communes of the same name must be told apart."""
        if self.kind == ResultKind.MUNICIPALITY and self.context:
            return f"{self.label} ({self.context})"
        return self.label


class _Properties(Wire):
    id: str
    label: str
    name: str
    score: Annotated[float, msgspec.Meta(ge=0)]
    type: str
    city: str
    citycode: Annotated[str, msgspec.Meta(pattern=r"^(\d{5}|2[AB]\d{3})\Z")]
    context: str = ""
    # Absent, null or empty: all of them mean that there is none.
    postcode: str | None = None
    housenumber: str | None = None
    street: str | None = None


class _Feature(Wire):
    geometry: Point
    properties: _Properties | None = None


class _Collection(Wire):
    features: list[_Feature]


_ANSWER = Shape(_Collection)


def normalise_query(text: str | None) -> str:
    """One line, single spaces."""
    return " ".join((text or "").split())


def is_query(query: str) -> bool:
    """Whether the service would take it: 3 to 200 characters, the first a letter or a digit."""
    return MIN_QUERY_LENGTH <= len(query) <= MAX_QUERY_LENGTH and query[0].isalnum()


def search_params(query: str, *, limit: int, is_typing: bool, post_code: str | None = None) -> dict[str, str]:
    """`is_typing`: the text may end in the middle of a word."""
    params = {"q": query, "limit": str(limit), "autocomplete": "1" if is_typing else "0"}
    if post_code:
        params["postcode"] = post_code
    return params


def read_addresses(reply: Reply) -> list[FoundAddress]:
    """The candidates, best first; empty when nothing was found."""
    if reply.status == HTTPStatus.BAD_REQUEST:
        raise reply.rejected("the address cannot be searched", code=GeocodingOutcome.INVALID_ADDRESS)
    # Any other 4xx is about our address or our rights: it can heal, and says nothing about what was searched.
    reply.check_status(permanent=())
    return [_address(reply, feature) for feature in reply.parse(_ANSWER).features]


def _address(reply: Reply, feature: _Feature) -> FoundAddress:
    properties = feature.properties
    if properties is None:
        raise reply.unavailable("a result without properties", code=GeocodingOutcome.ADDRESS_LOOKUP_FAILED)
    longitude, latitude = feature.geometry.coordinates
    return FoundAddress(
        id=properties.id,
        label=properties.label,
        name=properties.name,
        number=properties.housenumber or None,
        lane=properties.street or None,
        post_code=properties.postcode or None,
        city=properties.city,
        insee_code=properties.citycode,
        context=properties.context,
        position=Position(latitude=latitude, longitude=longitude),
        score=min(properties.score, 1.0),  # rounding lets some exceed 1 by a hair
        kind=properties.type,
    )
