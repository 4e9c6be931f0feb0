"""How Metabase fails, and what that means to whoever wanted to see figures."""

from enum import StrEnum

from clients.errors import Delivery, PartnerError, PartnerRejected
from clients.metabase.config import PARTNER


class StatsFailure(StrEnum):
    UNAVAILABLE = "unavailable"
    MISCONFIGURED = "misconfigured"
    NOT_FOUND = "not_found"
    QUERY_FAILED = "query_failed"


class MetabaseRejected(PartnerRejected):
    """A no that repeating does not change.

    `filter_name`: the filter that is locked on one side only. `needs_operator`: ours or Metabase's settings are wrong.
    """

    failure: StatsFailure
    filter_name: str | None
    needs_operator: bool

    def __init__(
        self,
        partner: str = PARTNER,
        operation: str = "",
        reason: str = "the partner refused the request",
        *,
        failure: StatsFailure = StatsFailure.UNAVAILABLE,
        code: str | None = None,
        http_status: int | None = None,
        filter_name: str | None = None,
        needs_operator: bool = False,
        delivery: Delivery = Delivery.REFUSED,
    ) -> None:
        super().__init__(partner, operation, reason, code=code, http_status=http_status, delivery=delivery)
        self.failure = failure
        self.filter_name = filter_name
        self.needs_operator = needs_operator


def stats_failure(error: PartnerError) -> StatsFailure:
    """What to tell whoever asked."""
    return error.failure if isinstance(error, MetabaseRejected) else StatsFailure.UNAVAILABLE
