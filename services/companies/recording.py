"""Enter a company, and change one: what people say, as far as INSEE's register agrees.

INSEE is asked before anything is written and outside of any transaction. An old answer is not enough here: a company
must be open on the day it is entered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from tortoise.exceptions import IntegrityError

from clients.errors import ErrorCode, PartnerRejected, PartnerUnavailable
from clients.sirene import Establishment, SireneOutcome, sirene_outcome
from models import Company
from models.database import run_in_transaction
from models.enums import CompanyKind, Partner
from services.companies.details import CompanyDetails, parse_details
from services.companies.legal import brand_of, legal_columns, naf_problems
from services.establishments import Establishments
from services.numbering import next_company_number
from services.outcomes import ConflictFound, Invalid, NotFound, invalid

T = TypeVar("T")

_TAKEN = ConflictFound("Une entreprise est déjà enregistrée avec ce SIRET.")
_CHANGED_MEANWHILE = ConflictFound("Cette entreprise vient d'être modifiée : relisez-la avant de recommencer.")
_UNKNOWN = invalid("siret", "Ce SIRET est inconnu de l'INSEE. Vérifiez chaque chiffre.")
_OTHER_LEGAL_UNIT = invalid(
    "siret", "Ce SIRET est celui d'une autre entreprise : les neuf premiers chiffres doivent rester les mêmes."
)
_STREET_ALONE = invalid("addressLine1", "La voie ne se modifie qu'avec le SIRET.")
_SIREN_DIGITS = 9
_UNIQUE_SIRET = "company_siret_key"


@dataclass(frozen=True, slots=True)
class RegisterOff:
    """What is asked for cannot be done without INSEE's register, which is not configured."""


async def register_company(
    siret: str, kind: CompanyKind, said: CompanyDetails, *, establishments: Establishments | None
) -> Company | Invalid | ConflictFound | RegisterOff:
    """Enter the company of an open establishment, under its legal name.

    Another `name` that was said is the one it is shown by. Raises PartnerError when INSEE gives no fresh answer.
    """
    details = parse_details(said)
    if isinstance(details, Invalid):
        return details
    if establishments is None:
        return RegisterOff()
    if await Company.filter(siret=siret).exists():
        return _TAKEN
    found = await _fresh(establishments, siret)
    columns = legal_columns(found, details, asked=siret) if found is not None else _UNKNOWN
    if isinstance(columns, Invalid):
        return columns

    async def enter() -> Company:
        return await Company.create(
            **columns,
            number=await next_company_number(),
            kind=kind,
            brand=brand_of(columns["name"], details.name) if details.name else "",
            email=details.email or "",
            phone=details.phone or "",
        )

    entered = await _refusing_twins(lambda: run_in_transaction(enter))
    # As the database has it: a trigger says whether the address is to be geocoded.
    return entered if isinstance(entered, ConflictFound) else await Company.get(id=entered.id)


async def update_company(
    company_id: UUID,
    *,
    siret: str | None,
    said: CompanyDetails,
    establishments: Establishments | None,
    may_change_legal_unit: bool,
) -> Company | Invalid | ConflictFound | NotFound | RegisterOff:
    """Change what is said; what is not said stays.

    A `siret`, be it the same, takes the whole legal record over anew. `may_change_legal_unit`: also to another SIREN.
    Raises PartnerError when INSEE is needed and gives no fresh answer.
    """
    details = parse_details(said)
    if isinstance(details, Invalid):
        return details
    if details.address_line_1 is not None and siret is None:
        return _STREET_ALONE
    company = await Company.get_or_none(id=company_id)
    if company is None:
        return NotFound()
    if siret is not None and not may_change_legal_unit and siret[:_SIREN_DIGITS] != company.siren:
        return _OTHER_LEGAL_UNIT
    columns: dict[str, Any] = {
        column: value for column in ("email", "phone") if (value := getattr(details, column)) is not None
    }
    if siret is not None or details.naf is not None:
        legal = await _legal_changes(company, siret, details, establishments)
        if isinstance(legal, (Invalid, ConflictFound, RegisterOff)):
            return legal
        columns |= legal
    if details.name is not None:
        columns["brand"] = brand_of(columns.get("name", company.name), details.name)
    return await _refusing_twins(lambda: _change(company, columns))


async def _legal_changes(
    company: Company, siret: str | None, details: CompanyDetails, establishments: Establishments | None
) -> dict[str, Any] | Invalid | ConflictFound | RegisterOff:
    if establishments is None:
        return RegisterOff()
    if siret is not None and siret != company.siret and await Company.filter(siret=siret).exists():
        return _TAKEN
    if siret is None:
        found = await _fresh_if_any(establishments, company.siret)
        problems = naf_problems(found, details.naf) if found is not None else []
        return Invalid(tuple(problems)) if problems else {"naf": details.naf}
    found = await _fresh(establishments, siret)
    if found is None:
        return _UNKNOWN
    legal = legal_columns(found, details, asked=siret, known_name=company.name)
    if isinstance(legal, Invalid):
        return legal
    changes = dict(legal)
    if any(changes[column] != getattr(company, column) for column in ("address_line_1", "post_code", "city")):
        # Those of the old address; the new one is geocoded by itself.
        changes |= {"latitude": None, "longitude": None, "geocoding_score": None}
    return changes


async def _fresh(establishments: Establishments, siret: str) -> Establishment | None:
    """Return what INSEE publishes; None where it knows no such number."""
    answer = await establishments.exactly(siret)
    if answer.is_stale:
        raise PartnerUnavailable(
            Partner.SIRENE.value, establishments.by_siret.name, "only an old answer is remembered", code=ErrorCode.BUSY
        )
    return answer.value


async def _fresh_if_any(establishments: Establishments, siret: str) -> Establishment | None:
    """The same; None also for a number that INSEE never gave: the platform numbers some structures itself."""
    try:
        return await _fresh(establishments, siret)
    except PartnerRejected as error:
        if sirene_outcome(error) is SireneOutcome.SIRET_INVALID:
            return None
        raise


async def _change(company: Company, columns: dict[str, Any]) -> Company | ConflictFound:
    # The number that was checked: somebody else may have given the company another one meanwhile.
    if columns and not await Company.filter(id=company.id, siret=company.siret).update(**columns):
        return _CHANGED_MEANWHILE
    return await Company.get(id=company.id)


async def _refusing_twins(write: Callable[[], Awaitable[T]]) -> T | ConflictFound:
    """When the database itself refuses a second company of one SIRET, that is an answer, not a fault."""
    try:
        return await write()
    except IntegrityError as error:
        if _UNIQUE_SIRET in str(error):
            return _TAKEN
        raise
