"""Finding the address that a text means. Every street of every known commune exists.

A few words in the name of a street trigger what real addresses do now and then; see the README.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from sandbox.ban.places import JSON, Kind, Place
from sandbox.gazetteer import COMMUNES, COMMUNES_BY_CODE, Commune
from sandbox.names import plain

NOWHERE = "INTROUVABLE"
WITHOUT_PROPERTIES = "INCOMPLETE"
_SCORES_BY_WORD = {"APPROXIMATIVE": 0.55, "DOUTEUSE": 0.31}
_BEST_SCORE = 0.9799

_WORD = re.compile(r"[^\W_]+")
_POST_CODE = re.compile(r"\d{5}", re.ASCII)
_NUMBER = re.compile(r"\d{1,4}[a-z]?", re.ASCII | re.IGNORECASE)
_REPETITIONS = frozenset({"BIS", "TER", "QUATER"})
_STREET_KINDS = frozenset(
    {
        *("ALLEE", "AVENUE", "AV", "BOULEVARD", "BD", "CHEMIN", "COURS", "ESPLANADE", "IMPASSE", "MAIL", "PASSAGE"),
        *("PLACE", "PL", "PROMENADE", "QUAI", "ROUTE", "RUE", "SENTIER", "SQUARE", "VENELLE", "VOIE"),
    }
)
# What can be completed while it is typed.
_STREETS = (
    *("Rue des Tilleuls", "Rue du Moulin", "Avenue de la Gare", "Rue des Lilas", "Place du Marché", "Rue de l'Église"),
    *("Chemin des Vignes", "Rue Haute", "Boulevard de la Liberté", "Impasse des Cerisiers", "Rue de la Fontaine"),
    *("Allée des Érables", "Rue du Lavoir", "Quai des Tanneurs", "Rue des Potiers", "Avenue du Stade", "Rue Basse"),
)
# Paris, Lyon, Marseille: their addresses are listed by arrondissement.
_DIVIDED = frozenset(commune.parent_code for commune in COMMUNES if commune.is_arrondissement)
# The BAN lists these communes, but not under the post codes that they share with Guadeloupe.
_NOT_UNDER_THEIR_POST_CODE = frozenset({"97150", "97133"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A request whose parameters are in order."""

    text: str
    limit: int = 10
    post_code: str = ""
    insee_code: str = ""
    kind: str = ""
    is_typing: bool = True
    near: tuple[float, float] | None = None  # latitude, longitude


def find(query: Query) -> list[JSON]:
    """The features, best first."""
    scored = [(place, _score(query, place)) for place in _candidates(query)]
    wanted = [(place, score) for place, score in scored if not query.kind or place.kind == query.kind]
    wanted.sort(key=lambda found: (-found[1], _distance(query, found[0]), -found[0].commune.population))
    return [_feature(place, score) for place, score in _without_repeats(wanted)][: query.limit]


def best(text: str, *, post_code: str = "", insee_code: str = "") -> tuple[Place, float] | None:
    """The one result for a row of a file."""
    query = Query(text=text, is_typing=False, post_code=post_code, insee_code=insee_code)
    scored = [(place, _score(query, place)) for place in _candidates(query)]
    return max(scored, key=lambda found: found[1], default=None)


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """Capitals without accents, hyphens and apostrophes separating."""
    return tuple(_WORD.findall(plain(text)))


def _candidates(query: Query) -> Iterator[Place]:
    if NOWHERE in words_of(query.text) or query.post_code in _NOT_UNDER_THEIR_POST_CODE:
        return
    told = _POST_CODE.findall(query.text)
    post_code = query.post_code or (told[-1] if told else "")
    communes = list(_communes(query, post_code))
    for commune in communes:
        address = _address_in(query.text, commune)
        yield from _places(address, commune, post_code, is_typing=query.is_typing)
    if query.is_typing and not query.post_code and not query.insee_code:
        typed = words_of(query.text)
        for commune in COMMUNES:
            if not commune.is_arrondissement and _begins_with(words_of(commune.name), typed):
                yield _municipality(commune)
        if not communes:
            for commune in _around(query):
                yield from _completions(query.text, commune)


def _communes(query: Query, post_code: str) -> Iterable[Commune]:
    """Those that the filters or the text tell, the one with the longest name among them."""
    if query.insee_code:
        found = COMMUNES_BY_CODE.get(query.insee_code)
        return [found] if found and (not query.post_code or query.post_code in found.post_codes) else []
    pool: Sequence[Commune] = COMMUNES
    if post_code:
        pool = [commune for commune in COMMUNES if post_code in commune.post_codes and commune.code not in _DIVIDED]
    typed = words_of(query.text)
    named = [commune for commune in pool if _contains(typed, words_of(commune.city))]
    if named:
        longest = max(len(words_of(commune.city)) for commune in named)
        named = [commune for commune in named if len(words_of(commune.city)) == longest]
        if not post_code:
            # Of a divided city the first arrondissement stands for all; alone its name means the whole.
            first = {commune.city: commune for commune in reversed(named) if commune.is_arrondissement}
            named = [first.get(commune.city, commune) for commune in named if not commune.is_arrondissement]
        return named
    return pool if post_code else []


