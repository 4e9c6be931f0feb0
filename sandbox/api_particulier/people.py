"""Invented people of whom the State knows something else than of everybody: told by their birth name."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sandbox.cast import Person, nir_of
from sandbox.names import plain

RSA, AAH, PI = "rsa", "aah", "pi"
_FRANCE, _ALGERIA = "99100", "99352"
_METZ = "57463"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What is answered. `code` and the rest: for anything but a 200. `with_increase`: RSA majoré."""

    status: int = 200
    benefits: frozenset[str] = frozenset({RSA})
    with_increase: bool = False
    code: str = ""
    title: str = "Refus"
    provider: str | None = None
    retry_in: int | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


ORDINARY = Fate()


@dataclass(frozen=True, slots=True)
class _Role:
    first_name: str
    last_name: str
    fate: Fate
    note: str
    birth_country: str = _FRANCE


def _refusal(status: int, code: str, provider: str | None = None, **more: Any) -> Fate:
    return Fate(status=status, code=code, provider=provider, **more)


_NO_FILE = "Dossier allocataire absent"
_ROLES = (
    _Role("Rose Marie", "Ordinaire", ORDINARY, "receives the RSA, neither AAH nor ASF: so does everybody else"),
    _Role("Amine", "Natif-Dailleurs", ORDINARY, "born in Algeria", _ALGERIA),
    _Role("Tiphaine", "Tousdroits", Fate(benefits=frozenset({RSA, AAH, PI})), "receives all three benefits"),
    _Role("Margot", "Majoree", Fate(with_increase=True), "receives the increased RSA"),
    _Role("Sylvain", "Sansdroit", Fate(benefits=frozenset()), "recognised, receives none of the three"),
    _Role("Mélanie", "Horsmsa", _refusal(404, "10003", "MSA", title=_NO_FILE), "recognised, no file at the MSA"),
    _Role("Cyprien", "Horscaf", _refusal(404, "23003", "CNAF", title=_NO_FILE), "recognised, no file at the CNAF"),
    _Role("Flavien", "Horsfonds", _refusal(404, "35003", "CNAV", title=_NO_FILE), "recognised, no file at either fund"),
    _Role("Bruna", "Horsbase", _refusal(404, "37003", "CNAV", title=_NO_FILE), "recognised, as in the staging data"),
    _Role(
        "Colette",
        "Collecte",
        _refusal(404, "35003", "CNAV", title="Erreur inattendue"),
        "the same code, but the collection failed: later",
    ),
    _Role("Ignace", "Introuvable", _refusal(422, "00366", "CNAV"), "nobody of that civil status"),
    _Role("Parfait", "Parallele", _refusal(409, "00015"), "the same request is still running"),
    _Role(
        "Quitterie", "Quota", _refusal(429, "00429", headers={"Retry-After": "42"}), "too many requests, for 42 seconds"
    ),
    _Role("Perdita", "Panne", _refusal(502, "12345", "CNAV"), "fault of the provider: later"),
    _Role("Égide", "Enigme", _refusal(502, "37999", "CNAV"), "the provider answered something unknown: not again"),
    _Role("Éole", "Enigmes", _refusal(502, "36999", "CNAF"), "the same from the other provider"),
    _Role("Régine", "Reseau", _refusal(504, "00501", "CNAV", retry_in=10), "provider not reached: in 10 seconds"),
    _Role("Lenny", "Lenteur", _refusal(504, "37002", "CNAV"), "provider too slow: later"),
)
_FATES = {plain(role.last_name): role.fate for role in _ROLES}


def fate_of(last_name: str) -> Fate:
    return _FATES.get(plain(last_name), ORDINARY)


def cast() -> list[dict[str, Any]]:
    """For `GET /_people`."""
    return [_as_json(index, role) for index, role in enumerate(_ROLES)]


def _as_json(index: int, role: _Role) -> dict[str, Any]:
    birthdate = date(1968 + index, 1 + index % 12, 5 + index)
    is_man = index % 2 == 1
    person = Person(
        first_name=role.first_name,
        last_name=role.last_name,
        birthdate=birthdate,
        nir=nir_of(is_man=is_man, birthdate=birthdate, order=801 + index),
        note=role.note,
    )
    fate = role.fate
    return person.as_json() | {
        "title": "M" if is_man else "MME",
        "birth_country": role.birth_country,
        "birth_place": _METZ if role.birth_country == _FRANCE else "",
        "api_particulier": {
            "status": fate.status,
            "code": fate.code or None,
            "benefits": sorted(fate.benefits) if fate.status == 200 else [],
        },
    }
