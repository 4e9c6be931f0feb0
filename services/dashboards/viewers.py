"""What the rules of dashboards ask about whoever looks: read from the database anew at each request and download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.database import fetch_all
from models.enums import CompanyKind, InstitutionKind, PrescriberKind, UserKind
from services.dashboards.france_travail import agency_departments

# Nothing is found for an account that was closed; an organisation that the user left is none of theirs.
_VIEWER = """
SELECT u.kind AS user_kind, m.id IS NOT NULL AS is_member, m.is_admin,
    c.number AS company_number, c.asp_id, c.kind AS company_kind,
    po.number AS prescriber_number, po.kind AS prescriber_kind, po.is_authorized, po.is_brsa, po.code_safir,
    po.department AS prescriber_department,
    i.number AS institution_number, i.kind AS institution_kind, i.department AS institution_department,
    i.region AS institution_region, own.numbers, own.asp_ids, own.admins
FROM "user" u
LEFT JOIN membership m ON m.user_id = u.id AND m.ended_at IS NULL
    AND $2::uuid IN (m.company_id, m.prescriber_organization_id, m.institution_id)
LEFT JOIN company c ON c.id = m.company_id
LEFT JOIN prescriber_organization po ON po.id = m.prescriber_organization_id
LEFT JOIN institution i ON i.id = m.institution_id
LEFT JOIN LATERAL (
    SELECT array_agg(other.number ORDER BY other.number) AS numbers,
        array_agg(other.asp_id ORDER BY other.number) AS asp_ids,
        array_agg(held.is_admin ORDER BY other.number) AS admins
    FROM membership held JOIN company other ON other.id = held.company_id
    WHERE held.user_id = u.id AND held.ended_at IS NULL
) own ON m.company_id IS NOT NULL
WHERE u.id = $1 AND u.is_active
"""
_SAME_KIND = "SELECT number FROM prescriber_organization WHERE kind = $1 AND department = any($2) ORDER BY number"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanySeat:
    """A company that the user belongs to. `asp_id`: its convention; None for GEIQ and companies made by hand."""

    number: int
    asp_id: int | None
    is_admin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentCompany:
    kind: CompanyKind
    seat: CompanySeat


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPrescriber:
    """`departments`: what it sees, of which an agency of France Travail may have several; `peers`: the numbers of the
    organisations of its kind there, itself included."""

    number: int
    kind: PrescriberKind
    is_authorized: bool
    is_brsa: bool
    code_safir: str | None
    department: str
    departments: tuple[str, ...]
    peers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentInstitution:
    """`region`: INSEE code, of regional bodies; empty for the others."""

    number: int
    kind: InstitutionKind
    department: str
    region: str


CurrentOrganization = CurrentCompany | CurrentPrescriber | CurrentInstitution


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardViewer:
    """Somebody signed in, on behalf of at most one organisation. `companies`: all of theirs, when that is a company."""

    user_id: UUID
    user_kind: UserKind
    organization_id: UUID | None = None
    organization: CurrentOrganization | None = None
    companies: tuple[CompanySeat, ...] = ()


async def load_dashboard_viewer(user_id: UUID, organization_id: UUID | None) -> DashboardViewer | None:
    """Return the viewer in one SQL statement, two for prescribers. None: a closed account, or an ended membership."""
    rows = await fetch_all(_VIEWER, user_id, organization_id)
    if not rows:
        return None
    row = rows[0]
    if organization_id is not None and not row["is_member"]:
        return None
    return DashboardViewer(
        user_id=user_id,
        user_kind=UserKind(row["user_kind"]),
        organization_id=organization_id,
        organization=await _organization(row),
        companies=_seats(row),
    )


async def _organization(row: asyncpg.Record) -> CurrentOrganization | None:
    """The organisation acted for, where the user is of the kind that acts for such."""
    match UserKind(row["user_kind"]):
        case UserKind.EMPLOYER if row["company_number"] is not None:
            seat = CompanySeat(number=row["company_number"], asp_id=row["asp_id"], is_admin=row["is_admin"])
            return CurrentCompany(kind=CompanyKind(row["company_kind"]), seat=seat)
        case UserKind.PRESCRIBER if row["prescriber_number"] is not None:
            return await _prescriber(row)
        case UserKind.LABOR_INSPECTOR if row["institution_number"] is not None:
            return CurrentInstitution(
                number=row["institution_number"],
                kind=InstitutionKind(row["institution_kind"]),
                department=row["institution_department"],
                region=row["institution_region"],
            )
        case _:
            return None


async def _prescriber(row: asyncpg.Record) -> CurrentPrescriber:
    kind, department = PrescriberKind(row["prescriber_kind"]), row["prescriber_department"]
    departments = agency_departments(row["code_safir"], department) if kind is PrescriberKind.FT else (department,)
    departments = tuple(code for code in departments if code)
    peers: Sequence[asyncpg.Record] = ()
    if row["is_authorized"] and departments:
        peers = await fetch_all(_SAME_KIND, kind.value, list(departments))
    return CurrentPrescriber(
        number=row["prescriber_number"],
        kind=kind,
        is_authorized=row["is_authorized"],
        is_brsa=row["is_brsa"],
        code_safir=row["code_safir"],
        department=department,
        departments=departments,
        peers=tuple(peer["number"] for peer in peers),
    )


def _seats(row: asyncpg.Record) -> tuple[CompanySeat, ...]:
    seats = zip(row["numbers"] or (), row["asp_ids"] or (), row["admins"] or (), strict=True)
    return tuple(CompanySeat(number=number, asp_id=asp_id, is_admin=is_admin) for number, asp_id, is_admin in seats)
