"""RDV-Insertion's own refinements of the two partner errors."""

from dataclasses import dataclass, field

from clients.errors import Delivery, PartnerRejected
from clients.rdv_insertion.config import INVITE_OPERATION, PARTNER, SIGN_IN_OPERATION


@dataclass(frozen=True, slots=True)
class RefusalTexts:
    """What RDV-Insertion says about a refusal, in French, for the employer's eyes.

    It may name the person: show it to whoever asked, never log it and never branch on it.
    """

    texts: tuple[str, ...] = field(default=(), repr=False)


class InvitationRefused(PartnerRejected):
    """HTTP 422: the person or an invitation was refused.

    SMS and e-mail leave in two separate steps, and one that failed hides the other in the same answer. So `delivery`
    is UNKNOWN where one of two may have been sent: look for the person before telling anybody that nothing left.
    """

    details: RefusalTexts

    def __init__(
        self,
        partner: str = PARTNER,
        operation: str = INVITE_OPERATION,
        reason: str = "the person or the invitation was refused",
        *,
        code: str | None = None,
        http_status: int | None = None,
        delivery: Delivery = Delivery.UNKNOWN,
        details: RefusalTexts | None = None,
    ) -> None:
        super().__init__(partner, operation, reason, code=code, http_status=http_status, delivery=delivery)
        self.details = details or RefusalTexts()


class SignInRefused(PartnerRejected):
    """Our own e-mail or password is wrong: every call fails alike until somebody corrects the settings."""

    def __init__(
        self,
        partner: str = PARTNER,
        operation: str = SIGN_IN_OPERATION,
        reason: str = "RDV-Solidarités refused our credentials; check the agent's e-mail and password",
        *,
        code: str | None = None,
        http_status: int | None = None,
        delivery: Delivery = Delivery.NOT_SENT,
    ) -> None:
        super().__init__(partner, operation, reason, code=code, http_status=http_status, delivery=delivery)
