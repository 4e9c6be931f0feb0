"""Links to surveys: what a form is told by its link, and nothing about a person.

The names of the parameters and their spelling are those that the platform's forms declare as hidden fields.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from clients.tally import TallyForms
from models.departments import DEPARTMENTS, REGIONS
from models.enums import CompanyKind

REFERENCE = "ref"

# As the forms have always been given them; PostgreSQL does not keep the order of JSON keys.
_ORDER = ("id_siae", "type_siae", "idorganisation", "region", "departement")
_REFERENCE_BYTES = 16


def new_reference() -> str:
    """128 random bits: it finds one survey, and can neither be guessed nor read."""
    return secrets.token_urlsafe(_REFERENCE_BYTES)


def company_context(*, number: int, kind: CompanyKind, department: str) -> dict[str, str]:
    """What the post-hiring forms are told: the company that hired."""
    return {"id_siae": str(number), "type_siae": kind.label, **_place(department)}


def organization_context(*, number: int, department: str) -> dict[str, str]:
    """What the form for prescribers is told: the organisation that sent the application."""
    return {"idorganisation": str(number), **_place(department)}


def survey_url(forms: TallyForms, form_id: str, context: Mapping[str, str], reference: str) -> str:
    """Return the link to one survey. `ref`, the last parameter, finds its row when an answer comes back.

    Only the known parameters leave, whatever else the row may hold.
    """
    known = {key: context[key] for key in _ORDER if key in context}
    return forms.get_tally_form_url(form_id, **known, **{REFERENCE: reference})


def _place(department: str) -> dict[str, str]:
    found = DEPARTMENTS.get(department)
    return {
        "region": REGIONS[found.region_code].name if found else "",
        "departement": found.code if found else "",
    }
