"""What the cast must know of the simulated partners to agree with them; the command line takes it from `sandbox`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol


class PartnersPerson(Protocol):
    """An invented person to whom a partner has something special to say."""

    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def birthdate(self) -> date: ...
    @property
    def nir(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SimulatedWorld:
    """`id_national_of`: from the 13 first characters of a NIR to the identifier that France Travail gives."""

    id_national_of: Callable[[str], str]
    people: Sequence[PartnersPerson]

    def person(self, last_name: str) -> PartnersPerson:
        """Raises LookupError: the demo's story and the sandbox no longer agree."""
        for person in self.people:
            if person.last_name == last_name:
                return person
        raise LookupError(f'the sandbox\'s cast has nobody of the role "{last_name}" that the demo plays')
