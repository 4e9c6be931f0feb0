"""Postal addresses as they lie in the tables of people and companies."""

from __future__ import annotations

from models.departments import DEPARTMENTS, DepartmentRecord, department_code_of
from resolvers.entities.values import or_none
from resolvers.sources import Column, Computed, Embedded, FieldSource, OnDemand


def department_of(insee_code: str, post_code: str, department: str) -> DepartmentRecord | None:
    code = department_code_of(insee_code=insee_code, post_code=post_code) or department
    return DEPARTMENTS.get(code)


def _address_fields(place: str) -> dict[str, FieldSource]:
    """Fields of PostalAddress, read from the columns of `place`."""
    return {
        "line1": Column(f"{place}.address_line_1", or_none),
        "line2": Column(f"{place}.address_line_2", or_none),
        "postCode": Column(f"{place}.post_code", or_none),
        "city": Column(f"{place}.city", or_none),
        "inseeCode": Column(f"{place}.insee_code", or_none),
        "coordinates": Embedded(
            "Coordinates",
            {"latitude": Column(f"{place}.latitude"), "longitude": Column(f"{place}.longitude")},
            when=f"{place}.latitude IS NOT NULL",
        ),
        "geocodingScore": Column(f"{place}.geocoding_score"),
        "commune": OnDemand(("address_insee_code",)),
        "department": Computed((f"{place}.insee_code", f"{place}.post_code", f"{place}.department"), department_of),
    }


def address(place: str) -> Embedded:
    """Who has an address also has the private attribute `address_insee_code`."""
    return Embedded(
        "PostalAddress",
        _address_fields(place),
        when=f"{place}.post_code <> '' OR {place}.city <> ''",
    )
