"""National numbers: NIR, SIRET, SIREN, France Travail ids. Parse at the door; inside, a NIR is a NIR.

Sources: INSEE's definition of the numéro d'inscription au répertoire (decree 82-103), SIRENE numbering with La Poste's
exception. Errors never hold the number.
"""

from __future__ import annotations

import re
from datetime import date

from stdnum.exceptions import ValidationError
from stdnum.fr import nir as stdnum_nir
from stdnum.fr import siret as stdnum_siret

from models.enums import Title

# White space of every kind, dots, hyphens, and what word processors put in their place.
_SEPARATORS = re.compile(r"[\s.\-\u00ad\u200b\u2010-\u2015\u2060\ufeff]+")
_NO_SIREN = "000000000"  # its key is right, and it is nobody's
_PUBLIC_SPECIMEN = "269054958815780"  # printed on the sample card: nobody's number
_FRANCE_TRAVAIL_ID = re.compile(r"[0-9]{7}[0-9A-Za-z]|[0-9]{11}", re.ASCII)


class InvalidIdentifier(ValueError):
    """A number that cannot exist. `str()` is in French, for the person who typed it."""


def parse_nir(text: str) -> str:
    """Return the NIR as 15 characters without spaces, upper case. Raises InvalidIdentifier.

    Beyond the key: first digit of a person's NIR (1, 2), of a provisional (3, 4) or foreign one (7, 8); months 13 to 19
    and 43 to 49 were never given.
    """
    nir = re.sub(r"\s", "", text).upper()
    if len(nir) != 15:
        raise InvalidIdentifier(f"Numéro de sécurité sociale : {len(nir)} caractères, 15 attendus.")
    try:
        nir = stdnum_nir.validate(nir)  # digits of other scripts, full width for one, come back as ASCII
    except ValidationError:
        raise InvalidIdentifier("Numéro de sécurité sociale invalide : vérifiez chaque chiffre et la clé.") from None
    month = int(nir[3:5])
    if nir[0] not in "123478" or 13 <= month <= 19 or 43 <= month <= 49 or nir == _PUBLIC_SPECIMEN:
        raise InvalidIdentifier("Numéro de sécurité sociale invalide : ce numéro n'a pas pu être attribué.")
    return nir


def mask_nir(nir: str) -> str:
    """Return what may be shown to whoever sees the person: sex, year and month of birth, no more."""
    return f"{nir[0]} {nir[1:3]} {nir[3:5]} •• ••• ••• ••"


def format_nir(nir: str) -> str:
    return " ".join((nir[0], nir[1:3], nir[3:5], nir[5:7], nir[7:10], nir[10:13], nir[13:15]))


def nir_contradictions(nir: str, *, title: Title | None, birthdate: date | None) -> list[str]:
    """Return, in French, what a valid NIR contradicts in the rest of the identity; empty when nothing does.

    The century is not in a NIR, and months over 12 stand for an unknown month. Only permanent numbers (1, 2) tell the
    date.
    """
    contradictions: list[str] = []
    expected = Title.M if nir[0] in "137" else Title.MME
    if title is not None and title is not expected:
        contradictions.append(
            "Une erreur a été détectée : la civilité ne correspond pas au numéro de sécurité sociale."
        )
    if birthdate is not None and nir[0] in "12":
        year_differs = int(nir[1:3]) != birthdate.year % 100
        month = int(nir[3:5])
        if year_differs or (1 <= month <= 12 and month != birthdate.month):
            contradictions.append(
                "Une erreur a été détectée : la date de naissance ne correspond pas au numéro de sécurité sociale."
            )
    return contradictions


def parse_siret(text: str) -> str:
    """Return 14 digits. Raises InvalidIdentifier. La Poste's establishments follow their own key, which is accepted."""
    siret = _SEPARATORS.sub("", text)
    if not re.fullmatch(r"[0-9]*", siret, re.ASCII) or len(siret) != 14:
        raise InvalidIdentifier(f"SIRET : {len(siret)} caractères, 14 chiffres attendus.")
    try:
        stdnum_siret.validate(siret)
    except ValidationError:
        raise InvalidIdentifier("SIRET invalide : la clé ne correspond pas, vérifiez chaque chiffre.") from None
    if siret.startswith(_NO_SIREN):
        raise InvalidIdentifier("SIRET invalide : ce numéro n'a pas pu être attribué.")
    return siret


def is_france_travail_id(text: str) -> bool:
    """Tell whether the text has one of the two forms: 7 digits and a letter or digit, or 11 digits."""
    return _FRANCE_TRAVAIL_ID.fullmatch(text) is not None
