"""The locked filters of dashboards, computed from the viewer at hand.

An empty value comes back as it is: `decide` refuses access then, because Metabase takes an empty filter for none and
shows everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum

from clients.metabase import Filter, LockedValue
from models.departments import DEPARTMENTS, REGIONS
from models.enums import PrescriberKind
from services.dashboards.france_travail import is_directorate
from services.dashboards.viewers import CompanySeat, CurrentInstitution, CurrentPrescriber, DashboardViewer

Locks = Callable[[DashboardViewer], Mapping[str, LockedValue]]

_ILE_DE_FRANCE = "11"


class DepartmentFormat(Enum):
    """How the data behind a dashboard write a department: in any other way, the filter matches nothing."""

    NAME = "57 - Moselle"
    CODE = "57"


def own_department(viewer: DashboardViewer) -> str:
    """Return the code of the department of the current organisation, empty when it has none."""
    organization = viewer.organization
    return organization.department if isinstance(organization, CurrentPrescriber | CurrentInstitution) else ""


def own_region(viewer: DashboardViewer) -> str:
    """Return the INSEE code of the region of the current organisation, empty when it has none."""
    organization = viewer.organization
    if isinstance(organization, CurrentInstitution) and organization.region in REGIONS:
        return organization.region
    department = DEPARTMENTS.get(own_department(viewer))
    return department.region_code if department is not None else ""


# -- places


def department_and_region(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    """The one department by its name, and its region."""
    department = own_department(viewer)
    return {Filter.DEPARTMENT: _one(department), Filter.REGION: _region_name(region_of(department))}


def region_of(department: str) -> str:
    return DEPARTMENTS[department].region_code if department in DEPARTMENTS else ""


def department_code(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    return {Filter.DEPARTMENT: _list([own_department(viewer)], DepartmentFormat.CODE)}


def departments_of_the_region(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    """All departments of the region by their codes."""
    return {Filter.DEPARTMENT: _list(_departments(own_region(viewer)), DepartmentFormat.CODE)}


def whole_region(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    """All departments of the region by their names, and the region."""
    return _region(own_region(viewer))


def ile_de_france(_: DashboardViewer) -> Mapping[str, LockedValue]:
    return _region(_ILE_DE_FRANCE)


# -- employers


def asp_ids_as_administrator(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    return {Filter.COMPANY_ASP_ID_SHORT: _asp_ids(seat for seat in viewer.companies if seat.is_admin)}


def asp_ids(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    return {Filter.COMPANY_ASP_ID_SHORT: _asp_ids(viewer.companies)}


def company_ids(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    return {Filter.COMPANY_ID: [str(seat.number) for seat in viewer.companies]}


def asp_and_company_ids(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    return {**asp_ids(viewer), **company_ids(viewer)}


# -- prescribers


def scope_of_agency(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    """The departments that an agency of France Travail oversees, by their codes."""
    return {Filter.DEPARTMENT: _list(_scope(viewer), DepartmentFormat.CODE)}


def scope_of_agency_as_prescriber(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    return {**scope_of_agency(viewer), **_kind(viewer)}


def named_scope_of_agency_as_prescriber(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    """The same with names; these dashboards take a single department as a text and not as a list."""
    scope = _scope(viewer)
    departments = _one(scope[0]) if len(scope) == 1 else _list(scope, DepartmentFormat.NAME)
    return {Filter.DEPARTMENT: departments, **_kind(viewer)}


def organizations_alike(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    """The department, and there every organisation of the same kind."""
    prescriber = viewer.organization
    peers = [str(number) for number in prescriber.peers] if isinstance(prescriber, CurrentPrescriber) else []
    return {Filter.DEPARTMENT: _one(own_department(viewer)), **_kind(viewer), Filter.PRESCRIBER_ID: peers}


def own_organization(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    """The organisation itself; for a directorate of France Travail, the agencies that it oversees."""
    prescriber = viewer.organization
    numbers: Sequence[int] = ()
    if isinstance(prescriber, CurrentPrescriber):
        oversees = prescriber.kind is PrescriberKind.FT and is_directorate(prescriber.code_safir)
        numbers = prescriber.peers if oversees else (prescriber.number,)
    return {Filter.PRESCRIBER_ID: [str(number) for number in numbers]}


# -- institutions


def network(viewer: DashboardViewer) -> Mapping[str, LockedValue]:
    institution = viewer.organization
    return {Filter.NETWORK_ID: institution.number if isinstance(institution, CurrentInstitution) else ""}


def nothing(_: DashboardViewer) -> Mapping[str, LockedValue]:
    """National figures: the same for everybody who may see them."""
    return {}


def _asp_ids(seats: Iterable[CompanySeat]) -> list[str]:
    """Each once: companies may share a convention."""
    return list(dict.fromkeys(str(seat.asp_id) for seat in seats if seat.asp_id is not None))


def _kind(viewer: DashboardViewer) -> dict[str, LockedValue]:
    prescriber = viewer.organization
    return {Filter.PRESCRIBER_KIND: prescriber.kind.label if isinstance(prescriber, CurrentPrescriber) else ""}


def _scope(viewer: DashboardViewer) -> tuple[str, ...]:
    prescriber = viewer.organization
    return prescriber.departments if isinstance(prescriber, CurrentPrescriber) else ()


def _one(department: str) -> str:
    return f"{department} - {DEPARTMENTS[department].name}" if department in DEPARTMENTS else ""


def _list(departments: Sequence[str], department_format: DepartmentFormat) -> list[str]:
    known = [department for department in departments if department in DEPARTMENTS]
    return [_one(department) for department in known] if department_format is DepartmentFormat.NAME else known


def _departments(region: str) -> tuple[str, ...]:
    return REGIONS[region].department_codes if region in REGIONS else ()


def _region(region: str) -> Mapping[str, LockedValue]:
    departments = _list(_departments(region), DepartmentFormat.NAME)
    return {Filter.DEPARTMENT: departments, Filter.REGION: _region_name(region)}


def _region_name(region: str) -> str:
    return REGIONS[region].name if region in REGIONS else ""
