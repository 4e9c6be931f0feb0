"""The two answers that matter when a partner call fails: try again later, or do not.

Nothing here holds personal data, and every raise is `from None` or outside an `except` block: the httpx request and the
input of the parser that Python would chain hold names and NIRs. All errors survive pickling and `copy.copy`.
"""

from enum import StrEnum


class Delivery(StrEnum):
    """Whether the request may have taken effect at the partner. Only UNKNOWN must not be replayed blindly."""

    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    ACCEPTED = "accepted"


class ErrorCode(StrEnum):
    """Codes of our own, where the partner gave none. An HTTP failure has its status as its code."""

    HTTP_ERROR = "http_error"  # network, TLS, protocol, timeout
    INVALID_JSON = "invalid_json"
    UNEXPECTED_SHAPE = "unexpected_shape"  # JSON, but not the documented one
    EMPTY_RESPONSE = "empty_response"
    TOO_LARGE = "too_large"
    BUSY = "busy"  # our own queue was full for too long
    BREAKER_OPEN = "breaker_open"


class PartnerError(Exception):
    """A partner call that gave no usable answer. Holds no personal data: log it, show it.

    `reason` is a constant text, `code` the partner's code or one of `ErrorCode`, `retry_after` in seconds.
    """

    partner: str
    operation: str
    reason: str
    code: str | None
    http_status: int | None
    retry_after: float | None
    delivery: Delivery

    def __init__(
        self,
        partner: str,
        operation: str,
        reason: str,
        *,
        code: str | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        delivery: Delivery = Delivery.UNKNOWN,
    ) -> None:
        # Only the positional arguments go to Exception: pickle calls the class with them, then restores the attributes.
        super().__init__(partner, operation, reason)
        self.partner = partner
        self.operation = operation
        self.reason = reason
        self.code = code
        self.http_status = http_status
        self.retry_after = retry_after
        self.delivery = delivery

    def __str__(self) -> str:
        details = [f"code {self.code}"] if self.code else []
        if self.http_status is not None and str(self.http_status) != self.code:
            details.append(f"HTTP {self.http_status}")
        if self.retry_after is not None:
            details.append(f"retry after {self.retry_after:g} s")
        details.append(f"delivery {self.delivery}")
        return f"{self.partner} {self.operation}: {self.reason} ({', '.join(details)})"


class PartnerUnavailable(PartnerError):
    """Recoverable: network, deadline, 429, 5xx, unreadable answer, open breaker. `retry_after` in seconds, if known."""


class PartnerRateLimited(PartnerUnavailable):
    """The partner asks for fewer calls. `retry_after` is always set; the pacing gate was closed for that long."""


class PartnerRejected(PartnerError):
    """Unrecoverable: the partner understood and said no. `code` is its own code."""

    def __init__(
        self,
        partner: str,
        operation: str,
        reason: str,
        *,
        code: str | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        delivery: Delivery = Delivery.REFUSED,
    ) -> None:
        super().__init__(
            partner,
            operation,
            reason,
            code=code,
            http_status=http_status,
            retry_after=retry_after,
            delivery=delivery,
        )
