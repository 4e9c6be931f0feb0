"""Departments, regions, communes and addresses."""

from __future__ import annotations

import strawberry

from clients.api_geo import CommuneRecord
from models.departments import DEPARTMENTS, REGIONS, DepartmentRecord, RegionRecord, department_code_of
from resolvers.communes import commune_of
from resolvers.errors import BadUserInput
from schema.info import Info


@strawberry.type
class Region:
    code: str
    name: str

    @strawberry.field
    def departments(self) -> list[Department]:
        # `self` is the record that was read; Strawberry's own instances are never made.
        record: RegionRecord = REGIONS[self.code]
        return [DEPARTMENTS[code] for code in record.department_codes]  # pyright: ignore[reportReturnType]


@strawberry.type
class Department:
    code: str
    name: str

    @strawberry.field
    def region(self) -> Region:
        record: DepartmentRecord = DEPARTMENTS[self.code]
        return REGIONS[record.region_code]  # pyright: ignore[reportReturnType]


@strawberry.type(description="A State, by its INSEE code. One that is no more has its code for a name.")
class Country:
    insee_code: str
    name: str


@strawberry.type
class Coordinates:
    latitude: float
    longitude: float


@strawberry.input(description="A point, WGS 84, in degrees, and how far around it one looks.")
class NearInput:
    latitude: float
    longitude: float
    radius_km: float = 25

    def position(self) -> tuple[float, float]:
        """Return latitude and longitude. Raises BadUserInput for a point that is not on earth."""
        # Written so that NaN, which compares as false, is refused as well.
        if not (abs(self.latitude) <= 90 and abs(self.longitude) <= 180):
            raise BadUserInput("near: a latitude of -90 to 90 and a longitude of -180 to 180 expected")
        return self.latitude, self.longitude


@strawberry.type(description="A commune, or an arrondissement of Paris, Lyon or Marseille.")
class Commune:
    insee_code: str
    name: str
    post_codes: list[str]
    department: Department
    coordinates: Coordinates | None
    population: int | None


def commune(record: CommuneRecord | None) -> Commune | None:
    """Return a commune as the API shows it; None for none, and for one that lies in no department of France."""
    if record is None:
        return None
    department = DEPARTMENTS.get(department_code_of(insee_code=record.insee_code) or "")
    if department is None:
        return None
    return Commune(
        insee_code=record.insee_code,
        name=record.name,
        post_codes=list(record.post_codes),
        department=department,  # pyright: ignore[reportArgumentType]: a record has the fields of its type
        coordinates=Coordinates(latitude=record.latitude, longitude=record.longitude)
        if record.latitude is not None and record.longitude is not None
        else None,
        population=record.population,
    )


@strawberry.type
class PostalAddress:
    line1: str | None
    line2: str | None
    post_code: str | None
    city: str | None
    insee_code: str | None
    coordinates: Coordinates | None
    geocoding_score: float | None
    department: Department | None

    # Where the commune is found by, whether or not `inseeCode` was selected.
    address_insee_code: strawberry.Private[str | None] = None

    @strawberry.field(
        description="Null with a PARTNER_UNAVAILABLE error when API Géo gives no answer and none is remembered."
    )
    async def commune(self, info: Info) -> Commune | None:
        return commune(await commune_of(info.raw, self.address_insee_code))
