"""How somebody can be reached: from what was typed to what is stored. Messages never repeat what was typed."""

from __future__ import annotations

import re

_LONGEST_EMAIL = 254  # RFC 5321, less the angle brackets
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII | re.IGNORECASE
)
_PHONE = re.compile(r"0\d{9}|\+\d{8,15}", re.ASCII)
_PHONE_SEPARATORS = re.compile(r"[\s.\-()]")


class InvalidContactDetail(ValueError):
    """Nobody can be reached there. `str()` is French, for whoever typed it."""


def parse_email(text: str) -> str:
    """Return the address without outer blanks; nothing typed is "". Raises InvalidContactDetail."""
    email = text.strip()
    if email and (len(email) > _LONGEST_EMAIL or not _EMAIL.fullmatch(email)):
        raise InvalidContactDetail("Adresse e-mail invalide : la forme nom@domaine.fr est attendue.")
    return email


def parse_phone(text: str) -> str:
    """Return the number without separators; nothing typed is "". Raises InvalidContactDetail."""
    phone = _PHONE_SEPARATORS.sub("", text)
    if phone and not _PHONE.fullmatch(phone):
        raise InvalidContactDetail(
            "Numéro de téléphone invalide : 10 chiffres, ou un indicatif précédé de +, sont attendus."
        )
    return phone
