"""What people say of a company, as it may be stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from clients.sirene import parse_naf
from services.outcomes import FieldProblem, Invalid

_LONGEST_LINE = 255
_LONGEST_EMAIL = 254
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII | re.IGNORECASE
)
_PHONE = re.compile(r"0\d{9}|\+\d{8,15}", re.ASCII)
_PHONE_SEPARATORS = re.compile(r"[\s.\-()]")


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
        except _RefusedError as refusal:
            problems.append(FieldProblem((path,), str(refusal)))
            return None

    details = CompanyDetails(
        name=parsed("name", said.name, _name),
        naf=parsed("naf", said.naf, _naf),
        email=parsed("email", said.email, _email),
        phone=parsed("phone", said.phone, _phone),
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


def _email(text: str) -> str:
    email = text.strip()
    if email and (len(email) > _LONGEST_EMAIL or not _EMAIL.fullmatch(email)):
        raise _RefusedError("Adresse e-mail invalide : la forme nom@domaine.fr est attendue.")
    return email


def _phone(text: str) -> str:
    phone = _PHONE_SEPARATORS.sub("", text)
    if phone and not _PHONE.fullmatch(phone):
        raise _RefusedError("Numéro de téléphone invalide : 10 chiffres, ou un indicatif précédé de +, sont attendus.")
    return phone
