"""Who may open which dashboard: one predicate an audience, asked of the current organisation only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from models.enums import CompanyKind, InstitutionKind, PrescriberKind, UserKind
from services.dashboards.viewers import CurrentCompany, CurrentInstitution, CurrentPrescriber, DashboardViewer


class Audience(StrEnum):
    PUBLIC = "public"
    SIAE = "siae"
    SIAE_ETP = "siae_etp"
    SIAE_NOT_EITI = "siae_not_eiti"
    CD = "cd"
    FT = "ft"
    PH = "ph"
    PH_LISTED = "ph_listed"
    DDETS_IAE = "ddets_iae"
    DDETS_LOG = "ddets_log"
    DREETS_IAE = "dreets_iae"
    DGEFP_IAE = "dgefp_iae"
    DIHAL = "dihal"
    DRIHL = "drihl"
    IAE_NETWORK = "iae_network"
    CONVERGENCE = "convergence"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy:
    """What the operator of the server decides. `etp_user_ids`: who may see the full-time equivalents of a company."""

    etp_user_ids: frozenset[UUID] = frozenset()


_Predicate = Callable[[DashboardViewer, AccessPolicy], bool]

_LISTED_KINDS = frozenset(
    {
        PrescriberKind.CAP_EMPLOI,
        PrescriberKind.CHRS,
        PrescriberKind.CHU,
        PrescriberKind.ML,
        PrescriberKind.OIL,
        PrescriberKind.PLIE,
        PrescriberKind.RS_FJT,
    }
)


def may_open(audience: Audience, viewer: DashboardViewer | None, policy: AccessPolicy) -> bool:
    """Whether the viewer, None for one who is not signed in, is of the audience."""
    if audience is Audience.PUBLIC:
        return True
    return viewer is not None and _PREDICATES[audience](viewer, policy)


def _is_siae(viewer: DashboardViewer, _: AccessPolicy) -> bool:
    company = viewer.organization
    return isinstance(company, CurrentCompany) and company.seat.asp_id is not None


def _is_siae_with_etp(viewer: DashboardViewer, policy: AccessPolicy) -> bool:
    company = viewer.organization
    return (
        isinstance(company, CurrentCompany)
        and _is_siae(viewer, policy)
        and company.seat.is_admin
        and viewer.user_id in policy.etp_user_ids
    )


def _is_siae_but_eiti(viewer: DashboardViewer, policy: AccessPolicy) -> bool:
    company = viewer.organization
    return isinstance(company, CurrentCompany) and _is_siae(viewer, policy) and company.kind is not CompanyKind.EITI


def _authorized_prescriber(viewer: DashboardViewer) -> CurrentPrescriber | None:
    prescriber = viewer.organization
    return prescriber if isinstance(prescriber, CurrentPrescriber) and prescriber.is_authorized else None


def _is_department_council(viewer: DashboardViewer, _: AccessPolicy) -> bool:
    council = _authorized_prescriber(viewer)
    # Whom a council delegates to must not see what is the council's.
    return council is not None and council.kind is PrescriberKind.DEPT and not council.is_brsa


def _is_prescriber(kinds: frozenset[PrescriberKind]) -> _Predicate:
    def is_one(viewer: DashboardViewer, _: AccessPolicy) -> bool:
        prescriber = _authorized_prescriber(viewer)
        return prescriber is not None and prescriber.kind in kinds

    return is_one


def _is_institution(kind: InstitutionKind) -> _Predicate:
    def is_one(viewer: DashboardViewer, _: AccessPolicy) -> bool:
        return isinstance(viewer.organization, CurrentInstitution) and viewer.organization.kind is kind

    return is_one


def _is_staff(viewer: DashboardViewer, _: AccessPolicy) -> bool:
    return viewer.user_kind is UserKind.STAFF


_PREDICATES: Mapping[Audience, _Predicate] = MappingProxyType(
    {
        Audience.SIAE: _is_siae,
        Audience.SIAE_ETP: _is_siae_with_etp,
        Audience.SIAE_NOT_EITI: _is_siae_but_eiti,
        Audience.CD: _is_department_council,
        Audience.FT: _is_prescriber(frozenset({PrescriberKind.FT})),
        Audience.PH: _is_prescriber(frozenset(PrescriberKind)),
        Audience.PH_LISTED: _is_prescriber(_LISTED_KINDS),
        Audience.DDETS_IAE: _is_institution(InstitutionKind.DDETS_IAE),
        Audience.DDETS_LOG: _is_institution(InstitutionKind.DDETS_LOG),
        Audience.DREETS_IAE: _is_institution(InstitutionKind.DREETS_IAE),
        Audience.DGEFP_IAE: _is_institution(InstitutionKind.DGEFP_IAE),
        Audience.DIHAL: _is_institution(InstitutionKind.DIHAL),
        Audience.DRIHL: _is_institution(InstitutionKind.DRIHL),
        Audience.IAE_NETWORK: _is_institution(InstitutionKind.IAE_NETWORK),
        Audience.CONVERGENCE: _is_institution(InstitutionKind.CONVERGENCE),
        Audience.STAFF: _is_staff,
    }
)
