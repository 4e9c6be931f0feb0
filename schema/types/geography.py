"""Departments, regions and addresses."""

from __future__ import annotations

import strawberry

from models.departments import DEPARTMENTS, REGIONS, DepartmentRecord, RegionRecord


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
