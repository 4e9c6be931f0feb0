"""Which communes match a request, and how they are written."""

from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from types import MappingProxyType
from typing import Any

from sandbox.cast import siret_of
from sandbox.gazetteer import Commune
from sandbox.names import plain

JSON = dict[str, Any]

CURRENT = "commune-actuelle"
ARRONDISSEMENT = "arrondissement-municipal"
DEFAULT_FIELDS = (*("nom", "code", "codesPostaux", "siren", "codeEpci", "codeDepartement", "codeRegion", "population"),)
GEOMETRIES = frozenset({"centre", "contour", "bbox", "mairie"})
_COMMUNE_SIREN_STEM = 21_000_000
_GOOD_ENOUGH = 0.6
_INHABITANTS_PER_BOOST = 100_000


def plain_name(name: str) -> str:
    """Accents, case and hyphens aside."""
    return " ".join(plain(name).replace("-", " ").replace("'", " ").split())


def score(commune: Commune, name: str, *, boosted: bool) -> float:
    """How well a name fits, about 0 to 1, and more for large communes when boosted; 0: not at all."""
    wanted, found = plain_name(name), plain_name(commune.name)
    similarity = 1.0 if found == wanted else SequenceMatcher(None, wanted, found).ratio()
    if found.startswith(wanted):
        similarity = max(similarity, 0.8)
    if similarity < _GOOD_ENOUGH:
        return 0.0
    return similarity * (1 + commune.population / _INHABITANTS_PER_BOOST) if boosted else similarity


def _centre(commune: Commune) -> JSON:
    return {"type": "Point", "coordinates": [commune.longitude, commune.latitude]}


def _square(commune: Commune) -> JSON:
    west, east = commune.longitude - 0.03, commune.longitude + 0.03
    south, north = commune.latitude - 0.02, commune.latitude + 0.02
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _department(commune: Commune) -> JSON:
    return {"code": commune.department.code, "nom": commune.department.name}


def _region(commune: Commune) -> JSON | None:
    department = commune.department
    return {"code": department.region_code, "nom": department.region_name} if department.region_code else None


def siren_of(commune: Commune) -> str:
    """An invented SIREN; arrondissements have none."""
    number = int(commune.code.replace("A", "0").replace("B", "0"))
    return "" if commune.is_arrondissement else siret_of(_COMMUNE_SIREN_STEM + number)[:9]


# A field that is None or empty is absent from the answer.
_FIELDS: Mapping[str, Callable[[Commune], Any]] = MappingProxyType(
    {
        "nom": lambda commune: commune.name,
        "code": lambda commune: commune.code,
        "codesPostaux": lambda commune: list(commune.post_codes),
        "siren": siren_of,
        "codeEpci": lambda commune: "" if commune.is_arrondissement else commune.epci_code,
        "codeDepartement": lambda commune: commune.department.code,
        "codeRegion": lambda commune: commune.department.region_code,
        "codeParent": lambda commune: commune.parent_code,
        "population": lambda commune: commune.population,
        "departement": _department,
        "region": _region,
        "zone": lambda commune: commune.department.zone,
        "anciensCodes": lambda commune: list(commune.former_codes),
        "centre": _centre,
        "mairie": _centre,
        "contour": _square,
        "bbox": _square,
        "surface": lambda _: 1200.0,
    }
)


def as_json(commune: Commune, fields: tuple[str, ...], *, match: float | None = None) -> JSON:
    """The name and the code always, then what was asked for and exists."""
    wanted = dict.fromkeys(("nom", "code", *fields))
    values = {field: _FIELDS[field](commune) for field in wanted if field in _FIELDS}
    written = {field: value for field, value in values.items() if value not in ("", None, [])}
    return written if match is None else {**written, "_score": match}


def is_in_square(commune: Commune, latitude: float, longitude: float) -> bool:
    return abs(commune.latitude - latitude) <= 0.02 and abs(commune.longitude - longitude) <= 0.03
