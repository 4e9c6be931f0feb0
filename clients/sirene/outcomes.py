"""What came of a look-up that gave no establishment. Only some of it is the mistake of whoever typed the number."""

from enum import StrEnum

from clients.errors import ErrorCode, PartnerError
from clients.sirene.config import TOKEN_OPERATION


class SireneOutcome(StrEnum):
    SIRET_INVALID = "SIRET_INVALID"
    SIRET_UNKNOWN = "SIRET_UNKNOWN"
    # Until 2023 whoever objected to publication was refused; a missing subscription is answered alike.
    COMPANY_OPPOSED = "COMPANY_OPPOSED"
    SIRENE_UNAVAILABLE = "SIRENE_UNAVAILABLE"
    SIRENE_BAD_RESPONSE = "SIRENE_BAD_RESPONSE"


_OURS = frozenset(SireneOutcome)
_UNREADABLE = frozenset(
    {ErrorCode.INVALID_JSON, ErrorCode.UNEXPECTED_SHAPE, ErrorCode.EMPTY_RESPONSE, ErrorCode.TOO_LARGE}
)


def sirene_outcome(error: PartnerError) -> SireneOutcome:
    """The outcome that an error of this client stands for."""
    if error.code in _OURS:
        return SireneOutcome(error.code)
    # An unreadable token is no bad answer of the register: there was no look-up.
    if error.code in _UNREADABLE and error.operation != TOKEN_OPERATION:
        return SireneOutcome.SIRENE_BAD_RESPONSE
    return SireneOutcome.SIRENE_UNAVAILABLE
