"""What came back from a partner, and how it is read: by HTTP status first, then by shape.

A reader turns one complete answer into a value or raises one of the partner errors. `json_answer` serves most partners;
one whose bodies decide (a refusal in a 200, a rate limit in a 503) writes its own from the pieces of `Reply`.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from clients.errors import Delivery, ErrorCode, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.shapes import Shape, Unreadable

T = TypeVar("T")
Reader = Callable[["Reply"], T]

OK = frozenset({HTTPStatus.OK})
# A repeat cannot help with these. The others of the 4xx family can heal: a new token, a subscription, a later moment.
PERMANENT = frozenset(range(400, 500)) - {401, 403, 407, 408, 409, 421, 423, 424, 425, 429}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One complete HTTP answer. `retry_after` is the parsed header, already capped; None when there was none."""

    partner: str
    operation: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    retry_after: float | None
    retry_after_default: float

    def check_status(self, *, ok: Container[int] = OK, permanent: Container[int] = PERMANENT) -> None:
        """Raise unless the status is in `ok`: PartnerRejected for `permanent` ones, else PartnerUnavailable."""
        if self.status in ok:
            return
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise self.rate_limited()
        if self.status in permanent:
            raise self.rejected("the partner refused the request", code=str(self.status))
        if self.status == HTTPStatus.NO_CONTENT:
            raise self.unavailable("no content where an answer was due", code=ErrorCode.EMPTY_RESPONSE)
        raise self.unavailable("the partner answered with a failure", code=str(self.status))

    def parse(self, shape: Shape[T]) -> T:
        """The body as that shape, or PartnerUnavailable. The error carries nothing of the body."""
        try:
            return shape.read(self.body)
        except Unreadable as error:
            is_json = error.is_json
        if not is_json:
            raise self.unavailable("the answer is not JSON", code=ErrorCode.INVALID_JSON)
        raise self.unavailable("the answer is JSON of another shape than documented", code=ErrorCode.UNEXPECTED_SHAPE)

    def unavailable(self, reason: str, *, code: str) -> PartnerUnavailable:
        return PartnerUnavailable(
            self.partner,
            self.operation,
            reason,
            code=code,
            http_status=self.status,
            retry_after=self.retry_after,
            delivery=self.delivery,
        )

    def rejected(self, reason: str, *, code: str) -> PartnerRejected:
        return PartnerRejected(self.partner, self.operation, reason, code=code, http_status=self.status)

    def rate_limited(self) -> PartnerRateLimited:
        """For a 429, and for the partners that say it otherwise. The pacing gate closes for `retry_after`."""
        return PartnerRateLimited(
            self.partner,
            self.operation,
            "the partner asks for fewer calls",
            code=str(self.status),
            http_status=self.status,
            retry_after=self.retry_after_default if self.retry_after is None else self.retry_after,
            delivery=Delivery.REFUSED,
        )

    @property
    def delivery(self) -> Delivery:
        """What this status says about the request, when it is a failure."""
        # A 5xx may come after the effect, and a 2xx that nobody can read says nothing either way.
        is_refusal = HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.INTERNAL_SERVER_ERROR
        return Delivery.REFUSED if is_refusal else Delivery.UNKNOWN


def json_answer(shape: Shape[T], *, ok: Container[int] = OK, permanent: Container[int] = PERMANENT) -> Reader[T]:
    """A reader for partners whose HTTP status tells all: the body of an `ok` answer as that shape."""

    def read(reply: Reply) -> T:
        reply.check_status(ok=ok, permanent=permanent)
        return reply.parse(shape)

    return read
