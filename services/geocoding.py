"""From an address to a place: one at a time for people, with what the national address base answered kept for a day."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, TypedDict

from clients.ban import BANClient, FoundAddress, GeocodingOutcome, Position
from clients.ban.search import MAX_LIMIT, MIN_QUERY_LENGTH, is_query, normalise_query
from clients.errors import Delivery, PartnerError, PartnerRejected
from models.enums import Partner
from services.communes import Communes
from services.lookup_cache import LookupCache
from services.lookups import Lookup, LookupPolicy, one_by_one

MAX_SUGGESTIONS = MAX_LIMIT

_OPERATION = "geocode"
_POST_CODE = re.compile(r"\d{5}", re.ASCII)
_AT_ONCE = 5


class GeocodingData(TypedDict):
    """What `get_geocoding_data` returns. Longitude and latitude in degrees, WGS 84; `score` from 0 to 1."""

    address: str
    latitude: float
    longitude: float
    score: float
    city: str
    post_code: str | None
    insee_code: str
    number: str | None
    lane: str | None
    label: str


class _Question(NamedTuple):
    address: str
    post_code: str


class _Typed(NamedTuple):
    text: str
    limit: int
    latitude: float | None
    longitude: float | None


def _question_text(question: _Question) -> str:
    return f"{question.post_code}:{question.address.casefold()}"


def _typed_text(typed: _Typed) -> str:
    return f"{typed.limit}:{typed.latitude}:{typed.longitude}:{typed.text.casefold()}"


class Geocoding:
    """The national address base for people who wait. Build it once a process. Jobs use services/address_book.py."""

    def __init__(self, client: BANClient, cache: LookupCache, communes: Communes | None) -> None:
        """`communes`, if there are any, tell the post code of a commune that the address base leaves out."""
        self._client = client
        self._communes = communes
        partner = Partner.BAN.value
        # What people type may be where they live: no key tells it, and neither is it kept for long.
        self._addresses: Lookup[_Question, FoundAddress] = Lookup(
            cache,
            LookupPolicy(
                name="address",
                version=1,
                partner=partner,
                fresh=timedelta(days=1),
                # Up to two calls, for overseas; a person waits for the answer.
                deadline=timedelta(seconds=5),
                is_personal=True,
            ),
            value=FoundAddress,
            key=_question_text,
            fetch=self._fetch,
        )
        self._suggestions: Lookup[_Typed, tuple[FoundAddress, ...]] = Lookup(
            cache,
            LookupPolicy(name="suggestions", version=1, partner=partner, fresh=timedelta(hours=1), is_personal=True),
            value=tuple[FoundAddress, ...],
            key=_typed_text,
            fetch=self._suggest,
        )

    async def get_geocoding_data(self, address: str | None, post_code: str | None = None) -> GeocodingData:
        """Return the best match of an address on one line, however low its score.

        Raises PartnerRejected with `code` INVALID_ADDRESS or ADDRESS_NOT_FOUND, and PartnerUnavailable when nobody
        could say: `clients.ban.geocoding_outcome` names the case. A post code narrows the search.
        """
        question = _Question(normalise_query(address), (post_code or "").strip())
        if not is_query(question.address) or (question.post_code and not _POST_CODE.fullmatch(question.post_code)):
            raise PartnerRejected(
                Partner.BAN.value,
                _OPERATION,
                "not sent: an address of 3 to 200 characters that begins with a letter or a digit is expected, with a"
                " post code of 5 digits or none",
                code=GeocodingOutcome.INVALID_ADDRESS,
                delivery=Delivery.NOT_SENT,
            )
        found = (await self._addresses.one(question)).value
        if found is None:
            raise PartnerRejected(
                Partner.BAN.value, _OPERATION, "no address found", code=GeocodingOutcome.ADDRESS_NOT_FOUND
            )
        return await self._data(found)

    async def suggestions(
        self, text: str, *, limit: int = 5, near: tuple[float, float] | None = None
    ) -> tuple[FoundAddress, ...]:
        """Candidates for what has been typed so far, best first; none for less than 3 characters.

        `near`: latitude and longitude that are favoured. Raises PartnerError when nobody could say.
        """
        typed = normalise_query(text)
        if self.is_too_short(typed):
            return ()
        # A street away does not change what is near: rounded, more people share an answer.
        latitude, longitude = (round(near[0], 2), round(near[1], 2)) if near else (None, None)
        return (await self._suggestions.one(_Typed(typed, limit, latitude, longitude))).value or ()

    @staticmethod
    def is_too_short(text: str) -> bool:
        """Whether suggestions would be none, without asking anybody."""
        return len(normalise_query(text)) < MIN_QUERY_LENGTH

    async def _data(self, found: FoundAddress) -> GeocodingData:
        post_code = found.post_code
        if post_code is None and self._communes is not None:
            post_code = await self._communes.first_post_code(found.insee_code)
        return GeocodingData(
            address=found.name,
            latitude=found.position.latitude,
            longitude=found.position.longitude,
            score=found.score,
            city=found.city,
            post_code=post_code,
            insee_code=found.insee_code,
            number=found.number,
            lane=found.lane,
            label=found.label,
        )

    async def _fetch(self, questions: Sequence[_Question]) -> Mapping[_Question, FoundAddress | PartnerError]:
        async def ask(question: _Question) -> FoundAddress | None:
            try:
                return await self._client.geocode(question.address, post_code=question.post_code or None)
            except PartnerRejected as error:
                if error.code == GeocodingOutcome.ADDRESS_NOT_FOUND:
                    return None
                raise

        return await one_by_one(questions, ask, at_once=_AT_ONCE)

    async def _suggest(self, typed: Sequence[_Typed]) -> Mapping[_Typed, tuple[FoundAddress, ...] | PartnerError]:
        async def ask(one: _Typed) -> tuple[FoundAddress, ...]:
            near = (
                Position(latitude=one.latitude, longitude=one.longitude)
                if one.latitude is not None and one.longitude is not None
                else None
            )
            return tuple(await self._client.suggest(one.text, limit=one.limit, near=near))

        return await one_by_one(typed, ask, at_once=_AT_ONCE)
