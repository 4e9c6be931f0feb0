"""The organisations that RDV-Insertion knows, by their number at RDV-Solidarités."""

from dataclasses import dataclass
from typing import Any

from sandbox.cast import COMPANIES

_FIRST_OF_CAST = 651
_OTHERS = range(2_000, 3_000)
# The agent may not act for the last company of the cast.
FORBIDDEN = _FIRST_OF_CAST + len(COMPANIES) - 1


@dataclass(frozen=True, slots=True)
class Organisation:
    """One structure. People are the same within its department, and others in another."""

    rdv_solidarites_id: int
    name: str
    department: str

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.rdv_solidarites_id - 560,
            "name": self.name,
            "email": None,
            "phone_number": "0199001234",
            "department_number": self.department,
            "rdv_solidarites_organisation_id": self.rdv_solidarites_id,
            "department_id": 3 if self.department == "75" else 4,
            "motif_categories": [],
        }


def find_organisation(number: int) -> Organisation | None:
    """The cast's companies are 651 to 659, every other one in the second department; 2000 to 2999 are anybody's."""
    index = number - _FIRST_OF_CAST
    if 0 <= index < len(COMPANIES):
        return Organisation(number, COMPANIES[index].name, "75" if index % 2 == 0 else "93")
    if number in _OTHERS:
        return Organisation(number, f"Structure {number}", "75")
    return None
