"""What is sent about a person. It stands in the query, as this API demands: nothing here may be logged."""

from dataclasses import dataclass, field
from datetime import date

FRANCE = "99100"  # INSEE country code

_SEX = {"M": "M", "MME": "F"}
_MAX_FIRST_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CivilStatus:
    """One person as we know them. `birth_place`: INSEE code of the commune at the time, for births in France."""

    last_name: str = field(repr=False)  # birth name
    first_name: str = field(repr=False)  # all of them, with blanks between
    title: str = field(repr=False)  # "M" or "MME"
    birthdate: date | None = field(repr=False)
    birth_country: str = field(repr=False)  # INSEE code of the country
    birth_place: str = field(default="", repr=False)

    @property
    def missing_fields(self) -> frozenset[str]:
        """Names of what must be known before the API can be asked; empty when it can."""
        required = {
            "last_name": self.last_name.strip(),
            "first_name": self.first_name.strip(),
            "title": _SEX.get(self.title),
            "birthdate": self.birthdate,
            "birth_country": self.birth_country,
            "birth_place": self.birth_place or self.birth_country != FRANCE,
        }
        return frozenset(name for name, value in required.items() if not value)


def query_of(person: CivilStatus, *, recipient: str) -> dict[str, str | list[str]]:
    """The query for a person of whom nothing is missing. The NIR is no parameter of this API."""
    if person.birthdate is None:
        raise ValueError("a civil status without birthdate has no query; look at missing_fields first")
    query: dict[str, str | list[str]] = {
        "nomNaissance": " ".join(person.last_name.split()).upper(),
        # A hyphenated name is one name; a fourth one is refused.
        "prenoms[]": person.first_name.upper().split()[:_MAX_FIRST_NAMES],
        "anneeDateNaissance": str(person.birthdate.year),
        "moisDateNaissance": str(person.birthdate.month),
        "jourDateNaissance": str(person.birthdate.day),
        "sexeEtatCivil": _SEX[person.title],
        "codeCogInseePaysNaissance": person.birth_country,
    }
    if person.birth_country == FRANCE:
        query["codeCogInseeCommuneNaissance"] = person.birth_place
    return {**query, "recipient": recipient}
