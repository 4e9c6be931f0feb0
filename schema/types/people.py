"""Users and job seekers."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from models.enums import CertificationAuthority, ConsentPurpose, Title, UserKind
from models.identifiers import format_nir, mask_nir
from models.people import locked_fields
from resolvers.communes import commune_of
from resolvers.context import context_of
from resolvers.entities.people import JOB_SEEKER, open_nir
from resolvers.errors import Forbidden
from resolvers.pages import read_child_page
from schema.access import check_personal, guarded, guarded_value
from schema.enums import NirFormat, ProfileField
from schema.filters import ParticipationFilter, participation_filter
from schema.info import Info
from schema.scalars import NIR
from schema.types.connections import After, Before, Connection, First, Last, page_arguments
from schema.types.geography import Commune, Country, PostalAddress, commune
from schema.types.node import Node

if TYPE_CHECKING:
    from schema.types.appointments import Participation
    from schema.types.approvals import Approval
    from schema.types.job_applications import JobApplication, Survey

_Approval = Annotated["Approval", strawberry.lazy("schema.types.approvals")]
_JobApplication = Annotated["JobApplication", strawberry.lazy("schema.types.job_applications")]
_Participation = Annotated["Participation", strawberry.lazy("schema.types.appointments")]
_Survey = Annotated["Survey", strawberry.lazy("schema.types.job_applications")]


@strawberry.type
class User(Node):
    kind: UserKind
    first_name: str
    last_name: str
    email: str | None


@strawberry.type
class IdentityCertification:
    authority: CertificationAuthority
    certified_at: datetime


@strawberry.type
class Consent:
    purpose: ConsentPurpose
    given_at: datetime
    withdrawn_at: datetime | None


def _identity_certifications(job_seeker: JobSeeker) -> list[IdentityCertification]:
    return [
        IdentityCertification(authority=CertificationAuthority(certifier), certified_at=certified_at)
        for certifier, certified_at in job_seeker.certification_rows
    ]


def _readonly_fields(job_seeker: JobSeeker) -> list[ProfileField]:
    is_certified, has_nir, france_travail_id, birth_country, birth_place = job_seeker.lock_columns
    locked = locked_fields(
        is_certified=is_certified,
        has_nir=has_nir,
        has_france_travail_id=bool(france_travail_id),
        birth_country=birth_country,
        birth_place=birth_place,
    )
    return [field for field in ProfileField if field.value in locked]


def _consents(job_seeker: JobSeeker) -> list[Consent]:
    return [
        Consent(purpose=ConsentPurpose(purpose), given_at=given_at, withdrawn_at=withdrawn_at)
        for purpose, given_at, withdrawn_at in job_seeker.consent_rows
    ]


@strawberry.type
class JobSeeker(Node):
    first_name: str
    last_name: str
    title: Title | None = guarded("JobSeeker.title", Title | None, "title")
    email: str | None = guarded("JobSeeker.email", str | None, "email")
    phone: str | None = guarded("JobSeeker.phone", str | None, "phone")
    birthdate: date | None = guarded("JobSeeker.birthdate", date | None, "birthdate")
    birth_country: Country | None = guarded("JobSeeker.birthCountry", Country | None, "birth_country")
    france_travail_id: str | None = guarded("JobSeeker.franceTravailId", str | None, "france_travail_id")
    address: PostalAddress | None = guarded("JobSeeker.address", PostalAddress | None, "address")
    is_certified: bool | None = guarded("JobSeeker.isCertified", bool | None, "is_certified")
    current_approval: _Approval | None = strawberry.field(description="The PASS IAE that is valid today, if any.")

    # What the look-ahead read for the fields below.
    birth_place_code: strawberry.Private[str | None]
    sealed_nir: strawberry.Private[Any]
    may_read_full_nir: strawberry.Private[bool]
    certification_rows: strawberry.Private[list[Any]]
    consent_rows: strawberry.Private[list[Any]]
    lock_columns: strawberry.Private[tuple[Any, ...]]

    @strawberry.field(
        description=(
            "MASKED for everyone who may see the job seeker; FULL needs READ_FULL_NIR and is written to the access log."
        )
    )
    def nir(self, info: Info, format: NirFormat = NirFormat.MASKED) -> NIR | None:
        context = context_of(info.raw)
        check_personal("JobSeeker.nir", context, self.pk)
        if format is NirFormat.MASKED:
            nir = open_nir(self.sealed_nir)
            return NIR(mask_nir(nir)) if nir else None
        viewer = context.viewer
        if not (viewer.may_read_full_nir if viewer.is_staff else self.may_read_full_nir):
            raise Forbidden("JobSeeker.nir: the full number is not readable for this viewer; ask for MASKED")
        context.personal_reads.add((self.pk, "nir"))
        nir = open_nir(self.sealed_nir)
        return NIR(format_nir(nir)) if nir else None

    @strawberry.field(description="For births in France.")
    async def birth_place(self, info: Info) -> Commune | None:
        check_personal("JobSeeker.birthPlace", context_of(info.raw), self.pk)
        return commune(await commune_of(info.raw, self.birth_place_code))

    # Without annotations: these would come before the fields above in the schema.
    identity_certifications = guarded_value(
        "JobSeeker.identityCertifications", list[IdentityCertification] | None, _identity_certifications
    )
    readonly_fields = guarded_value(
        "JobSeeker.readonlyFields",
        list[ProfileField] | None,
        _readonly_fields,
        description="Fields that may no longer be edited because an authority certified them.",
    )
    consents = guarded_value("JobSeeker.consents", list[Consent] | None, _consents)

    @strawberry.field
    def approvals(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[_Approval]:
        return _children(info, "approvals", self.pk, first, after, last, before)

    @strawberry.field
    def job_applications(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[_JobApplication]:
        return _children(info, "jobApplications", self.pk, first, after, last, before)

    @strawberry.field
    def participations(
        self,
        info: Info,
        filter: ParticipationFilter | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[_Participation]:
        return read_child_page(  # pyright: ignore[reportReturnType]: a Page has the shape of a Connection
            info.raw,
            JOB_SEEKER,
            "participations",
            self.pk,
            page_arguments(first, after, last, before),
            participation_filter(filter),
        )

    @strawberry.field
    def surveys(self, info: Info, first: First = None, after: After = None) -> Connection[_Survey]:
        return _children(info, "surveys", self.pk, first, after, None, None)


def _children(
    info: Info,
    name: str,
    parent: UUID,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Any:
    return read_child_page(info.raw, JOB_SEEKER, name, parent, page_arguments(first, after, last, before))
