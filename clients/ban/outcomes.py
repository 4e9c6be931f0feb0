"""What came of a geocoding that gave no address. Nothing found and nobody reached are different things."""

from enum import StrEnum

from clients.errors import ErrorCode, PartnerError


class GeocodingOutcome(StrEnum):
    """INVALID_ADDRESS and ADDRESS_NOT_FOUND are about the address; the others are about the service."""

    INVALID_ADDRESS = "INVALID_ADDRESS"
    ADDRESS_NOT_FOUND = "ADDRESS_NOT_FOUND"
    ADDRESS_LOOKUP_FAILED = "ADDRESS_LOOKUP_FAILED"
    GEOCODING_BAD_RESPONSE = "GEOCODING_BAD_RESPONSE"
    GEOCODING_UNAVAILABLE = "GEOCODING_UNAVAILABLE"


_UNREADABLE = frozenset(
    {ErrorCode.INVALID_JSON, ErrorCode.UNEXPECTED_SHAPE, ErrorCode.EMPTY_RESPONSE, ErrorCode.TOO_LARGE}
)
_OURS = frozenset(GeocodingOutcome)


def geocoding_outcome(error: PartnerError) -> GeocodingOutcome:
    """The outcome that an error of this client stands for."""
    if error.code in _OURS:
        return GeocodingOutcome(error.code)
    if error.code in _UNREADABLE:
        return GeocodingOutcome.GEOCODING_BAD_RESPONSE
    return GeocodingOutcome.GEOCODING_UNAVAILABLE