def _around(query: Query) -> list[Commune]:
    """Where a street without a commune may be: near the point, else in the largest cities."""
    whole = [commune for commune in COMMUNES if not commune.is_arrondissement and commune.code not in _DIVIDED]
    if query.near is None:
        return sorted(whole, key=lambda commune: -commune.population)[:5]
    latitude, longitude = query.near
    return sorted(whole, key=lambda commune: _kilometres(commune, latitude, longitude))[:5]


def _address_in(text: str, commune: Commune) -> str:
    """The text without post code and commune, as it was written otherwise."""
    text = _POST_CODE.sub(" ", text)
    words = list(_WORD.finditer(text))
    plain_words = tuple(plain(word.group()) for word in words)
    city = words_of(commune.city)
    for start in range(len(words) - len(city), -1, -1):
        if plain_words[start : start + len(city)] == city:
            text = text[: words[start].start()] + " " + text[words[start + len(city) - 1].end() :]
            break
    return " ".join(text.split()).strip(" ,;-")


def _places(address: str, commune: Commune, post_code: str, *, is_typing: bool) -> Iterator[Place]:
    number, street = _number_and_street(address)
    if not street:
        if not number:
            whole = COMMUNES_BY_CODE[commune.parent_code] if commune.is_arrondissement and not post_code else commune
            yield _municipality(whole)
        return
    completions = list(_completions(address, commune, post_code)) if is_typing else []
    yield from completions or [_place(commune, number, street[:1].upper() + street[1:], post_code)]


def _completions(address: str, commune: Commune, post_code: str = "") -> Iterator[Place]:
    """The well-known streets that what was typed may become."""
    number, street = _number_and_street(address)
    for known in _STREETS:
        if _begins_with(words_of(known), words_of(street)):
            yield _place(commune, number, known, post_code)


def _place(commune: Commune, number: str, street: str, post_code: str) -> Place:
    is_street = words_of(street)[:1] and words_of(street)[0] in _STREET_KINDS
    kind = Kind.HOUSE_NUMBER if number else (Kind.STREET if is_street else Kind.LOCALITY)
    return Place(commune=commune, kind=kind, street=street, number=number, post_code=post_code or commune.post_codes[0])


def _municipality(commune: Commune) -> Place:
    code = commune.post_codes[0] if len(commune.post_codes) == 1 else ""
    return Place(commune=commune, kind=Kind.MUNICIPALITY, post_code=code)


def _number_and_street(address: str) -> tuple[str, str]:
    """`12 bis, rue des Lilas` is `12bis` and `rue des Lilas`."""
    first, _, rest = address.partition(" ")
    if not _NUMBER.fullmatch(first.rstrip(",")):
        return "", address
    number, rest = first.rstrip(","), rest.strip(" ,")
    second, _, street = rest.partition(" ")
    if plain(second.rstrip(",")) in _REPETITIONS:
        return number + second.rstrip(",").lower(), street.strip(" ,")
    return number, rest


def _score(query: Query, place: Place) -> float:
    """How much the texts look alike; a word of the street may say otherwise."""
    for word in words_of(place.street):
        if word in _SCORES_BY_WORD:
            return _SCORES_BY_WORD[word]
    words = words_of(query.text)
    if place.kind is Kind.MUNICIPALITY:
        words = tuple(word for word in words if not _POST_CODE.fullmatch(word))  # no part of its label
    asked, found = " ".join(words), " ".join(words_of(place.label))
    if query.is_typing:
        found = found[: max(len(asked), 1)]
    return round(min(_BEST_SCORE, SequenceMatcher(None, asked, found, autojunk=False).ratio()), 4)


def _feature(place: Place, score: float) -> JSON:
    feature = place.feature(score)
    if WITHOUT_PROPERTIES in words_of(place.street):
        del feature["properties"]
    return feature


def _without_repeats(scored: list[tuple[Place, float]]) -> Iterator[tuple[Place, float]]:
    seen: set[str] = set()
    for place, score in scored:
        if place.id not in seen:
            seen.add(place.id)
            yield place, score


def _distance(query: Query, place: Place) -> float:
    return _kilometres(place.commune, *query.near) if query.near else 0.0


def _kilometres(commune: Commune, latitude: float, longitude: float) -> float:
    east = (commune.longitude - longitude) * math.cos(math.radians(latitude))
    return 111.2 * math.hypot(commune.latitude - latitude, east)


def _contains(words: tuple[str, ...], part: tuple[str, ...]) -> bool:
    return any(words[start : start + len(part)] == part for start in range(len(words) - len(part) + 1))


def _begins_with(words: tuple[str, ...], typed: tuple[str, ...]) -> bool:
    """Whether what was typed is the beginning, its last word perhaps incomplete."""
    if not typed or len(typed) > len(words):
        return False
    return words[: len(typed) - 1] == typed[:-1] and words[len(typed) - 1].startswith(typed[-1])
