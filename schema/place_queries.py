"""Places: addresses as they are typed, one address geocoded, communes."""

from __future__ import annotations

from typing import Annotated

import strawberry

from clients.ban import FoundAddress, GeocodingOutcome, geocoding_outcome
from clients.errors import PartnerError
from models.enums import Partner
from resolvers.askers import asker_of
from resolvers.communes import commune_of, communes_of
from resolvers.context import OperationContext, context_of
from resolvers.errors import BadUserInput, LimitExceeded
from resolvers.lookups import look_up, not_configured_error, unavailable_error
from schema.errors import ErrorCode, FieldProblem, InvalidInput, NotFound, PartnerUnavailable
from schema.info import Info
from schema.types.geography import Commune, Coordinates, NearInput, commune
from services.communes import MAX_COMMUNES, commune_search
from services.geocoding import MAX_SUGGESTIONS, GeocodingData

# Comparing a text with the names of all communes takes as long as it has letters: a connection for seconds, and all of
# them for whoever sends ten at a time. The longest name has 45.
_MAX_SEARCH = 100


@strawberry.type(description="`score`, from 0 to 1, compares texts: below 0.4 the place is likely to be another one.")
class GeocodedAddress:
    label: str
    line1: str
    post_code: str | None
    city: str
    insee_code: str
    coordinates: Coordinates
    score: float


GeocodeResult = Annotated[
    GeocodedAddress | InvalidInput | NotFound | PartnerUnavailable, strawberry.union("GeocodeResult")
]


@strawberry.type
class PlaceQueries:
    @strawberry.field(
        description=(
            "As-you-type completion over the national address base: nothing below 3 characters. No sign-in needed, but"
            " limited per client. Null with a PARTNER_UNAVAILABLE error when it gives no answer."
        )
    )
    async def address_suggestions(
        self, info: Info, text: str, limit: int = 5, near: NearInput | None = None
    ) -> list[GeocodedAddress] | None:
        context = context_of(info.raw)
        _check_range("limit", limit, MAX_SUGGESTIONS)
        geocoding = context.resources.geocoding
        if geocoding is None:
            raise not_configured_error(Partner.BAN)
        if geocoding.is_too_short(text):
            return []
        await _take_search(context)
        try:
            found = await geocoding.suggestions(text, limit=limit, near=near.position() if near else None)
        except PartnerError as error:
            raise unavailable_error(Partner.BAN, error) from None
        return [_suggestion(address) for address in found]

    @strawberry.field(description="The best match of an address on one line, however low its score.")
    async def geocode(self, info: Info, address: str, post_code: str | None = None) -> GeocodeResult:
        context = context_of(info.raw)
        context.signed_in()
        geocoding = context.resources.geocoding
        if geocoding is None:
            return _unavailable(ErrorCode.NOT_CONFIGURED, "Le géocodage n'est pas configuré sur ce serveur.")
        try:
            await _take_search(context)
            return _geocoded(await geocoding.get_geocoding_data(address, post_code))
        except LimitExceeded:
            return _unavailable(ErrorCode.RATE_LIMITED, "Trop de recherches d'adresses. Réessayez dans une minute.")
        except PartnerError as error:
            return _refused(error)

    @strawberry.field(
        description=(
            "By its INSEE code, arrondissements of Paris, Lyon and Marseille included; a former code gives the commune"
            " of today. No sign-in needed."
        )
    )
    async def commune(self, info: Info, insee_code: str) -> Commune | None:
        return commune(await commune_of(info.raw, insee_code))

    @strawberry.field(
        description=(
            "By name, post code or both, the likeliest first. No sign-in needed, but limited per client. Null with a"
            " PARTNER_UNAVAILABLE error when API Géo gives no answer and none is remembered."
        )
    )
    async def communes(
        self, info: Info, search: str | None = None, post_code: str | None = None, limit: int = 10
    ) -> list[Commune] | None:
        _check_range("limit", limit, MAX_COMMUNES)
        if not (search or "").strip() and not (post_code or "").strip():
            raise BadUserInput("communes: give `search`, `postCode` or both")
        if len(search or "") > _MAX_SEARCH:
            raise BadUserInput(f"search: {len(search or '')} characters, at most {_MAX_SEARCH} expected")
        known = communes_of(info.raw)
        wanted = commune_search(search, post_code, limit)
        if wanted is None:
            return []
        await _take_search(context_of(info.raw))
        try:
            answer = await look_up(info.raw, known.by_search, wanted)
        except PartnerError as error:
            raise unavailable_error(Partner.API_GEO, error) from None
        return [shown for record in answer.value or () if (shown := commune(record)) is not None]


def _check_range(argument: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise BadUserInput(f"{argument}: {value} given, 1 to {most} expected")


async def _take_search(context: OperationContext) -> None:
    """Raises LimitExceeded for a client that searches too often."""
    throttle = context.resources.address_searches
    if throttle is None:
        return
    seconds = await throttle.take(asker_of(context.viewer.user_id, context.client_address))
    if seconds:
        raise LimitExceeded(f"too many searches of places; try again in {seconds:.1f} seconds")


def _suggestion(found: FoundAddress) -> GeocodedAddress:
    return GeocodedAddress(
        label=found.choice_label,
        line1=found.name,
        post_code=found.post_code,
        city=found.city,
        insee_code=found.insee_code,
        coordinates=Coordinates(latitude=found.position.latitude, longitude=found.position.longitude),
        score=found.score,
    )


def _geocoded(data: GeocodingData) -> GeocodedAddress:
    return GeocodedAddress(
        label=data["label"],
        line1=data["address"],
        post_code=data["post_code"],
        city=data["city"],
        insee_code=data["insee_code"],
        coordinates=Coordinates(latitude=data["latitude"], longitude=data["longitude"]),
        score=data["score"],
    )


def _refused(error: PartnerError) -> GeocodeResult:
    match geocoding_outcome(error):
        case GeocodingOutcome.INVALID_ADDRESS:
            message = "Indiquez une adresse de 3 à 200 caractères, et un code postal de 5 chiffres ou aucun."
            problems = [FieldProblem(path=["address"], message=message)]
            return InvalidInput(message=message, code=ErrorCode.INVALID_INPUT, problems=problems)
        case GeocodingOutcome.ADDRESS_NOT_FOUND:
            return NotFound(
                message="Cette adresse est inconnue de la Base Adresse Nationale.", code=ErrorCode.NOT_FOUND
            )
        case _:
            return _unavailable(
                ErrorCode.PARTNER_UNAVAILABLE,
                "La Base Adresse Nationale ne répond pas pour le moment. Réessayez dans quelques minutes.",
                retry_after=error.retry_after,
            )


def _unavailable(code: ErrorCode, message: str, *, retry_after: float | None = None) -> PartnerUnavailable:
    return PartnerUnavailable(
        message=message,
        code=code,
        partner=Partner.BAN,
        retry_after_seconds=None if retry_after is None else round(retry_after),
    )
