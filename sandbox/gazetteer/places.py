"""Communes, departments and regions, read from the tables beside this module."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from sandbox.cast import siret_of

_OVERSEAS = ("97", "98")
_EPCI_STEM = 90_220_000


@dataclass(frozen=True, slots=True)
class Department:
    """`region_code` is empty for overseas collectivities: they belong to none."""

    code: str
    name: str
    region_code: str
    region_name: str
    zone: str  # metro, drom or com


@dataclass(frozen=True, slots=True, kw_only=True)
class Commune:
    """A commune, or an arrondissement, which has a `parent_code`."""

    code: str
    name: str
    post_codes: tuple[str, ...]
    latitude: float
    longitude: float
    population: int
    parent_code: str = ""
    former_codes: tuple[str, ...] = ()

    @property
    def department(self) -> Department:
        return DEPARTMENTS[department_code_of(self.code)]

    @property
    def is_arrondissement(self) -> bool:
        return bool(self.parent_code)

    @property
    def city(self) -> str:
        """What stands in a postal address: Paris, whatever the arrondissement."""
        return COMMUNES_BY_CODE[self.parent_code].name if self.parent_code else self.name

    @property
    def context(self) -> str:
        """Department and region in one line, as the BAN writes them."""
        department = self.department
        return ", ".join(filter(None, (department.code, department.name, department.region_name)))

    @property
    def epci_code(self) -> str:
        """The SIREN of an invented inter-municipal body, one a department; empty where there is none."""
        order = [*DEPARTMENTS].index(self.department.code)
        return siret_of(_EPCI_STEM + order)[:9] if self.department.zone != "com" else ""


def department_code_of(insee_code: str) -> str:
    return insee_code[:3] if insee_code.startswith(_OVERSEAS) else insee_code[:2]


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = resources.files("sandbox.gazetteer").joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines(), delimiter=";")


DEPARTMENTS: Mapping[str, Department] = MappingProxyType(
    {row["code"]: Department(**row) for row in _rows("departments.csv")}
)
REGIONS: Mapping[str, str] = MappingProxyType(
    {department.region_code: department.region_name for department in DEPARTMENTS.values() if department.region_code}
)
COMMUNES = tuple(
    Commune(
        code=row["code"],
        name=row["name"],
        post_codes=tuple(row["post_codes"].split()),
        latitude=float(row["latitude"]),
        longitude=float(row["longitude"]),
        population=int(row["population"]),
        parent_code=row["parent"],
        former_codes=tuple(row["former_codes"].split()),
    )
    for row in _rows("communes.csv")
)
COMMUNES_BY_CODE: Mapping[str, Commune] = MappingProxyType({commune.code: commune for commune in COMMUNES})
