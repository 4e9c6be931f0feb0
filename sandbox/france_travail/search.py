"""The certified identity search of the simulated France Travail."""

import re
from collections.abc import Callable
from datetime import date

from sandbox.cast import SWAPPED_NAME, FranceTravailFate, france_travail_fate

KEYS = frozenset({"nomNaissance", "prenom", "dateNaissance", "nirCertifie"})
FOUND_CODES = frozenset({"S001", "PE001"})

# Sex (temporary numbers included), year, month (20 to 99 where it was not known), department, commune, order.
_NIR = re.compile(r"[123478]\d{4}(\d{2}|2[AB])\d{6}", re.ASCII)
_LAST_NAME = re.compile(r"[A-Z' -]{1,25}")
_FIRST_NAME = re.compile(r"[A-Z'-]{1,13}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OLDEST = date(1900, 1, 1)


def input_error(body: dict[str, str], *, today: date) -> str | None:
    """The R0xx code of the first field that is missing or malformed; None for a sound request."""
    rules: tuple[tuple[str, str, str, Callable[[str], bool]], ...] = (
        ("nirCertifie", "R010", "R011", lambda value: bool(_NIR.fullmatch(value))),
        ("nomNaissance", "R020", "R021", lambda value: bool(_LAST_NAME.fullmatch(value))),
        ("prenom", "R030", "R031", lambda value: bool(_FIRST_NAME.fullmatch(value))),
        ("dateNaissance", "R040", "R041", lambda value: parse_day(value) is not None),
    )
    for key, missing, malformed, is_sound in rules:
        value = body.get(key, "")
        if not value:
            return missing
        if not is_sound(value):
            return malformed
    born = parse_day(body["dateNaissance"])
    return None if born is not None and _OLDEST <= born <= today else "R042"


def fate_of(body: dict[str, str]) -> FranceTravailFate:
    """What happens to the person of a sound request."""
    if body["prenom"] == SWAPPED_NAME:
        return FranceTravailFate(search_code="S000")
    return france_travail_fate(body["nomNaissance"])


def parse_day(text: str) -> date | None:
    """A day in the one documented form; None for anything else."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
