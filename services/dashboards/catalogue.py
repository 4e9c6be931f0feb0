"""The dashboards of the platform: which one stands behind each slug, for whom, and locked to what.

Several audiences share one dashboard of Metabase and differ by what is locked: a slug is a dashboard for an audience.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.dashboards import locks
from services.dashboards.audiences import Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """`id`: Metabase's. `title` is for people, in French."""

    slug: str
    id: int
    title: str
    audience: Audience
    locks: locks.Locks


def _dashboard(slug: str, id_: int, audience: Audience, locked: locks.Locks, title: str) -> Dashboard:
    return Dashboard(slug=f"stats_{slug}", id=id_, title=title, audience=audience, locks=locked)


_ALL = (
    _dashboard("public", 236, Audience.PUBLIC, locks.nothing, "L'insertion par l'activité économique en chiffres"),
    # -- employers
    _dashboard("siae_etp", 465, Audience.SIAE_ETP, locks.asp_ids_as_administrator, "Suivi des ETP de mes structures"),
    _dashboard("siae_orga_etp", 566, Audience.SIAE, locks.asp_ids, "ETP conventionnés et réalisés"),
    _dashboard("siae_hiring", 185, Audience.SIAE, locks.company_ids, "Candidatures reçues et recrutement"),
    _dashboard("siae_auto_prescription", 580, Audience.SIAE, locks.company_ids, "Auto-prescription"),
    _dashboard("siae_beneficiaries", 550, Audience.SIAE_NOT_EITI, locks.asp_ids, "Salariés en parcours d'insertion"),
    _dashboard("siae_raw", 643, Audience.SIAE, locks.asp_and_company_ids, "Données brutes de mes structures"),
    # -- department councils
    _dashboard("cd_iae", 118, Audience.CD, locks.department_and_region, "L'insertion dans mon département"),
    _dashboard("cd_hiring", 346, Audience.CD, locks.department_and_region, "Recrutement dans mon département"),
    _dashboard("cd_brsa", 330, Audience.CD, locks.department_and_region, "Allocataires du RSA de mon département"),
    _dashboard("cd_beneficiaries", 545, Audience.CD, locks.department_code, "Bénéficiaires de mon département"),
    # -- France Travail
    _dashboard(
        *("ft_conversion_main", 169, Audience.FT, locks.scope_of_agency_as_prescriber),
        "Des candidatures aux embauches",
    ),
    _dashboard(
        *("ft_state_main", 496, Audience.FT, locks.scope_of_agency_as_prescriber), "État des candidatures orientées"
    ),
    _dashboard(
        *("ft_state_raw", 183, Audience.FT, locks.named_scope_of_agency_as_prescriber),
        "Candidatures orientées : données brutes",
    ),
    _dashboard("ft_hiring", 573, Audience.FT, locks.scope_of_agency, "Recrutement sur mon territoire"),
    # -- other authorised prescribers
    _dashboard(
        "ph_state_main", 488, Audience.PH_LISTED, locks.organizations_alike, "Candidatures des prescripteurs habilités"
    ),
    _dashboard("ph_beneficiaries", 545, Audience.PH, locks.department_code, "Bénéficiaires de mon territoire"),
    _dashboard("ph_raw", 654, Audience.PH, locks.own_organization, "Candidatures de mon organisation : données brutes"),
    # -- institutions
    _dashboard(
        *("ddets_iae_auto_prescription", 575, Audience.DDETS_IAE, locks.department_code),
        "Auto-prescription dans mon département",
    ),
    _dashboard(
        *("ddets_iae_siae_evaluation", 144, Audience.DDETS_IAE, locks.department_and_region),
        "Contrôle a posteriori dans mon département",
    ),
    _dashboard("ddets_iae_state", 310, Audience.DDETS_IAE, locks.whole_region, "Prescriptions de ma région"),
    _dashboard("ddets_iae_hiring", 573, Audience.DDETS_IAE, locks.department_code, "Recrutement dans mon département"),
    _dashboard("ddets_log_state", 310, Audience.DDETS_LOG, locks.whole_region, "Prescriptions de ma région"),
    _dashboard(
        "dreets_iae_hiring", 573, Audience.DREETS_IAE, locks.departments_of_the_region, "Recrutement dans ma région"
    ),
    _dashboard("dreets_iae_orga_etp", 578, Audience.DREETS_IAE, locks.whole_region, "ETP conventionnés de ma région"),
    _dashboard("drihl_state", 310, Audience.DRIHL, locks.ile_de_france, "Prescriptions en Île-de-France"),
    _dashboard("dgefp_iae_state", 521, Audience.DGEFP_IAE, locks.nothing, "Prescriptions en France"),
    _dashboard("dgefp_iae_siae_evaluation", 518, Audience.DGEFP_IAE, locks.nothing, "Contrôle a posteriori en France"),
    _dashboard("dihal_state", 549, Audience.DIHAL, locks.nothing, "Prescriptions de l'hébergement et du logement"),
    _dashboard("iae_network_hiring", 301, Audience.IAE_NETWORK, locks.network, "Recrutement de mon réseau"),
    _dashboard("convergence_prescription", 446, Audience.CONVERGENCE, locks.nothing, "Prescriptions de Convergence"),
    _dashboard("convergence_job_application", 469, Audience.CONVERGENCE, locks.nothing, "Candidatures de Convergence"),
    # -- the platform's team
    _dashboard("staff_service_indicators", 438, Audience.STAFF, locks.nothing, "Indicateurs du service"),
)
DASHBOARDS: Mapping[str, Dashboard] = MappingProxyType({dashboard.slug: dashboard for dashboard in _ALL})
