"""What is sent to France Travail and in which form, and what comes back."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from clients.france_travail.codes import application_origin, prescriber_type
from clients.shapes import Shape, Wire

SEARCH_PATH = "/rechercheindividucertifie/v1/rechercheIndividuCertifie"
UPDATE_PATH = "/maj-pass-iae/v1/passIAE/miseAjour"

_LAST_NAME_LENGTH = 25
_FIRST_NAME_LENGTH = 13
_NIR_LENGTH = 13  # without the two digits of the key
_MAX_CODE_LENGTH = 64
_MAX_ID_NATIONAL_LENGTH = 48

# Letters that Unicode does not decompose into a base letter and an accent.
_EXPANSIONS = str.maketrans(
    {
        "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
        "đ": "d", "Đ": "D", "ı": "i", "þ": "th", "Þ": "TH", "ð": "d", "Ð": "D", "’": "'", "‘": "'", "ʼ": "'",
    }
)  # fmt: skip
_NOT_ALLOWED = re.compile(r"[^A-Z\-' ]")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityQuery:
    """One person as we know them. Empty values are sent empty: France Travail answers R0xx."""

    last_name: str = field(repr=False)  # birth name
    first_name: str = field(repr=False)
    birthdate: date | None = field(repr=False)
    nir: str = field(repr=False)  # 15 characters; France Travail compares the first 13


@dataclass(frozen=True, slots=True, kw_only=True)
class PassIaeUpdate:
    """One approval with the values that were copied on it when it was granted."""

    id_national: str = field(repr=False)
    approval_number: str
    start_at: date
    end_at: date
    siae_siret: str
    siae_kind: str
    sender_kind: str
    prescriber_kind: str = ""  # empty: no organisation
    is_cancelled: bool = False


class Answer(Wire):
    exit_code: str | None = msgspec.field(name="codeSortie", default=None)

    @property
    def code(self) -> str | None:
        """The raw code, cut to what a code can be. None when absent or empty."""
        return (self.exit_code or "").strip()[:_MAX_CODE_LENGTH] or None


class SearchAnswer(Answer):
    """`certifDE` is not read: found people come with false as well."""

    id_as_sent: str | None = msgspec.field(name="idNationalDE", default=None)

    def __post_init__(self) -> None:
        if len(self.id_national) > _MAX_ID_NATIONAL_LENGTH:
            raise ValueError(f"idNationalDE of more than {_MAX_ID_NATIONAL_LENGTH} characters")

    @property
    def id_national(self) -> str:
        """Empty when absent."""
        return (self.id_as_sent or "").strip()


SEARCH_ANSWER = Shape(SearchAnswer)
UPDATE_ANSWER = Shape(Answer)


def normalise_last_name(name: str) -> str:
    """As France Travail writes birth names: capitals A-Z, hyphen, apostrophe, space, 25 at most."""
    return _NOT_ALLOWED.sub("", _to_capitals(name))[:_LAST_NAME_LENGTH]


def normalise_first_name(name: str) -> str:
    """As France Travail writes first names: like last names, but spaces are hyphens, 13 at most."""
    return _NOT_ALLOWED.sub("", _to_capitals(name).replace(" ", "-"))[:_FIRST_NAME_LENGTH]


def certified_nir(nir: str) -> str:
    """The 13 characters that France Travail compares: no key, no spaces, `2A` and `2B` as letters."""
    return "".join(nir.split()).upper()[:_NIR_LENGTH]


def search_body(query: IdentityQuery) -> dict[str, Any]:
    return {
        "nomNaissance": normalise_last_name(query.last_name),
        "prenom": normalise_first_name(query.first_name),
        "dateNaissance": query.birthdate.isoformat() if query.birthdate else "",
        "nirCertifie": certified_nir(query.nir),
    }


def update_body(update: PassIaeUpdate, *, type_siae: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "idNational": update.id_national,
        "numPassIAE": "".join(update.approval_number.split()),
        "dateDebutPassIAE": update.start_at.isoformat(),
        # A PASS IAE that ends on the day it starts is how a cancellation is told.
        "dateFinPassIAE": (update.start_at if update.is_cancelled else update.end_at).isoformat(),
        "statutReponsePassIAE": "A",
        "numSIRETsiae": update.siae_siret,
        "typeSIAE": type_siae,
        "origineCandidature": application_origin(update.sender_kind),
    }
    if (prescriber := prescriber_type(update.prescriber_kind)) is not None:
        body["typologiePrescripteur"] = prescriber
    return body


def _to_capitals(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.strip().translate(_EXPANSIONS))
    return "".join(character for character in decomposed if not unicodedata.combining(character)).upper()
