"""Invented people whose invitation ends otherwise than well, told by their last name."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sandbox.cast import Person, nir_of
from sandbox.names import plain


class Fate(StrEnum):
    ORDINARY = "ordinary"
    NO_SLOT = "no_slot"
    HALF = "half"
    UNSAVED = "unsaved"
    HTML = "html"
    LOST = "lost"
    BOUNCES = "bounces"


@dataclass(frozen=True, slots=True)
class _Role:
    first_name: str
    last_name: str
    fate: Fate
    note: str


_ROLES = (
    _Role("Soren", "Sanscreneau", Fate.NO_SLOT, "422 with objects: no free slot, nothing sent"),
    _Role("Moïra", "Moitie", Fate.HALF, "422 with objects, although the SMS left"),
    _Role("Éloi", "Enregistrement", Fate.UNSAVED, "422 with strings: a record failed to save"),
    _Role("Iris", "Illisible", Fate.HTML, "422 with an HTML page"),
    _Role("Perrine", "Perdue", Fate.LOST, "500, although the invitations left"),
    _Role("Ribes", "Rebond", Fate.BOUNCES, "200, then webhooks say that both messages bounced"),
)
_FATES = {plain(role.last_name): role.fate for role in _ROLES}


def fate_of(last_name: str) -> Fate:
    return _FATES.get(plain(last_name), Fate.ORDINARY)


def cast() -> list[dict[str, Any]]:
    """For `GET /_people`."""
    return [_as_json(index, role) for index, role in enumerate(_ROLES)]


def _as_json(index: int, role: _Role) -> dict[str, Any]:
    birthdate = date(1980 + index, 1 + index, 10 + index)
    person = Person(
        first_name=role.first_name,
        last_name=role.last_name,
        birthdate=birthdate,
        nir=nir_of(is_man=index % 2 == 0, birthdate=birthdate, order=701 + index),
        note=role.note,
    )
    return person.as_json() | {
        "email": f"{plain(role.last_name).lower()}@exemple.test",
        "phone_number": f"06990012{index:02d}",
        "rdv_insertion": role.fate,
    }
