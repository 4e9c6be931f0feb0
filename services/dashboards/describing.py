"""What a dashboard is limited to, in words for people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from clients.metabase import DashboardScope, Filter, LockedValue
from services.clock import PARIS

_LABELS: Mapping[str, str] = MappingProxyType(
    {
        Filter.DEPARTMENT: "Département",
        Filter.REGION: "Région",
        Filter.COMPANY_ASP_ID_SHORT: "Convention ASP",
        Filter.COMPANY_ID: "Structure",
        Filter.PRESCRIBER_ID: "Organisation",
        Filter.PRESCRIBER_KIND: "Type de prescripteur",
        Filter.NETWORK_ID: "Réseau",
    }
)
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_NAMED = 3


def scope_text(scope: DashboardScope) -> str:
    """Return the locked filters on one line; of long lists, the first values and how many more."""
    if not scope.locked:
        return "France entière"
    return " · ".join(f"{_LABELS.get(name, name)} : {_values(value)}" for name, value in scope.locked.items())


def day_text(moment: datetime) -> str:
    """`1er décembre 2026`, in Paris."""
    day = moment.astimezone(PARIS).date()
    return f"{'1er' if day.day == 1 else day.day} {_MONTHS[day.month - 1]} {day.year}"


def _values(value: LockedValue) -> str:
    if not isinstance(value, list):
        return str(value)
    named, more = value[:_NAMED], len(value) - _NAMED
    text = ", ".join(named)
    return f"{text} et {more} autre{'s' if more > 1 else ''}" if more > 0 else text


def file_part(name: str) -> str:
    """Return a name as part of a file's name: lower case letters, digits and hyphens; empty when it has none."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:60].strip("-")
