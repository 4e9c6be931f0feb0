"""The invented register: which establishments exist, and what is special about some."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from sandbox.cast import COMPANIES, siret_of
from sandbox.gazetteer import COMMUNES, COMMUNES_BY_CODE, Commune
from sandbox.names import plain

_METZ = COMMUNES_BY_CODE["57463"]
# Where SIRENs of the cast, of the demo and of data·inclusion begin: all that is well-formed there exists.
_INVENTED = ("9021", "7031", "71")
_SPECIAL_STEM = 90_215_000
_SOLE_PROPRIETOR = "1000"
_ASSOCIATION = "9220"
_HEAD_OFFICE = "0001"


class History(StrEnum):
    """How the periods of an establishment are told."""

    CURRENT_FIRST = "current_first"
    CURRENT_LAST = "current_last"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One establishment as INSEE knows it, whoever may read it."""

    siret: str
    legal_name: str | None
    commune: Commune | None = _METZ  # None: abroad
    note: str = ""
    first_name: str | None = None
    last_name: str | None = None
    trade_name: str | None = None
    acronym: str | None = None
    category: str = _ASSOCIATION
    street: tuple[str, str, str] = ("12", "RUE", "DES TILLEULS")
    complement: str | None = None
    naf: str = "88.99B"
    nomenclature: str = "NAFRev2"
    unit_naf: str | None = "88.99B"
    is_open: bool = True
    is_unit_active: bool = True
    is_partially_disclosed: bool = False
    is_opposed: bool = False
    moved_to: str | None = None
    history: History = History.CURRENT_FIRST

    @property
    def is_sole_proprietor(self) -> bool:
        return self.category == _SOLE_PROPRIETOR

    @property
    def is_head_office(self) -> bool:
        return self.siret[9:13] == _HEAD_OFFICE

    @property
    def display_name(self) -> str:
        return self.legal_name or " ".join(filter(None, (self.first_name, self.last_name))) or self.trade_name or ""


def find(siret: str) -> Record | None:
    """None: nobody has that number. The number is well-formed, whether or not its check digits are right."""
    if siret in SPECIAL:
        return SPECIAL[siret]
    stem = siret[:8]
    if not siret.startswith(_INVENTED) or siret_of(int(stem), int(siret[9:13])) != siret:
        return None
    cast = _CAST.get(siret[:9])
    return replace(cast, siret=siret) if cast else _anybody(siret)


def _anybody(siret: str) -> Record:
    """An ordinary establishment: the same one for the same number, in every process and after every restart."""
    draw = hashlib.sha256(siret[:9].encode()).digest()
    whole = [commune for commune in COMMUNES if len(commune.post_codes) < 20 and not commune.is_arrondissement]
    return Record(
        siret=siret,
        legal_name=f"STRUCTURE INVENTEE {siret[2:8]}",
        commune=whole[int.from_bytes(draw[:2]) % len(whole)],
        street=(str(1 + draw[2] % 120), "RUE", "DES LILAS"),
    )


def _capitals(name: str) -> str:
    """As the register writes names."""
    return plain(name.replace("’", "'"))


_CAST: Mapping[str, Record] = MappingProxyType(
    {
        company.siret[:9]: Record(
            siret=company.siret, legal_name=_capitals(company.name), street=(str(2 * number), "RUE", "DES TILLEULS")
        )
        for number, company in enumerate(COMPANIES, start=1)
    }
)


def _special() -> tuple[Record, ...]:
    """One thing special about each; numbered in this order."""
    person = Record(
        siret="", legal_name=None, category=_SOLE_PROPRIETOR, first_name="ONDINE", last_name="CLAIRVAL", naf="81.21Z"
    )
    return (
        Record(siret="", legal_name="ATELIER FERME", is_open=False, note="closed, its legal unit lives on"),
        Record(siret="", legal_name="CHANTIER CESSE", is_open=False, is_unit_active=False, note="closed and ceased"),
        replace(person, trade_name="AU CLAIR VAL", note="sole proprietor, disclosed in full"),
        replace(
            person,
            trade_name="VAL DISCRET",
            commune=COMMUNES_BY_CODE["59350"],
            is_partially_disclosed=True,
            note="sole proprietor, partially disclosed: names, street and post code are [ND] for a key",
        ),
        Record(
            siret="",
            legal_name="ASSOCIATION DISCRETE",
            acronym="ADI",
            is_partially_disclosed=True,
            note="legal person, partially disclosed: acronym and street are [ND] for a key",
        ),
        Record(siret="", legal_name="ENTREPRISE OPPOSEE", is_opposed=True, note="403"),
        Record(
            siret="",
            legal_name="DOUBLON FUSIONNE",
            moved_to=COMPANIES[0].siret,
            note=f"301, merged into {COMPANIES[0].siret}",
        ),
        Record(
            siret="",
            legal_name="VIEILLE NOMENCLATURE",
            naf="85.3K",
            nomenclature="NAFRev1",
            unit_naf=None,
            note="activity in an older nomenclature only",
        ),
        Record(
            siret="", legal_name="SUCCURSALE ETRANGERE", commune=None, note="abroad: neither post code nor INSEE code"
        ),
        Record(siret="", legal_name="PERIODES RENVERSEES", history=History.CURRENT_LAST, note="oldest period first"),
        Record(siret="", legal_name="SANS PERIODE", history=History.NONE, note="no period at all: a bad response"),
        Record(
            siret="",
            legal_name="AGENCE PARISIENNE",
            commune=COMMUNES_BY_CODE["75115"],
            complement="BATIMENT B",
            note="in an arrondissement, with a complement of address",
        ),
        Record(
            siret="",
            legal_name=None,
            trade_name="SANS NOM",
            note="neither a legal name nor a person: its trade name stands for it",
        ),
    )


SPECIAL: Mapping[str, Record] = MappingProxyType(
    {
        siret_of(_SPECIAL_STEM + number): replace(record, siret=siret_of(_SPECIAL_STEM + number))
        for number, record in enumerate(_special())
    }
)
