"""Invented numbers that are well-formed and nobody's.

NIRs carry communes and countries that INSEE never numbered, phones the blocks that ARCEP keeps for fiction, mails a
domain that RFC 2606 keeps for tests: whatever leaves the demo reaches no one.
"""

from __future__ import annotations

import unicodedata
from datetime import date
from uuid import UUID, uuid5

from models.enums import Title

_NAMESPACE = UUID("6f1c3f0e-5d0b-5a52-9a5e-7d1f0c9b4e11")
# INSEE numbers communes and countries up to 909; two digits remain overseas, where they stop at 62.
_FIRST_UNUSED_PLACE = 960
_FIRST_UNUSED_OVERSEAS_PLACE = 90
_LARGEST_ORDER = 999
_BORN_ABROAD = "99"


def demo_id(kind: str, name: object) -> UUID:
    """The same id at every fresh start: the documentation quotes some."""
    return uuid5(_NAMESPACE, f"{kind}:{name}")


def make_nir(title: Title, birthdate: date, department: str | None, number: int) -> str:
    """Return the 15 characters of person `number`; `department` of birth, None for a birth abroad."""
    order = number % _LARGEST_ORDER + 1
    block = number // _LARGEST_ORDER
    if department is not None and len(department) == len("974"):
        place = f"{department}{_FIRST_UNUSED_OVERSEAS_PLACE + block:02d}"
    else:
        place = f"{department or _BORN_ABROAD}{_FIRST_UNUSED_PLACE + block:03d}"
    first_thirteen = f"{1 if title is Title.M else 2}{birthdate:%y%m}{place}{order:03d}"
    # The two departments of Corsica count as the number that Corsica had before them, less one each.
    number_for_key = int(first_thirteen.replace("2A", "19").replace("2B", "18"))
    return f"{first_thirteen}{97 - number_for_key % 97:02d}"


def make_siret(siren_stem: int, establishment: int = 1) -> str:
    """Return a SIRET from the eight first digits of its SIREN; both check digits follow Luhn."""
    siren = _with_luhn_digit(f"{siren_stem:08d}")
    return _with_luhn_digit(f"{siren}{establishment:04d}")


def _with_luhn_digit(digits: str) -> str:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{digits}{-total % 10}"


def make_mobile(number: int) -> str:
    return f"063998{number % 10_000:04d}"


def make_landline(number: int) -> str:
    return f"035301{number % 10_000:04d}"


def make_email(first_name: str, last_name: str, number: int) -> str:
    return f"{_plain(first_name)}.{_plain(last_name)}.{number}@exemple.test"


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.lower())
    return "".join(
        letter if letter.isascii() and letter.isalnum() else "-"
        for letter in decomposed
        if not unicodedata.combining(letter)
    )
