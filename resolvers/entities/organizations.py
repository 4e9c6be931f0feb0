"""Companies, prescriber organisations and institutions as they lie in the database."""

from __future__ import annotations

from models.departments import DEPARTMENTS, REGIONS, RegionRecord
from models.enums import CompanyKind, InstitutionKind, PrescriberKind
from resolvers.entities.addresses import address, department_of
from resolvers.entities.orderings import APPOINTMENT_BY_START, NEWEST_APPLICATION
from resolvers.entities.values import or_none
from resolvers.sources import Children, Column, Computed, Entity, OnDemand


def _display_name(brand: str, name: str) -> str:
    return brand or name


COMPANY = Entity(
    "Company",
    "company",
    fields={
        "siret": Column("{t}.siret"),
        "siren": Column("{t}.siret", lambda siret: siret[:9]),
        "naf": Column("{t}.naf", or_none),
        "kind": Column("{t}.kind", CompanyKind),
        "name": Computed(("{t}.brand", "{t}.name"), _display_name),
        "address": address("{t}"),
        "department": Computed(("{t}.insee_code", "{t}.post_code", "{t}.department"), department_of),
        "isOpenToAppointments": Column("{t}.rdv_solidarites_id IS NOT NULL"),
        "establishment": OnDemand(("establishment_siret",)),
        "jobApplications": OnDemand(),
        "appointments": OnDemand(),
    },
    children={
        "jobApplications": Children("JobApplication", "{t}.company_id = {parent}", NEWEST_APPLICATION),
        "appointments": Children("Appointment", "{t}.company_id = {parent}", APPOINTMENT_BY_START),
    },
    private={"address_insee_code": Column("{t}.insee_code"), "establishment_siret": Column("{t}.siret")},
)


PRESCRIBER_ORGANIZATION = Entity(
    "PrescriberOrganization",
    "prescriber_organization",
    fields={
        "kind": Column("{t}.kind", lambda kind: PrescriberKind(kind).value),
        "name": Column("{t}.name"),
        "siret": Column("{t}.siret"),
        "isAuthorized": Column("{t}.is_authorized"),
        "department": Column("{t}.department", DEPARTMENTS.get),
    },
)


def _institution_region(region: str, department: str) -> RegionRecord | None:
    if region:
        return REGIONS.get(region)
    return REGIONS[DEPARTMENTS[department].region_code] if department in DEPARTMENTS else None


INSTITUTION = Entity(
    "Institution",
    "institution",
    fields={
        "kind": Column("{t}.kind", lambda kind: InstitutionKind(kind).value),
        "name": Column("{t}.name"),
        "department": Column("{t}.department", DEPARTMENTS.get),
        "region": Computed(("{t}.region", "{t}.department"), _institution_region),
    },
)
