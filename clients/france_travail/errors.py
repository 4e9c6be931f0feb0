"""France Travail's own refinements of the two partner errors. PartnerRateLimited (429) is the common one."""

from clients.errors import Delivery, PartnerRejected, PartnerUnavailable
from clients.france_travail.codes import Endpoint, SearchOutcome
from clients.france_travail.config import PARTNER, TOKEN_OPERATION


class FranceTravailConfigurationError(PartnerUnavailable):
    """No token for our credentials: every further call would fail alike, so stop the batch.

    HTTP 400 is certain and worth an alarm; 401 and 403 are when they repeat. `error` is the OAuth2 error word, if any.
    """

    error: str | None

    def __init__(
        self,
        partner: str = PARTNER,
        operation: str = TOKEN_OPERATION,
        reason: str = "credentials or scopes refused; check client id, secret and subscribed scopes",
        *,
        error: str | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(
            partner,
            operation,
            reason,
            code=error or str(http_status),
            http_status=http_status,
            delivery=Delivery.NOT_SENT,
        )
        self.error = error


class FranceTravailRejected(PartnerRejected):
    """A business code other than success. `code` is the raw one, to be stored with its `endpoint`, never alone."""

    endpoint: Endpoint
    outcome: SearchOutcome | None

    def __init__(
        self,
        partner: str = PARTNER,
        operation: str = "",
        reason: str = "the answer is not the documented success",
        *,
        endpoint: Endpoint = Endpoint.UPDATE,
        code: str | None = None,
        http_status: int | None = None,
        outcome: SearchOutcome | None = None,
        delivery: Delivery = Delivery.REFUSED,
    ) -> None:
        super().__init__(partner, operation, reason, code=code, http_status=http_status, delivery=delivery)
        self.endpoint = endpoint
        self.outcome = outcome
