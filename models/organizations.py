"""Organisations: companies, prescriber organisations, institutions, who belongs to them, and machine clients."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tortoise import fields

from models.base import Model, PostalAddressMixin, enum_field
from models.enums import CompanyKind, InstitutionKind, PrescriberKind
from models.people import User


class Company(PostalAddressMixin, Model):
    """An employer of the platform, an SIAE most of the time."""

    number: int = fields.BigIntField(unique=True, description="the platform's numeric id, which survey forms know")
    siret = fields.CharField(max_length=14, unique=True)
    kind: CompanyKind = enum_field(CompanyKind)
    name = fields.CharField(max_length=255)
    brand = fields.CharField(max_length=255, default="", description="the name it prefers to be known by")
    naf = fields.CharField(max_length=5, default="")
    email = fields.CharField(max_length=254, default="")
    phone = fields.CharField(max_length=20, default="")
    asp_id: int | None = fields.IntField(null=True, description="id of the ASP convention; null: none")
    rdv_solidarites_id: int | None = fields.IntField(
        null=True, unique=True, description="organisation at RDV-Solidarités"
    )
    created_at: datetime = fields.DatetimeField(auto_now_add=True)
    updated_at: datetime = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "company"

    @property
    def siren(self) -> str:
        return self.siret[:9]

    @property
    def display_name(self) -> str:
        return self.brand or self.name


class PrescriberOrganization(Model):
    """An organisation that orients job seekers; only authorised ones may vouch for their eligibility."""

    number: int = fields.BigIntField(unique=True, description="the platform's numeric id, which survey forms know")
    kind: PrescriberKind = enum_field(PrescriberKind)
    name = fields.CharField(max_length=255)
    siret = fields.CharField(max_length=14, null=True)
    is_authorized = fields.BooleanField(default=False)
    is_brsa = fields.BooleanField(default=False, description="delegated by a department council for RSA recipients")
    code_safir = fields.CharField(max_length=5, null=True, unique=True, description="France Travail agencies")
    department = fields.CharField(max_length=3, default="")
    created_at: datetime = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "prescriber_organization"


class Institution(Model):
    """A state body or network that steers inclusion employment."""

    number: int = fields.BigIntField(unique=True)
    kind: InstitutionKind = enum_field(InstitutionKind)
    name = fields.CharField(max_length=255)
    department = fields.CharField(max_length=3, default="")
    region = fields.CharField(max_length=3, default="", description="INSEE region code; set for regional bodies")
    created_at: datetime = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "institution"


class Membership(Model):
    """A user acts for one organisation (exactly one of the three). Ended rows stay, as the record of who could."""

    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name="memberships", on_delete=fields.CASCADE
    )
    user_id: UUID
    company: fields.ForeignKeyNullableRelation[Company] = fields.ForeignKeyField(
        "models.Company", null=True, related_name="memberships", on_delete=fields.CASCADE
    )
    company_id: UUID | None
    prescriber_organization: fields.ForeignKeyNullableRelation[PrescriberOrganization] = fields.ForeignKeyField(
        "models.PrescriberOrganization", null=True, related_name="memberships", on_delete=fields.CASCADE
    )
    prescriber_organization_id: UUID | None
    institution: fields.ForeignKeyNullableRelation[Institution] = fields.ForeignKeyField(
        "models.Institution", null=True, related_name="memberships", on_delete=fields.CASCADE
    )
    institution_id: UUID | None
    is_admin = fields.BooleanField(default=False)
    created_at: datetime = fields.DatetimeField(auto_now_add=True)
    ended_at: datetime | None = fields.DatetimeField(null=True, description="revoked: takes effect at once")

    class Meta:
        table = "membership"


class PartnerClient(Model):
    """A machine client of a partner: it reads the appointments of its companies and nothing else."""

    subject = fields.CharField(max_length=255, unique=True, description="`sub` of its tokens")
    name = fields.CharField(max_length=255)
    scopes: list[str] = fields.JSONField[list[str]](default=list)
    companies: fields.ManyToManyRelation[Company] = fields.ManyToManyField(
        "models.Company",
        related_name="partner_clients",
        through="partner_client_company",
        forward_key="company_id",
        backward_key="partner_client_id",
    )
    created_at: datetime = fields.DatetimeField(auto_now_add=True)
    revoked_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "partner_client"
