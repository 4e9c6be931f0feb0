"""The query of a request: what the simulated API Particulier lets pass."""

import re
from collections.abc import Callable
from datetime import date

from starlette.datastructures import QueryParams

_FRANCE = "99100"
_MAX_FIRST_NAMES = 3
_SIRET = re.compile(r"\d{14}", re.ASCII)
_COUNTRY = re.compile(r"99\d{3}", re.ASCII)
_COMMUNE = re.compile(r"(\d{2}|2[AB])\d{3}", re.ASCII)
_NUMBER = re.compile(r"[1-9]\d*", re.ASCII)
_DAY_PARTS = ("anneeDateNaissance", "moisDateNaissance", "jourDateNaissance")
_FIRST_NAMES = "prenoms[]"
KNOWN = frozenset(
    {
        *("recipient", "nomNaissance", _FIRST_NAMES, "sexeEtatCivil", *_DAY_PARTS),
        *("codeCogInseePaysNaissance", "codeCogInseeCommuneNaissance"),
    }
)


def unknown_parameter(query: QueryParams) -> str | None:
    """The first name that this API has not, the NIR above all."""
    return next((name for name in query if name not in KNOWN), None)


def wrong_parameter(query: QueryParams) -> str | None:
    """The first parameter that is missing, repeated or malformed."""
    rules: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("recipient", lambda value: bool(_SIRET.fullmatch(value))),
        ("nomNaissance", _is_name),
        ("sexeEtatCivil", lambda value: value in {"M", "F"}),
        ("codeCogInseePaysNaissance", lambda value: bool(_COUNTRY.fullmatch(value))),
    )
    for name, is_sound in rules:
        values = query.getlist(name)
        if len(values) != 1 or not is_sound(values[0]):
            return name
    first_names = query.getlist(_FIRST_NAMES)
    if not 1 <= len(first_names) <= _MAX_FIRST_NAMES or not all(_is_name(name) for name in first_names):
        return _FIRST_NAMES
    return _wrong_day(query) or _wrong_commune(query)


def _is_name(value: str) -> bool:
    """Capitals, as the register has them; accents stay."""
    return bool(value) and value == value.upper() and value == " ".join(value.split())


def _wrong_day(query: QueryParams) -> str | None:
    parts = [query.getlist(name) for name in _DAY_PARTS]
    for name, values in zip(_DAY_PARTS, parts, strict=True):
        if len(values) != 1 or not _NUMBER.fullmatch(values[0]):
            return name
    try:
        date(*(int(values[0]) for values in parts))
    except ValueError:
        return _DAY_PARTS[-1]
    return None


def _wrong_commune(query: QueryParams) -> str | None:
    communes = query.getlist("codeCogInseeCommuneNaissance")
    if query["codeCogInseePaysNaissance"] == _FRANCE:
        is_sound = len(communes) == 1 and bool(_COMMUNE.fullmatch(communes[0]))
    else:
        is_sound = not communes
    return None if is_sound else "codeCogInseeCommuneNaissance"
