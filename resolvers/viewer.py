"""Who is asking. Everything that access rules need to know, loaded once an operation, in one SQL statement."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.departments import REGIONS
from models.enums import UserKind


class Permission(StrEnum):
    """What a viewer may do besides seeing. Whether they may do it to one row is asked of the row."""

    READ_JOB_SEEKERS = "READ_JOB_SEEKERS"
    READ_FULL_NIR = "READ_FULL_NIR"
    EDIT_JOB_SEEKERS = "EDIT_JOB_SEEKERS"
    CERTIFY_IDENTITY = "CERTIFY_IDENTITY"
    MANAGE_APPROVALS = "MANAGE_APPROVALS"
    INVITE_TO_APPOINTMENT = "INVITE_TO_APPOINTMENT"
    MANAGE_COMPANY = "MANAGE_COMPANY"
    VIEW_DASHBOARDS = "VIEW_DASHBOARDS"
    OBSERVE = "OBSERVE"
    OPERATE = "OPERATE"


class OrganizationType(StrEnum):
    """Values are names of GraphQL types."""

    COMPANY = "Company"
    PRESCRIBER_ORGANIZATION = "PrescriberOrganization"
    INSTITUTION = "Institution"


class Scope(StrEnum):
    """Which rule of visibility applies: a kind of viewer, with authorised and other prescribers apart."""

    ANONYMOUS = "anonymous"
    JOB_SEEKER = "job_seeker"
    EMPLOYER = "employer"
    AUTHORIZED_PRESCRIBER = "authorized_prescriber"
    PRESCRIBER = "prescriber"
    LABOR_INSPECTOR = "labor_inspector"
    PARTNER = "partner"
    STAFF = "staff"
    OPERATOR = "operator"
    NOBODY = "nobody"  # signed in, but for no organisation: sees nothing but themself


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A user or machine client, on behalf of at most one organisation. Without `kind`: nobody is signed in."""

    kind: UserKind | None = None
    user_id: UUID | None = None
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    is_observer: bool = False
    is_operator: bool = False
    may_read_full_nir: bool = False
    organization_type: OrganizationType | None = None
    organization_id: UUID | None = None
    organization_is_authorized: bool = False
    organization_department: str = ""
    organization_region: str = ""
    is_organization_admin: bool = False
    partner_scopes: frozenset[str] = frozenset()
    partner_company_ids: tuple[UUID, ...] = ()

    @property
    def is_authenticated(self) -> bool:
        return self.kind is not None

    @property
    def scope(self) -> Scope:
        match self.kind:
            case None:
                return Scope.ANONYMOUS
            case UserKind.JOB_SEEKER:
                return Scope.JOB_SEEKER
            case UserKind.EMPLOYER:
                return Scope.EMPLOYER if self.organization_type is OrganizationType.COMPANY else Scope.NOBODY
            case UserKind.PRESCRIBER:
                authorized = (
                    self.organization_type is OrganizationType.PRESCRIBER_ORGANIZATION
                    and self.organization_is_authorized
                )
                # Without an organisation, a prescriber still sees what they sent themself.
                return Scope.AUTHORIZED_PRESCRIBER if authorized else Scope.PRESCRIBER
            case UserKind.LABOR_INSPECTOR:
                return Scope.LABOR_INSPECTOR if self.organization_type is OrganizationType.INSTITUTION else Scope.NOBODY
            case UserKind.STAFF:
                return Scope.OPERATOR if self.is_operator else Scope.STAFF
            case UserKind.PARTNER:
                return Scope.PARTNER

    @property
    def is_staff(self) -> bool:
        return self.kind is UserKind.STAFF

    @property
    def departments(self) -> tuple[str, ...]:
        """Codes of the departments that an institution watches over."""
        if self.organization_region in REGIONS:
            return REGIONS[self.organization_region].department_codes
        return (self.organization_department,) if self.organization_department else ()

    @property
    def permissions(self) -> tuple[Permission, ...]:
        granted = set(_PERMISSIONS[self.scope])
        if self.may_read_full_nir and self.is_staff:
            granted.add(Permission.READ_FULL_NIR)
        if self.is_observer and self.is_staff:
            granted.add(Permission.OBSERVE)
        if self.scope is Scope.EMPLOYER and self.is_organization_admin:
            granted.add(Permission.MANAGE_COMPANY)
        return tuple(permission for permission in Permission if permission in granted)

    def has(self, permission: Permission) -> bool:
        return permission in self.permissions

    @property
    def authorization_key(self) -> Hashable:
        """Equal only for viewers to whom every row, field and limit answers alike: all but how they are called."""
        return (
            self.kind,
            self.user_id,
            self.is_observer,
            self.is_operator,
            self.may_read_full_nir,
            self.organization_type,
            self.organization_id,
            self.organization_is_authorized,
            self.organization_department,
            self.organization_region,
            self.is_organization_admin,
            self.partner_scopes,
            frozenset(self.partner_company_ids),
        )

    def parameters(self) -> dict[str, Any]:
        """What SQL conditions may name."""
        return {
            "viewer_id": self.user_id,
            "organization_id": self.organization_id,
            "company_ids": list(self.partner_company_ids),
            "departments": list(self.departments),
        }


_EDITING = {Permission.READ_JOB_SEEKERS, Permission.EDIT_JOB_SEEKERS, Permission.CERTIFY_IDENTITY}
_PERMISSIONS: dict[Scope, set[Permission]] = {
    Scope.ANONYMOUS: set(),
    Scope.NOBODY: set(),
    # Their own NIR, and whom READ_FULL_NIR is granted for, row by row: see resolvers/entities/people.py.
    Scope.JOB_SEEKER: {*_EDITING, Permission.READ_FULL_NIR},
    Scope.EMPLOYER: {
        *_EDITING,
        Permission.READ_FULL_NIR,
        Permission.MANAGE_APPROVALS,
        Permission.INVITE_TO_APPOINTMENT,
        Permission.VIEW_DASHBOARDS,
    },
    Scope.AUTHORIZED_PRESCRIBER: {*_EDITING, Permission.VIEW_DASHBOARDS},
    Scope.PRESCRIBER: {Permission.READ_JOB_SEEKERS},
    Scope.LABOR_INSPECTOR: {Permission.VIEW_DASHBOARDS},
    Scope.PARTNER: set(),
    Scope.STAFF: {*_EDITING, Permission.MANAGE_APPROVALS, Permission.MANAGE_COMPANY, Permission.VIEW_DASHBOARDS},
    Scope.OPERATOR: {
        *_EDITING,
        Permission.MANAGE_APPROVALS,
        Permission.MANAGE_COMPANY,
        Permission.VIEW_DASHBOARDS,
        Permission.OBSERVE,
        Permission.OPERATE,
    },
}

ANONYMOUS = Viewer()
