"""Links to surveys: what a form is told by its link, and nothing about a person."""

from __future__ import annotations

from collections.abc import Mapping

from clients.tally import TallyForms

# As the forms have always been given them; PostgreSQL does not keep the order of JSON keys.
_ORDER = ("id_siae", "type_siae", "idorganisation", "region", "departement")


def survey_url(forms: TallyForms, form_id: str, context: Mapping[str, str], reference: str) -> str:
    """Return the link to one survey. `ref`, the last parameter, finds its row when an answer comes back.

    Only the known parameters leave, whatever else the row may hold.
    """
    known = {key: context[key] for key in _ORDER if key in context}
    return forms.get_tally_form_url(form_id, **known, ref=reference)
