"""An establishment in our words, and the rules that make it from Sirene's."""

from dataclasses import dataclass, field

from clients.sirene.numbers import parse_naf
from clients.sirene.wire import Address, EstablishmentAnswer, LegalUnit, Period

_CLOSED = "F"
_CEASED = "C"
_FULLY_DISCLOSED = "O"
_SOLE_PROPRIETOR = "1000"
_CURRENT_NAF = "NAFRev2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Establishment:
    """One establishment today. None: Sirene does not know it, or does not say.

    A sole proprietor's name and address are those of a person. When `is_partially_disclosed`, they must not be shown
    to others even where INSEE gave them to us. `insee_code` is that of the arrondissement in Paris, Lyon, Marseille.
    `naf` has no dot. An establishment abroad has neither post code nor INSEE code.
    """

    siret: str
    name: str | None = field(repr=False)
    trade_name: str | None = field(repr=False)
    acronym: str | None = field(repr=False)
    address_line_1: str | None = field(repr=False)
    address_line_2: str | None = field(repr=False)
    post_code: str | None = field(repr=False)
    city: str | None = field(repr=False)
    insee_code: str | None = field(repr=False)
    naf: str | None
    naf_2025: str | None
    legal_category: str | None
    is_head_office: bool
    is_closed: bool
    is_legal_unit_ceased: bool
    is_sole_proprietor: bool
    is_partially_disclosed: bool
    is_abroad: bool

    @property
    def siren(self) -> str:
        return self.siret[:9]


def establishment_of(answer: EstablishmentAnswer) -> Establishment | None:
    """None when the answer has no current period: nobody can say then whether the establishment is open."""
    period = answer.current_period
    if period is None:
        return None
    address, unit = answer.address, answer.legal_unit
    return Establishment(
        siret=answer.siret,
        name=_name(unit, period),
        trade_name=_first(period.usual_name, period.sign_1, period.sign_2, period.sign_3, unit.usual_name),
        acronym=unit.acronym,
        address_line_1=_street(address),
        address_line_2=address.complement,
        post_code=address.post_code,
        city=_first(address.city, address.foreign_city),
        insee_code=address.insee_code,
        naf=_naf(unit, period),
        naf_2025=parse_naf(_first(period.naf_2025, answer.naf_2025)),
        legal_category=unit.category,
        is_head_office=answer.is_head_office is True,
        is_closed=period.state == _CLOSED,
        is_legal_unit_ceased=unit.state == _CEASED,
        is_sole_proprietor=unit.category == _SOLE_PROPRIETOR,
        # Each has a status of its own. Whatever is not said to be public is protected.
        is_partially_disclosed=(answer.disclosure, unit.disclosure) != (_FULLY_DISCLOSED, _FULLY_DISCLOSED),
        is_abroad=address.country_code is not None or address.foreign_city is not None,
    )


def _name(unit: LegalUnit, period: Period) -> str | None:
    """A sole proprietor has no legal name, but that of a person."""
    person = _joined(
        _first(unit.first_name_in_use, unit.first_name),
        _first(unit.last_name_in_use, unit.last_name),
    )
    return _first(unit.name, person, unit.usual_name, period.usual_name, period.sign_1)


def _street(address: Address) -> str | None:
    return _joined(address.number, address.repetition, address.street_kind, address.street_name)


def _naf(unit: LegalUnit, period: Period) -> str | None:
    """That of the establishment, else that of the legal unit; codes of older nomenclatures are not taken."""
    code = parse_naf(period.naf) if period.naf_nomenclature == _CURRENT_NAF else None
    if code is None and unit.naf_nomenclature in {_CURRENT_NAF, None}:  # many answers do not say the unit's
        code = parse_naf(unit.naf)
    return code


def _first(*texts: str | None) -> str | None:
    return next((text for text in texts if text), None)


def _joined(*texts: str | None) -> str | None:
    return " ".join(text for text in texts if text) or None
