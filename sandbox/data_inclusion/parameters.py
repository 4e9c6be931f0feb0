"""The query of a request, checked as the framework of the real API does."""

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from sandbox.data_inclusion.places import DEPARTMENT_CODES, REGION_CODES

MAX_SIZE = 10_000
_DEFAULT_SIZE = 5_000
_COMMON = frozenset({"page", "size", "sources", "code_commune", "code_departement", "code_region"})
KNOWN_OF_STRUCTURES = _COMMON | {"reseaux_porteurs"}
KNOWN_OF_SERVICES = _COMMON | {"thematiques", "score_qualite_minimum"}


class ParameterError(Exception):
    """`detail` is the body's."""

    def __init__(self, name: str, message: str, kind: str) -> None:
        super().__init__(name)
        self.detail: list[dict[str, Any]] = [{"loc": ["query", name], "msg": message, "type": kind}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a listing was asked. Empty: not narrowed by that."""

    page: int
    size: int
    sources: frozenset[str]
    networks: frozenset[str]
    themes: frozenset[str]
    minimum_quality: float
    commune: str
    department: str
    region: str


def parse_search(query: QueryParams) -> Search:
    """Raises ParameterError. Names that are not documented are ignored, as the real API does."""
    return Search(
        page=_number(query, "page", default=1, highest=None),
        size=_number(query, "size", default=_DEFAULT_SIZE, highest=MAX_SIZE),
        sources=frozenset(query.getlist("sources")),
        networks=frozenset(query.getlist("reseaux_porteurs")),
        themes=frozenset(query.getlist("thematiques")),
        minimum_quality=_quality(query),
        commune=_commune(query),
        department=_one_of(query, "code_departement", DEPARTMENT_CODES),
        region=_one_of(query, "code_region", REGION_CODES),
    )


def _number(query: QueryParams, name: str, *, default: int, highest: int | None) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal():
        raise ParameterError(name, "Input should be a valid integer", "int_parsing")
    number = int(text)
    if number < 1:
        raise ParameterError(name, "Input should be greater than or equal to 1", "greater_than_equal")
    if highest is not None and number > highest:
        raise ParameterError(name, f"Input should be less than or equal to {highest}", "less_than_equal")
    return number


def _quality(query: QueryParams) -> float:
    try:
        return float(query.get("score_qualite_minimum", "0"))
    except ValueError:
        raise ParameterError("score_qualite_minimum", "Input should be a valid number", "float_parsing") from None


def _commune(query: QueryParams) -> str:
    code = query.get("code_commune", "")
    if code and len(code) != 5:
        raise ParameterError("code_commune", "String should have 5 characters", "string_length")
    return code


def _one_of(query: QueryParams, name: str, codes: frozenset[str]) -> str:
    code = query.get(name, "")
    if code and code not in codes:
        raise ParameterError(name, "Input should be a documented code", "enum")
    return code
