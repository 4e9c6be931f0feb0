"""What somebody wants to change of a job seeker, as they typed it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from models.enums import Title


class Unchanged(Enum):
    """Not mentioned, which is something else than None: that empties a field."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChange:
    """A whole address: its parts mean nothing one by one."""

    line1: str = field(repr=False)
    line2: str | None = field(default=None, repr=False)
    post_code: str = field(repr=False)
    city: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSeekerChanges:
    """Named as the models name their fields. None empties a field, where it may be empty."""

    title: Title | Unchanged | None = UNCHANGED
    first_name: str | Unchanged | None = field(default=UNCHANGED, repr=False)
    last_name: str | Unchanged | None = field(default=UNCHANGED, repr=False)
    email: str | Unchanged | None = field(default=UNCHANGED, repr=False)
    phone: str | Unchanged | None = field(default=UNCHANGED, repr=False)
    birthdate: date | Unchanged | None = field(default=UNCHANGED, repr=False)
    nir: str | Unchanged | None = field(default=UNCHANGED, repr=False)
    birth_place: str | Unchanged | None = field(default=UNCHANGED, repr=False)
    birth_country: str | Unchanged | None = field(default=UNCHANGED, repr=False)
    pole_emploi_id: str | Unchanged | None = field(default=UNCHANGED, repr=False)
    address: AddressChange | Unchanged | None = field(default=UNCHANGED, repr=False)


# Where each stands in the input object of the API.
INPUT_NAMES = {
    "title": "title",
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone",
    "birthdate": "birthdate",
    "nir": "nir",
    "birth_place": "birthPlaceInseeCode",
    "birth_country": "birthCountryInseeCode",
    "pole_emploi_id": "franceTravailId",
    "address": "address",
}
