"""Who opens which dashboard, locked to what: the whole table, by hand, and never an empty filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.departments import DEPARTMENTS, REGIONS
from models.enums import CompanyKind, InstitutionKind, PrescriberKind, UserKind
from services.dashboards import DASHBOARDS, AccessPolicy, DashboardViewer, Granted, Refusal, decide
from services.dashboards.france_travail import agency_departments, is_directorate
from services.dashboards.viewers import (
    CompanySeat,
    CurrentCompany,
    CurrentInstitution,
    CurrentOrganization,
    CurrentPrescriber,
)

USER = UUID(int=1)
ADMINISTRATOR = UUID(int=2)
POLICY = AccessPolicy(etp_user_ids=frozenset({ADMINISTRATOR}))
DEPARTMENT, REGION = "d%C3%A9partement", "r%C3%A9gion"
ASP, COMPANY = "id_asp_siae", "identifiant_de_la_structure_(c1)"
KIND, ORGANIZATION, NETWORK = "prescripteur", "id_prescripteur", "id_r%C3%A9seau"
GRAND_EST = ["08", "10", "51", "52", "54", "55", "57", "67", "68", "88"]
GRAND_EST_NAMES = [
    *("08 - Ardennes", "10 - Aube", "51 - Marne", "52 - Haute-Marne", "54 - Meurthe-et-Moselle", "55 - Meuse"),
    *("57 - Moselle", "67 - Bas-Rhin", "68 - Haut-Rhin", "88 - Vosges"),
]
ILE_DE_FRANCE_NAMES = [
    *("75 - Paris", "77 - Seine-et-Marne", "78 - Yvelines", "91 - Essonne", "92 - Hauts-de-Seine"),
    *("93 - Seine-Saint-Denis", "94 - Val-de-Marne", "95 - Val-d'Oise"),
]
MOSELLE = {DEPARTMENT: "57 - Moselle", REGION: "Grand Est"}


def member(kind: UserKind, organization: CurrentOrganization | None, *seats: CompanySeat) -> DashboardViewer:
    user_id = ADMINISTRATOR if any(seat.is_admin for seat in seats) else USER
    return DashboardViewer(user_id=user_id, user_kind=kind, organization=organization, companies=seats)


def employer(kind: CompanyKind, *seats: CompanySeat) -> DashboardViewer:
    return member(UserKind.EMPLOYER, CurrentCompany(kind=kind, seat=seats[0]), *seats)


def seat(number: int, asp_id: int | None, *, is_admin: bool = False) -> CompanySeat:
    return CompanySeat(number=number, asp_id=asp_id, is_admin=is_admin)


def prescriber(kind: PrescriberKind, *, code_safir: str | None = None, **changes: Any) -> DashboardViewer:
    departments = agency_departments(code_safir, "57") if kind is PrescriberKind.FT else ("57",)
    values: dict[str, Any] = {
        "number": 31,
        "kind": kind,
        "is_authorized": True,
        "is_brsa": False,
        "code_safir": code_safir,
        "department": "57",
        "departments": departments,
        "peers": (31, 32),
    }
    return member(UserKind.PRESCRIBER, CurrentPrescriber(**(values | changes)))


def inspector(kind: InstitutionKind, *, department: str = "57", region: str = "") -> DashboardViewer:
    institution = CurrentInstitution(number=9, kind=kind, department=department, region=region)
    return member(UserKind.LABOR_INSPECTOR, institution)


ANONYMOUS = "anonymous"
VIEWERS: Mapping[str, DashboardViewer | None] = {
    ANONYMOUS: None,
    "job seeker": member(UserKind.JOB_SEEKER, None),
    "partner": member(UserKind.PARTNER, None),
    "staff": member(UserKind.STAFF, None),
    "ACI": employer(CompanyKind.ACI, seat(17, 4_001), seat(18, 4_002)),
    "ACI, administrator of one": employer(CompanyKind.ACI, seat(17, 4_001, is_admin=True), seat(18, 4_002)),
    "EITI": employer(CompanyKind.EITI, seat(19, 4_003)),
    "no convention": employer(CompanyKind.GEIQ, seat(20, None), seat(17, 4_001)),
    "council": prescriber(PrescriberKind.DEPT),
    "council's delegate": prescriber(PrescriberKind.DEPT, is_brsa=True),
    "not authorised": prescriber(PrescriberKind.ML, is_authorized=False),
    "local mission": prescriber(PrescriberKind.ML),
    "probation service": prescriber(PrescriberKind.SPIP),
    "agency": prescriber(PrescriberKind.FT, code_safir="57001"),
    "regional directorate": prescriber(PrescriberKind.FT, code_safir="67085"),
    "DDETS IAE": inspector(InstitutionKind.DDETS_IAE),
    "DDETS LOG": inspector(InstitutionKind.DDETS_LOG),
    "DREETS IAE": inspector(InstitutionKind.DREETS_IAE, department="", region="44"),
    "DGEFP": inspector(InstitutionKind.DGEFP_IAE, department=""),
    "DIHAL": inspector(InstitutionKind.DIHAL, department=""),
    "DRIHL": inspector(InstitutionKind.DRIHL, department=""),
    "network": inspector(InstitutionKind.IAE_NETWORK, department=""),
    "Convergence": inspector(InstitutionKind.CONVERGENCE, department=""),
}
_OWN = {ORGANIZATION: ["31"]}
_PH_CODE = {DEPARTMENT: ["57"]}
_AGENCY = {DEPARTMENT: ["57"], KIND: "France Travail"}
_REGIONAL = {DEPARTMENT: GRAND_EST, KIND: "France Travail"}
_BOTH = {ASP: ["4001", "4002"]}
_COMPANIES = {COMPANY: ["17", "18"]}
_WHOLE_REGION = {DEPARTMENT: GRAND_EST_NAMES, REGION: "Grand Est"}
_SIAE = ("ACI", "ACI, administrator of one")

# Slug: the id at Metabase, and whoever may open it with what is locked. Nobody else may.
TABLE: Mapping[str, tuple[int, Mapping[str, Mapping[str, Any]]]] = {
    "stats_public": (236, {name: {} for name in VIEWERS}),
    "stats_siae_etp": (465, {"ACI, administrator of one": {ASP: ["4001"]}}),
    "stats_siae_orga_etp": (566, {**dict.fromkeys(_SIAE, _BOTH), "EITI": {ASP: ["4003"]}}),
    "stats_siae_hiring": (185, {**dict.fromkeys(_SIAE, _COMPANIES), "EITI": {COMPANY: ["19"]}}),
    "stats_siae_auto_prescription": (580, {**dict.fromkeys(_SIAE, _COMPANIES), "EITI": {COMPANY: ["19"]}}),
    "stats_siae_beneficiaries": (550, dict.fromkeys(_SIAE, _BOTH)),
    "stats_siae_raw": (
        643,
        {**dict.fromkeys(_SIAE, _BOTH | _COMPANIES), "EITI": {ASP: ["4003"], COMPANY: ["19"]}},
    ),
    "stats_cd_iae": (118, {"council": MOSELLE}),
    "stats_cd_hiring": (346, {"council": MOSELLE}),
    "stats_cd_brsa": (330, {"council": MOSELLE}),
    "stats_cd_beneficiaries": (545, {"council": {DEPARTMENT: ["57"]}}),
    "stats_ft_conversion_main": (169, {"agency": _AGENCY, "regional directorate": _REGIONAL}),
    "stats_ft_state_main": (496, {"agency": _AGENCY, "regional directorate": _REGIONAL}),
    "stats_ft_state_raw": (
        183,
        {
            "agency": {DEPARTMENT: "57 - Moselle", KIND: "France Travail"},
            "regional directorate": {DEPARTMENT: GRAND_EST_NAMES, KIND: "France Travail"},
        },
    ),
    "stats_ft_hiring": (573, {"agency": {DEPARTMENT: ["57"]}, "regional directorate": {DEPARTMENT: GRAND_EST}}),
    "stats_ph_state_main": (
        488,
        {"local mission": {DEPARTMENT: "57 - Moselle", KIND: "Mission locale", ORGANIZATION: ["31", "32"]}},
    ),
    "stats_ph_beneficiaries": (
        545,
        dict.fromkeys(
            (
                *("council", "council's delegate", "local mission", "probation service", "agency"),
                "regional directorate",
            ),
            _PH_CODE,
        ),
    ),
    "stats_ph_raw": (
        654,
        {
            **dict.fromkeys(("council", "council's delegate", "local mission", "probation service", "agency"), _OWN),
            "regional directorate": {ORGANIZATION: ["31", "32"]},
        },
    ),
    "stats_ddets_iae_auto_prescription": (575, {"DDETS IAE": {DEPARTMENT: ["57"]}}),
    "stats_ddets_iae_siae_evaluation": (144, {"DDETS IAE": MOSELLE}),
    "stats_ddets_iae_state": (310, {"DDETS IAE": _WHOLE_REGION}),
    "stats_ddets_iae_hiring": (573, {"DDETS IAE": {DEPARTMENT: ["57"]}}),
    "stats_ddets_log_state": (310, {"DDETS LOG": _WHOLE_REGION}),
    "stats_dreets_iae_hiring": (573, {"DREETS IAE": {DEPARTMENT: GRAND_EST}}),
    "stats_dreets_iae_orga_etp": (578, {"DREETS IAE": _WHOLE_REGION}),
    "stats_drihl_state": (310, {"DRIHL": {DEPARTMENT: ILE_DE_FRANCE_NAMES, REGION: "Île-de-France"}}),
    "stats_dgefp_iae_state": (521, {"DGEFP": {}}),
    "stats_dgefp_iae_siae_evaluation": (518, {"DGEFP": {}}),
    "stats_dihal_state": (549, {"DIHAL": {}}),
    "stats_iae_network_hiring": (301, {"network": {NETWORK: 9}}),
    "stats_convergence_prescription": (446, {"Convergence": {}}),
    "stats_convergence_job_application": (469, {"Convergence": {}}),
    "stats_staff_service_indicators": (438, {"staff": {}}),
}


def test_the_table_names_every_dashboard():
    assert set(TABLE) == set(DASHBOARDS)


@pytest.mark.parametrize("name", VIEWERS)
@pytest.mark.parametrize("slug", TABLE)
def test_each_viewer_opens_each_dashboard_as_the_table_says(slug: str, name: str):
    id_, allowed = TABLE[slug]

    decision = decide(DASHBOARDS[slug], VIEWERS[name], POLICY)

    if name in allowed:
        assert isinstance(decision, Granted)
        assert (decision.scope.dashboard_id, dict(decision.scope.locked)) == (id_, allowed[name])
    else:
        assert decision is (Refusal.SIGN_IN if name == ANONYMOUS else Refusal.FORBIDDEN)


# -- what an agency of France Travail oversees


@pytest.mark.parametrize(
    ("code_safir", "department", "seen"),
    [
        ("00162", "75", tuple(DEPARTMENTS)),
        ("67085", "67", tuple(GRAND_EST)),
        ("04016", "04", ("04", "05")),
        ("57561", "57", ("57",)),
        ("57001", "57", ("57",)),
        (None, "57", ("57",)),
        ("57001", "", ()),
        ("67085", "", ()),
    ],
)
def test_an_agency_oversees_what_its_code_says(code_safir: str | None, department: str, seen: tuple[str, ...]):
    assert agency_departments(code_safir, department) == seen


def test_the_general_directorate_sees_all_109_departments():
    viewer = prescriber(PrescriberKind.FT, code_safir="00162")

    decision = decide(DASHBOARDS["stats_ft_hiring"], viewer, POLICY)

    assert isinstance(decision, Granted)
    assert decision.scope.locked == {DEPARTMENT: list(DEPARTMENTS)}
    assert len(DEPARTMENTS) == 109


def test_an_agency_that_receives_people_is_no_directorate():
    assert [is_directorate(code) for code in ("00162", "67085", "57561", "04016", "57001", None)] == [
        *(True, True, True, True),
        *(False, False),
    ]


def test_a_region_wide_view_is_logged_under_the_department_of_its_viewer():
    decision = decide(DASHBOARDS["stats_ddets_iae_state"], VIEWERS["DDETS IAE"], POLICY)

    assert isinstance(decision, Granted)
    assert (decision.department, decision.region) == ("57", "Grand Est")


def test_companies_that_share_a_convention_lock_it_once():
    viewer = employer(CompanyKind.ACI, seat(17, 4_001), seat(18, 4_001))

    decision = decide(DASHBOARDS["stats_siae_orga_etp"], viewer, POLICY)

    assert isinstance(decision, Granted)
    assert decision.scope.locked == {ASP: ["4001"]}


# -- an empty filter shows everything: there is none, whoever asks

_departments = st.sampled_from(["", "57", "2A", "975", "99", "xyz"])
_seats = st.lists(
    st.builds(
        CompanySeat,
        number=st.integers(1, 10**9),
        asp_id=st.none() | st.integers(1, 10**6),
        is_admin=st.booleans(),
    ),
    max_size=4,
).map(tuple)
_organizations = st.one_of(
    st.none(),
    st.builds(
        CurrentCompany,
        kind=st.sampled_from(CompanyKind),
        seat=st.builds(CompanySeat, number=st.just(1), asp_id=st.none() | st.just(5), is_admin=st.booleans()),
    ),
    st.builds(
        CurrentPrescriber,
        number=st.integers(1, 10**9),
        kind=st.sampled_from(PrescriberKind),
        is_authorized=st.booleans(),
        is_brsa=st.booleans(),
        code_safir=st.none() | st.sampled_from(["00162", "67085", "04016", "57001"]),
        department=_departments,
        departments=st.lists(_departments, max_size=3).map(tuple),
        peers=st.lists(st.integers(1, 10**9), max_size=3).map(tuple),
    ),
    st.builds(
        CurrentInstitution,
        number=st.integers(1, 10**9),
        kind=st.sampled_from(InstitutionKind),
        department=_departments,
        region=st.sampled_from(["", "44", "00", *REGIONS]),
    ),
)
_viewers = st.none() | st.builds(
    DashboardViewer,
    user_id=st.sampled_from([USER, ADMINISTRATOR]),
    user_kind=st.sampled_from(UserKind),
    organization=_organizations,
    companies=_seats,
)
_NATIONAL = {slug for slug, (_, allowed) in TABLE.items() if all(not locked for locked in allowed.values())}


@given(viewer=_viewers, slug=st.sampled_from(sorted(DASHBOARDS)))
def test_no_locked_filter_is_ever_empty(viewer: DashboardViewer | None, slug: str):
    decision = decide(DASHBOARDS[slug], viewer, POLICY)

    if isinstance(decision, Granted):
        locked = decision.scope.locked
        assert all(locked.values())
        assert all(all(value) for value in locked.values() if isinstance(value, list))
        assert bool(locked) is (slug not in _NATIONAL)
