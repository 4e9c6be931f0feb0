"""The invented people and companies, and the outcome that each triggers at each partner.

People are told by their birth name: whoever bears it, under any first name and NIR, has that fate. Everybody else is an
ordinary person: found, and their PASS IAE accepted.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.names import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class FranceTravailFate:
    """What France Travail answers about a person. `has_id` false: found, but the identifier is empty."""

    search_code: str = "S001"
    has_id: bool = True
    update_code: str | None = "S000"  # None: an answer without exit code


ORDINARY = FranceTravailFate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An invented person with a well-formed NIR of a place that does not exist."""

    first_name: str
    last_name: str
    birthdate: date
    nir: str
    note: str
    france_travail: FranceTravailFate = ORDINARY

    def as_json(self) -> dict[str, Any]:
        fate = self.france_travail
        return {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "birthdate": self.birthdate.isoformat(),
            "nir": self.nir,
            "note": self.note,
            "france_travail": {
                "search_code": fate.search_code,
                "has_id": fate.has_id,
                "update_code": fate.update_code if fate.search_code in {"S001", "PE001"} and fate.has_id else None,
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """An invented structure with a SIRET whose check digit is right."""

    name: str
    siret: str
    kind: str
    note: str

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "siret": self.siret, "kind": self.kind, "note": self.note}


def nir_of(*, is_man: bool, birthdate: date, order: int) -> str:
    """A NIR of 15 characters, key included: department 99, country 999, which INSEE gives to nobody."""
    first_thirteen = f"{1 if is_man else 2}{birthdate:%y%m}99999{order:03d}"
    return f"{first_thirteen}{97 - int(first_thirteen) % 97:02d}"


def siret_of(siren_stem: int, establishment: int = 1) -> str:
    """A SIRET from eight digits of SIREN: both check digits follow Luhn."""
    siren = _with_luhn_digit(f"{siren_stem:08d}")
    return _with_luhn_digit(f"{siren}{establishment:04d}")


def _with_luhn_digit(digits: str) -> str:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{digits}{-total % 10}"


_ROLES: tuple[tuple[str, str, FranceTravailFate, str], ...] = (
    ("Ondine", "Clairval", ORDINARY, "found, PASS IAE accepted"),
    ("Maëlle", "Quesnoy-Perrin", ORDINARY, "found, accented and hyphenated names"),
    ("Camille", "Envers", ORDINARY, "found only with the names in the right order: first name ENVERS is S000"),
    ("Nemo", "Personne", FranceTravailFate(search_code="S000"), "nobody found"),
    ("Sosie", "Foule", FranceTravailFate(search_code="S002"), "several found"),
    ("Anicet", "Sansnir", FranceTravailFate(search_code="R010"), "NIR missing, says France Travail"),
    ("Bérénice", "Nirfaux", FranceTravailFate(search_code="R011"), "NIR wrong, says France Travail"),
    ("Ulysse", "Ancien-Trouve", FranceTravailFate(search_code="PE001"), "found, in the older dialect"),
    ("Ursule", "Ancien-Absent", FranceTravailFate(search_code="PE004"), "nobody found, older dialect"),
    ("Urbain", "Ancien-Double", FranceTravailFate(search_code="PE008"), "several found, older dialect"),
    ("Léonce", "Sansnumero", FranceTravailFate(has_id=False), "found, but the identifier is empty"),
    ("Zénobie", "Inedit", FranceTravailFate(search_code="Z999"), "an exit code that nobody has listed"),
    ("Octave", "Refuse", FranceTravailFate(update_code="S022"), "PASS IAE refused"),
    ("Rosalie", "Radie", FranceTravailFate(update_code="S008"), "struck off"),
    ("Denis", "Doublon", FranceTravailFate(update_code="S015"), "delegated follow-up already there"),
    ("Isaure", "Incomplet", FranceTravailFate(update_code="S009"), "registration incomplete"),
    ("Agathe", "Agence", FranceTravailFate(update_code="S032"), "body absent from the partner list"),
    (
        "Théodore",
        "Technique",
        FranceTravailFate(update_code="E_ERR_D98_D_PR_PROBLEME_TECHNIQUE"),
        "unknown technical problem",
    ),
    (
        "Déborah",
        "Dechiffre",
        FranceTravailFate(update_code="E_ERR_EX042_PROBLEME_DECHIFFREMEMENT"),
        "identifier cannot be read",
    ),
    ("Mutine", "Muet", FranceTravailFate(update_code=None), "update answered without an exit code"),
)


def _person(index: int, role: tuple[str, str, FranceTravailFate, str]) -> Person:
    first_name, last_name, fate, note = role
    birthdate = date(1970 + index, 1 + index % 12, 1 + index)
    return Person(
        first_name=first_name,
        last_name=last_name,
        birthdate=birthdate,
        nir=nir_of(is_man=index % 2 == 1, birthdate=birthdate, order=index + 1),
        note=note,
        france_travail=fate,
    )


PEOPLE = tuple(_person(index, role) for index, role in enumerate(_ROLES))

COMPANIES = tuple(
    Company(name=name, siret=siret_of(90_210_000 + index), kind=kind, note=note)
    for index, (name, kind, note) in enumerate(
        (
            ("Les Jardins de l'Échelle", "ACI", "typeSIAE 836"),
            ("Coup de Main Associatif", "AI", "typeSIAE 837"),
            ("Atelier du Renouveau", "EI", "typeSIAE 838"),
            ("Passerelle Intérim", "ETTI", "typeSIAE 839"),
            ("Mon Compte Artisan", "EITI", "typeSIAE 840"),
            ("Groupement des Métiers Voisins", "GEIQ", "typeSIAE 838, legacy kind"),
            ("Ouvrage Adapté", "EA", "typeSIAE 838, legacy kind"),
            ("Relais Adapté Intérim", "EATT", "typeSIAE 840, legacy kind"),
            ("Facilitateur des Clauses", "OPCS", "no typeSIAE: never announced, INVALID_SIAE_KIND"),
        )
    )
)

_FATES = {plain(person.last_name): person.france_travail for person in PEOPLE}
# Whoever is searched with this as first name is a person whose two names were typed in the wrong order.
SWAPPED_NAME = "ENVERS"


def france_travail_fate(birth_name: str) -> FranceTravailFate:
    """By birth name, however it is written."""
    return _FATES.get(plain(birth_name), ORDINARY)
