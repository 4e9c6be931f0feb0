"""What people say of a company, as it may be stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clients.sirene import parse_naf
from services.contact_details import InvalidContactDetail, parse_email, parse_phone
from services.outcomes import FieldProblem, Invalid

_LONGEST_LINE = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDetails:
    """None: nothing is said. An empty `email` or `phone` is none. `address_line_1` counts where INSEE has no street."""

    name: str | None = None
    naf: str | None = None
    email: str | None = None
    phone: str | None = None
    address_line_1: str | None = None


class _RefusedError(Exception):
    """`str()` is French, for whoever typed it."""


def parse_details(said: CompanyDetails) -> CompanyDetails | Invalid:
    """Return the details as they are stored, or every problem with them, by the names of the API's input."""
    problems: list[FieldProblem] = []

    def parsed(path: str, text: str | None, parse: Callable[[str], str]) -> str | None:
        try:
            return None if text is None else parse(text)
        except (_RefusedError, InvalidContactDetail) as refusal:
            problems.append(FieldProblem((path,), str(refusal)))
            return None

    details = CompanyDetails(
        name=parsed("name", said.name, _name),
        naf=parsed("naf", said.naf, _naf),
        email=parsed("email", said.email, parse_email),
        phone=parsed("phone", said.phone, parse_phone),
        address_line_1=parsed("addressLine1", said.address_line_1, _line),
    )
    return Invalid(tuple(problems)) if problems else details


def _line(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > _LONGEST_LINE:
        raise _RefusedError(f"{len(line)} caractères, {_LONGEST_LINE} au plus.")
    if not line.isprintable():
        raise _RefusedError("Ce texte contient des caractères qui ne s'affichent pas.")
    return line


def _name(text: str) -> str:
    name = _line(text)
    if not name:
        raise _RefusedError("Indiquez un nom.")
    return name


def _naf(text: str) -> str:
    naf = parse_naf(text)
    if naf is None:
        raise _RefusedError("Code NAF invalide : quatre chiffres et une lettre sont attendus, 88.99B par exemple.")
    return naf
