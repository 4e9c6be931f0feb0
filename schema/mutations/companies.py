"""Companies: enter one, change one."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry

from clients.errors import PartnerError
from models import Company as CompanyRow
from models.enums import CompanyKind
from resolvers.context import OperationContext, context_of
from resolvers.entities.organizations import COMPANY
from resolvers.errors import Forbidden
from resolvers.global_ids import decode_as
from resolvers.loaders import read_by_key, rows_by
from resolvers.selection import NOTHING
from resolvers.viewer import Permission
from schema.errors import Conflict, InvalidInput, NotFound, PartnerRejected, PartnerUnavailable, not_found
from schema.info import Info
from schema.mutations.outcomes import conflict, invalid_input
from schema.scalars import SIRET
from schema.sirene_errors import refused_by_sirene, sirene_off
from schema.types.organizations import Company
from services import companies
from services.companies import CompanyDetails, RegisterOff
from services.outcomes import ConflictFound, Invalid
from services.outcomes import NotFound as NothingFound

CompanyResult = Annotated[
    Company | InvalidInput | Conflict | NotFound | PartnerRejected | PartnerUnavailable,
    strawberry.union("CompanyResult"),
]

GEOCODE_COMPANY = "geocode_company"

_STREET = "the street, only where INSEE keeps it to itself"


@strawberry.input
class RegisterCompanyInput:
    siret: SIRET
    kind: CompanyKind
    name: str | None = strawberry.field(
        default=None, description="what it is to be known by; required where INSEE keeps the legal name to itself"
    )
    naf: str | None = strawberry.field(default=None, description="INSEE's is taken; another one is refused")
    email: str | None = None
    phone: str | None = None
    address_line1: str | None = strawberry.field(default=None, description=_STREET)

    def details(self) -> CompanyDetails:
        return CompanyDetails(
            name=self.name, naf=self.naf, email=self.email, phone=self.phone, address_line_1=self.address_line1
        )


@strawberry.input(
    description="What is null or left out stays as it is; an empty `email` or `phone` takes away what was there."
)
class UpdateCompanyInput:
    id: strawberry.ID
    siret: SIRET | None = strawberry.field(
        default=None,
        description=(
            "takes INSEE's record over anew, the same number included; only the staff may change its nine first digits"
        ),
    )
    name: str | None = strawberry.field(default=None, description="what it is to be known by")
    naf: str | None = strawberry.field(default=None, description="INSEE's is taken; another one is refused")
    email: str | None = None
    phone: str | None = None
    address_line1: str | None = strawberry.field(default=None, description=f"{_STREET}; with `siret`")

    def details(self) -> CompanyDetails:
        return CompanyDetails(
            name=self.name, naf=self.naf, email=self.email, phone=self.phone, address_line_1=self.address_line1
        )


@strawberry.type
class CompanyMutations:
    @strawberry.mutation(description="Enter the company of an establishment that is open. For the staff.")
    async def register_company(self, info: Info, input: RegisterCompanyInput) -> CompanyResult:
        context = _may(info)
        if not context.viewer.is_staff:
            raise Forbidden("companies are registered by the staff of the platform")
        try:
            outcome = await companies.register_company(
                input.siret, input.kind, input.details(), establishments=context.resources.establishments
            )
        except PartnerError as error:
            return refused_by_sirene(error)
        return await _answer(info, outcome)

    @strawberry.mutation(description="Change a company's record. For its administrators and the staff.")
    async def update_company(self, info: Info, input: UpdateCompanyInput) -> CompanyResult:
        context = _may(info)
        company_id = decode_as(input.id, "Company")
        if not await _sees(context, company_id):
            return not_found()
        try:
            outcome = await companies.update_company(
                company_id,
                siret=input.siret,
                said=input.details(),
                establishments=context.resources.establishments,
                may_change_legal_unit=context.viewer.is_staff,
            )
        except PartnerError as error:
            return refused_by_sirene(error)
        return await _answer(info, outcome)


def _may(info: Info) -> OperationContext:
    context = context_of(info.raw)
    if not context.signed_in().has(Permission.MANAGE_COMPANY):
        raise Forbidden(f"this needs the permission {Permission.MANAGE_COMPANY.value}")
    context.forget_rows()
    return context


async def _sees(context: OperationContext, company_id: UUID) -> bool:
    """Of those who may manage companies, an employer sees their own alone."""
    return bool(await rows_by(context, COMPANY, NOTHING, "{t}.id = :key", {"key": company_id}))


async def _answer(
    info: Info, outcome: CompanyRow | Invalid | ConflictFound | NothingFound | RegisterOff
) -> CompanyResult:
    match outcome:
        case Invalid():
            return invalid_input(outcome)
        case ConflictFound():
            return conflict(outcome)
        case NothingFound():
            return not_found()
        case RegisterOff():
            return sirene_off()
        case _:
            if outcome.geocoding_due_at is not None:
                await context_of(info.raw).resources.ring(GEOCODE_COMPANY, outcome.id)
            company = await read_by_key(info.raw, "Company", outcome.id)
            return company if company is not None else not_found()
