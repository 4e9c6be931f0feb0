"""API Particulier's own refinements of the two partner errors."""

from clients.api_particulier.config import PARTNER
from clients.api_particulier.outcomes import Outcome
from clients.errors import Delivery, PartnerError, PartnerRejected, PartnerUnavailable


class ApiParticulierUnavailable(PartnerUnavailable):
    """An answer that may be another one later. `retry_after` is what the API asks for, if anything."""

    request_id: str | None = None
    provider: str | None = None


class ApiParticulierMisconfigured(PartnerRejected):
    """Our token, address or request is wrong: a person must act, and repeating changes nothing.

    `must_stop_all`: the token itself is refused, so every other call would be as well.
    """

    request_id: str | None = None
    provider: str | None = None

    @property
    def must_stop_all(self) -> bool:
        return self.http_status == 401


class IncompleteIdentity(PartnerRejected):
    """Not called: too little is known of the person. `fields` are names, never values."""

    fields: frozenset[str]

    def __init__(
        self,
        partner: str = PARTNER,
        operation: str = "",
        reason: str = "not sent: the civil status is incomplete",
        *,
        fields: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(partner, operation, reason, code="incomplete_identity", delivery=Delivery.NOT_SENT)
        self.fields = fields


def outcome_of(error: PartnerError) -> Outcome | None:
    """The outcome to record for a call that raised. None: there was no call, so nothing is recorded."""
    if isinstance(error, IncompleteIdentity):
        return None
    return Outcome.CONFIG_ERROR if isinstance(error, PartnerRejected) else Outcome.RETRYABLE
