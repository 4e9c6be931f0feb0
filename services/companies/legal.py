"""What INSEE's record of an establishment means for a company: whether it may be one, and what is stored of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from clients.sirene import Establishment
from models.departments import department_code_of
from services.companies.details import CompanyDetails
from services.outcomes import FieldProblem, Invalid

_LONGEST_LINE = 255
_POST_CODE = re.compile(r"\d{5}", re.ASCII)
_INSEE_CODE = re.compile(r"\d[\dAB]\d{3}", re.ASCII)

LegalColumns = Mapping[str, Any]


def legal_columns(
    found: Establishment, said: CompanyDetails, *, asked: str, known_name: str | None = None
) -> LegalColumns | Invalid:
    """Return what is stored of an establishment, or why it cannot be a company of the platform.

    `asked`: the number that was given. `known_name`: stands in for a name that INSEE keeps to itself.
    """
    problems = [*_standing_problems(found, asked), *naf_problems(found, said.naf)]
    name = found.name or said.name or known_name
    if name is None and not problems:
        message = "L'INSEE ne diffuse pas le nom de cette entreprise : indiquez-le."
        problems.append(FieldProblem(("name",), message))
    if problems:
        return Invalid(tuple(problems))
    insee_code = _if_like(_INSEE_CODE, found.insee_code)
    post_code = _if_like(_POST_CODE, found.post_code)
    return {
        "siret": found.siret,
        "name": (name or "")[:_LONGEST_LINE],
        "naf": found.naf or said.naf or "",
        # People type a street only where INSEE gives none.
        "address_line_1": (found.address_line_1 or said.address_line_1 or "")[:_LONGEST_LINE],
        "address_line_2": (found.address_line_2 or "")[:_LONGEST_LINE],
        "post_code": post_code,
        "city": (found.city or "")[:_LONGEST_LINE],
        "insee_code": insee_code,
        # From the INSEE code first: some post codes cross a department's border.
        "department": department_code_of(insee_code=insee_code, post_code=post_code) or "",
    }


def brand_of(legal_name: str, said_name: str) -> str:
    """Return the name to show where it is another one than the legal name; else nothing."""
    return "" if said_name.casefold() == legal_name.casefold() else said_name


def naf_problems(found: Establishment, naf: str | None) -> list[FieldProblem]:
    """A code that INSEE gives is the code; people may only know it where INSEE gives none."""
    if naf is None or found.naf in {None, naf}:
        return []
    right = f"{found.naf[:2]}.{found.naf[2:]}" if found.naf else ""
    return [FieldProblem(("naf",), f"Selon l'INSEE, le code NAF de cet établissement est {right}.")]


def _standing_problems(found: Establishment, asked: str) -> list[FieldProblem]:
    if found.siret != asked:
        reason = f"L'INSEE a remplacé ce SIRET par {found.siret}."
    elif found.is_legal_unit_ceased:
        reason = "Cette entreprise a cessé son activité."
    elif found.is_closed:
        reason = "Cet établissement est fermé."
    elif found.is_abroad:
        reason = "Cet établissement est à l'étranger."
    else:
        return []
    return [FieldProblem(("siret",), reason)]


def _if_like(pattern: re.Pattern[str], text: str | None) -> str:
    return text if text is not None and pattern.fullmatch(text) else ""
