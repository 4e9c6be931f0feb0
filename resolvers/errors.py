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


class StreamError(APIError):
    """A stream of events ended, or cannot begin. `cursor`: to subscribe again with, if that is of use."""

    def __init__(self, message: str, *, cursor: str | None = None) -> None:
        super().__init__(message)
        if cursor is not None:
            self.extensions = {"code": self.code, "cursor": cursor}


class CursorExpired(StreamError):
    code = "CURSOR_EXPIRED"


class SlowConsumer(StreamError):
    code = "SLOW_CONSUMER"


class ServerRestarting(StreamError):
    code = "SERVER_RESTARTING"


class StreamUnavailable(StreamError):
    code = "UNAVAILABLE"


class LimitExceeded(APIError):
    code = "LIMIT_EXCEEDED"


class PartnerUnavailableError(APIError):
    code = "PARTNER_UNAVAILABLE"
