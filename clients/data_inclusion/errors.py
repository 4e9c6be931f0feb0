"""How data·inclusion fails, and what that means to whoever asked."""

from enum import StrEnum
from http import HTTPStatus

from clients.errors import PartnerError, PartnerUnavailable


class DirectoryFailure(StrEnum):
    """What a failed search means to whoever asked."""

    INVALID_ARGUMENT = "invalid_argument"
    UNAVAILABLE = "unavailable"


class DataInclusionMisconfigured(PartnerUnavailable):
    """The token is refused, or lacks the scope: every call would be. An operator must act."""


def directory_failure(error: PartnerError) -> DirectoryFailure:
    """What to tell whoever asked. An answer about our arguments is one; everything else is a directory that is away."""
    is_argument = error.http_status == HTTPStatus.UNPROCESSABLE_ENTITY
    return DirectoryFailure.INVALID_ARGUMENT if is_argument else DirectoryFailure.UNAVAILABLE
