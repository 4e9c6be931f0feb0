"""One field at a time: from what was typed to what is stored. Messages are French, and never repeat what was typed.

Sources: INSEE for NIRs and codes of places and countries; France Travail for the two forms of its id.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date

from models.countries import COUNTRIES
from models.departments import department_code_of
from models.identifiers import InvalidIdentifier, is_france_travail_id, parse_nir
from services import contact_details
from services.job_seekers.changes import AddressChange

_OLDEST, _YOUNGEST = 100, 16  # years
_LONGEST_NAME = 150
_LONGEST_LINE = 255
_POST_CODE = re.compile(r"\d{5}", re.ASCII)
_COMMUNE = re.compile(r"(\d{2}|2[AB])\d{3}", re.ASCII)
_CORSICA_BEFORE_1976 = "20"
_CONTROLS = frozenset({"Cc", "Cs"})
_MARKS_IN_NAMES = frozenset(" -'’.")


class Refused(Exception):
    """What was typed cannot be stored. `problems`: by the part of the field ("" for all of it), a French message."""

    def __init__(self, message: str = "", *, parts: Mapping[str, str] | None = None) -> None:
        super().__init__("a field cannot be stored as it was typed")
        self.problems = dict(parts) if parts else {"": message}


def parse_name(text: str | None) -> str:
    name = " ".join((text or "").split())
    if not name:
        raise Refused("Cette donnée est obligatoire.")
    if len(name) > _LONGEST_NAME:
        raise Refused(f"{len(name)} caractères, {_LONGEST_NAME} au plus.")
    if not all(character in _MARKS_IN_NAMES or unicodedata.category(character)[0] in "LM" for character in name):
        raise Refused("Des lettres, espaces, tirets et apostrophes sont attendus.")
    return name


def parse_email(text: str | None) -> str | None:
    return _contact(contact_details.parse_email, text) or None


def parse_phone(text: str | None) -> str:
    return _contact(contact_details.parse_phone, text)


def _contact(parse: Callable[[str], str], text: str | None) -> str:
    try:
        return parse(text or "")
    except contact_details.InvalidContactDetail as refusal:
        raise Refused(str(refusal)) from None


def parse_birthdate(birthdate: date | None, *, today: date) -> date | None:
    if birthdate is None:
        return None
    if birthdate >= _years_before(today, _YOUNGEST):
        raise Refused(f"La personne doit avoir plus de {_YOUNGEST} ans.")
    if birthdate < _years_before(today, _OLDEST):
        raise Refused(f"La date de naissance remonte à plus de {_OLDEST} ans.")
    return birthdate


def parse_typed_nir(text: str | None) -> str | None:
    if not (text or "").strip():
        return None
    try:
        return parse_nir(text or "")
    except InvalidIdentifier as error:
        raise Refused(str(error)) from None


def parse_france_travail_id(text: str | None) -> str:
    identifier = (text or "").strip().upper()
    if identifier and not is_france_travail_id(identifier):
        raise Refused(
            "Identifiant France Travail invalide : 7 chiffres et une lettre ou un chiffre, ou 11 chiffres, attendus."
        )
    return identifier


def parse_birth_country(code: str | None) -> str | None:
    country = (code or "").strip()
    if country and country not in COUNTRIES:
        raise Refused("Pays inconnu : un code pays de l'INSEE est attendu, 99100 pour la France.")
    return country or None


def parse_birth_place(code: str | None) -> str | None:
    """The code of the commune as it was on that day: it may be gone since, so only its form and department count."""
    place = (code or "").strip().upper()
    if not place:
        return None
    is_known = department_code_of(insee_code=place) is not None or place.startswith(_CORSICA_BEFORE_1976)
    if not _COMMUNE.fullmatch(place) or not is_known:
        raise Refused("Commune inconnue : un code commune de l'INSEE est attendu, pas un code postal.")
    return place


def parse_address(address: AddressChange | None) -> AddressChange | None:
    if address is None:
        return None
    line1, line2, city = (" ".join((text or "").split()) for text in (address.line1, address.line2, address.city))
    post_code = address.post_code.strip()
    problems = {
        "line1": _line_problem(line1, is_required=True),
        "line2": _line_problem(line2, is_required=False),
        "postCode": _post_code_problem(post_code),
        "city": _line_problem(city, is_required=True),
    }
    if found := {part: problem for part, problem in problems.items() if problem}:
        raise Refused(parts=found)
    return AddressChange(line1=line1, line2=line2, post_code=post_code, city=city)


def _line_problem(line: str, *, is_required: bool) -> str | None:
    if is_required and not line:
        return "Cette donnée est obligatoire."
    if len(line) > _LONGEST_LINE or any(unicodedata.category(mark) in _CONTROLS for mark in line):
        return f"Un texte de {_LONGEST_LINE} caractères au plus est attendu."
    return None


def _post_code_problem(post_code: str) -> str | None:
    is_known = _POST_CODE.fullmatch(post_code) and department_code_of(post_code=post_code) is not None
    return None if is_known else "Code postal inconnu : 5 chiffres sont attendus."


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February of a year that has none
        return day.replace(year=day.year - years, day=28)
