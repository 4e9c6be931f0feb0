"""SIRET numbers and NAF codes, as they are typed and as INSEE writes them."""

import re

from stdnum.exceptions import ValidationError
from stdnum.fr import siret as stdnum_siret

# White space of every kind, dots, hyphens, and what word processors put in their place.
_SEPARATORS = re.compile(r"[\s.\-\u00ad\u200b\u2010-\u2015\u2060\ufeff]+")
_SIRET = re.compile(r"\d{14}", re.ASCII)
_NAF = re.compile(r"\d{4}[A-Z]", re.ASCII)
_NO_SIREN = "000000000"  # Luhn holds for it
_INVENTED_NIC = "999"


def clean_siret(text: str) -> str | None:
    """The 14 digits, or None for what cannot be a SIRET. La Poste's establishments follow a key of their own."""
    number = _SEPARATORS.sub("", text)
    if not _SIRET.fullmatch(number) or number.startswith(_NO_SIREN):
        return None
    try:
        return stdnum_siret.validate(number)
    except ValidationError:
        return None


def is_invented_by_the_platform(siret: str) -> bool:
    """Whether the number was made up for a structure that has none. Sirene has never heard of those."""
    return siret[9:].startswith(_INVENTED_NIC)


def parse_naf(text: str | None) -> str | None:
    """The code without its dot, `8899B`. None for codes of older nomenclatures and for anything else."""
    code = (text or "").strip().upper().replace(".", "")
    return code if _NAF.fullmatch(code) else None
