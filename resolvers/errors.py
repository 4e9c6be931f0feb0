"""What a caller cannot act on is a GraphQL error with `extensions.code`; what they can act on is data."""

from __future__ import annotations

from graphql import GraphQLError


class APIError(GraphQLError):
    """An error that was meant for the caller: its message is shown as it is, and holds no personal data."""

    code = "INTERNAL"

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": self.code})


class Unauthenticated(APIError):
    code = "UNAUTHENTICATED"


class Forbidden(APIError):
    code = "FORBIDDEN"


class BadUserInput(APIError):
    code = "BAD_USER_INPUT"


class LimitExceeded(APIError):
    code = "LIMIT_EXCEEDED"


class PartnerUnavailableError(APIError):
    code = "PARTNER_UNAVAILABLE"
