"""The PASS IAE update of the simulated France Travail: which S0xx code a request earns."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from sandbox.france_travail.identifiers import is_id_national
from sandbox.france_travail.search import parse_day

KEYS = frozenset(
    {
        "idNational",
        "numPassIAE",
        "dateDebutPassIAE",
        "dateFinPassIAE",
        "statutReponsePassIAE",
        "numSIRETsiae",
        "typeSIAE",
        "origineCandidature",
        "typologiePrescripteur",
    }
)
UNREADABLE_ID = "E_ERR_EX042_PROBLEME_DECHIFFREMEMENT"

_SIAE_TYPES = frozenset({836, 837, 838, 839, 840})
_ORIGINS = frozenset({"DEMA", "PRES", "EMPL"})
# The eight kinds that would reveal something private must never arrive here.
_PRESCRIBER_TYPES = frozenset(
    {
        *("Autre", "PE", "AFPA", "Orienteur", "CADA", "CAF", "CAP_EMPLOI", "CAVA", "CCAS", "CHRS", "CHU", "CPH", "E2C"),
        *("EPIDE", "HUDA", "ML", "MSA", "OACAS", "OIL", "ODC", "OHPD", "OCASF", "PIJ_BIJ", "PLIE", "RS_FJT", "DEPT"),
    }
)
_TEXT_KEYS = KEYS - {"typeSIAE"}
_APPROVAL_NUMBER = re.compile(r"[A-Za-z0-9]{12}")
_SIRET = re.compile(r"\d{14}", re.ASCII)


def is_well_formed(body: dict[str, Any]) -> bool:
    """False for what has no exit code of its own and is a protocol fault: types, day formats, lengths."""
    if any(key in body and not isinstance(body[key], str) for key in _TEXT_KEYS):
        return False
    return (
        _is_absent_or(_APPROVAL_NUMBER.fullmatch, body.get("numPassIAE"))
        and _is_absent_or(_SIRET.fullmatch, body.get("numSIRETsiae"))
        and _is_absent_or(parse_day, body.get("dateDebutPassIAE"))
        and _is_absent_or(parse_day, body.get("dateFinPassIAE"))
    )


def input_error(body: dict[str, Any], *, today: date) -> str | None:
    """The code of the first rule that a well-formed request breaks; None when all is in order."""
    rules = (
        ("S001", not body.get("idNational")),
        (UNREADABLE_ID, not is_id_national(body.get("idNational", ""))),
        ("S018", body.get("typeSIAE") is None),
        ("S019", type(body.get("typeSIAE")) is not int or body["typeSIAE"] not in _SIAE_TYPES),
        ("S020", not body.get("statutReponsePassIAE")),
        ("S021", body.get("statutReponsePassIAE") != "A"),
        ("S023", not body.get("dateDebutPassIAE")),
        ("S024", body.get("dateDebutPassIAE", "") > today.isoformat()),
        ("S025", not body.get("dateFinPassIAE")),
        # Equal days are let through: that is how a cancellation is told.
        ("S026", body.get("dateFinPassIAE", "") < body.get("dateDebutPassIAE", "")),
        ("S027", not body.get("numPassIAE")),
        ("S028", not body.get("origineCandidature")),
        ("S029", body.get("origineCandidature") not in _ORIGINS),
        ("S031", not body.get("numSIRETsiae")),
        ("S035", "typologiePrescripteur" in body and body["typologiePrescripteur"] not in _PRESCRIBER_TYPES),
    )
    return next((code for code, is_broken in rules if is_broken), None)


def _is_absent_or(matches: Callable[[str], object | None], value: str | None) -> bool:
    return not value or matches(value) is not None
