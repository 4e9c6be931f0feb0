"""What an agency of France Travail oversees, by its SAFIR code.

Source of the codes: Les emplois de l'inclusion (github.com/gip-inclusion/les-emplois, `itou/prescribers/enums.py`).
"""

from __future__ import annotations

from types import MappingProxyType

from models.departments import DEPARTMENTS, REGIONS

_GENERAL = "00162"
_REGIONAL = frozenset(
    (
        *("13992", "20010", "21069", "31096", "33127", "35076", "44116", "45054", "59212", "67085", "69188", "75980"),
        *("76115", "97110", "97210", "97310", "97410", "97600"),
    )
)
# Of the territorial directorates, those that oversee several departments; the others oversee their own.
_GROUPS = MappingProxyType(
    {
        "04016": ("04", "05"),
        "11030": ("09", "11"),
        "17041": ("16", "17"),
        "24036": ("19", "24"),
        "25019": ("25", "90"),
        "30600": ("30", "48"),
        "40029": ("40", "47"),
        "65020": ("32", "65"),
        "70007": ("39", "70"),
        "72203": ("53", "72"),
        "81003": ("12", "81"),
        "82013": ("46", "82"),
        "86083": ("79", "86"),
        "87068": ("23", "87"),
        "89031": ("58", "89"),
    }
)
_TERRITORIAL = _GROUPS.keys() | frozenset(
    (
        *("00311", "00951", "00952", "06013", "08056", "10038", "13010", "14056", "18029", "20423", "20431", "21265"),
        *("22045", "26085", "27002", "28004", "29110", "31403", "33390", "34300", "35141", "37056", "38040", "42060"),
        *("44060", "45000", "49104", "51023", "54127", "56106", "57561", "59470", "60260", "62750", "63074", "64093"),
        *("66004", "67014", "68311", "69050", "71002", "73055", "74063", "75082", "76266", "77206", "78201", "80073"),
        *("83142", "84002", "85004", "88654", "91211", "92301", "93326", "94305", "95204", "97201", "97312", "97460"),
        *("97549", "97715", "97716"),
    )
)


def agency_departments(code_safir: str | None, department: str) -> tuple[str, ...]:
    """Return the codes of the departments that an agency sees; none for one whose own department is not known."""
    if code_safir == _GENERAL:
        return tuple(DEPARTMENTS)
    if code_safir is not None and code_safir in _GROUPS:
        return _GROUPS[code_safir]
    if department not in DEPARTMENTS:
        return ()
    if code_safir in _REGIONAL:
        return REGIONS[DEPARTMENTS[department].region_code].department_codes
    return (department,)


def is_directorate(code_safir: str | None) -> bool:
    """Whether an agency oversees others, rather than receiving people itself."""
    return code_safir == _GENERAL or code_safir in _REGIONAL or code_safir in _TERRITORIAL
