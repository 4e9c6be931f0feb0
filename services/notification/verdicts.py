"""What one attempt came to: how it reads in the attempt's row, and what it does to the notification."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from clients.errors import ErrorCode, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.france_travail import FranceTravailConfigurationError
from models.enums import Delivery, NotificationEndpoint, PreliminaryCheck
from models.states import NotificationEvent
from services.notification.checks import event_of

HTTP_OK = 200
ALREADY_THERE = "S015"  # "un suivi délégué est déjà en cours", of the update


class BatchStop(StrEnum):
    """Why a run ended before its last record."""

    RATE_LIMITED = "rate_limited"  # a second 429 on one record
    CONFIGURATION = "configuration"  # no token for our credentials
    HELD = "held"  # our own gates stay closed for longer than a call may wait
    INTERRUPTED = "interrupted"  # the worker stops, or lost its run to another


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`endpoint` is the call that was reached, `code` what ended it: France Travail's, a check's, or one of ours."""

    event: NotificationEvent
    delivery: Delivery
    endpoint: NotificationEndpoint | None = None
    code: str | None = None
    http_status: int | None = None
    retry_after_seconds: float | None = None
    stops_batch: BatchStop | None = None

    @property
    def kept_endpoint(self) -> NotificationEndpoint | None:
        """What the notification keeps beside its status: only a refusal is worth an endpoint."""
        return self.endpoint if self.event is NotificationEvent.REJECTED else None

    @property
    def kept_code(self) -> str | None:
        """A temporary failure wipes what was there, and so does a success."""
        match self.event:
            case NotificationEvent.REJECTED | NotificationEvent.HELD_BACK | NotificationEvent.REFUSED_LOCALLY:
                return self.code
            case _:
                return None


def accepted(*, code: str | None = None) -> Verdict:
    """France Travail took it. `code`: it had taken it before, and the answer to that call was lost."""
    return Verdict(
        event=NotificationEvent.ACCEPTED,
        delivery=Delivery.ACCEPTED,
        endpoint=NotificationEndpoint.MISE_A_JOUR_PASS_IAE,
        code=code,
        http_status=HTTP_OK,
    )


def blocked(check: PreliminaryCheck) -> Verdict:
    return Verdict(event=event_of(check), delivery=Delivery.NOT_SENT, code=check.value)


def rejected(error: PartnerRejected, endpoint: NotificationEndpoint) -> Verdict:
    return Verdict(
        event=NotificationEvent.REJECTED,
        delivery=Delivery(error.delivery.value),
        endpoint=endpoint,
        code=error.code,
        http_status=error.http_status,
    )


def unavailable(error: PartnerUnavailable, endpoint: NotificationEndpoint) -> Verdict:
    return Verdict(
        event=NotificationEvent.UNAVAILABLE,
        delivery=Delivery(error.delivery.value),
        endpoint=endpoint,
        code=error.code,
        http_status=error.http_status,
        retry_after_seconds=error.retry_after,
        stops_batch=_stop_after(error),
    )


def failed(endpoint: NotificationEndpoint | None, *, code: str) -> Verdict:
    """Something of ours went wrong: whether the update left is not known once it was begun."""
    was_begun = endpoint is NotificationEndpoint.MISE_A_JOUR_PASS_IAE
    return Verdict(
        event=NotificationEvent.UNAVAILABLE,
        delivery=Delivery.UNKNOWN if was_begun else Delivery.NOT_SENT,
        endpoint=endpoint,
        code=code,
    )


def _stop_after(error: PartnerUnavailable) -> BatchStop | None:
    if isinstance(error, FranceTravailConfigurationError):
        return BatchStop.CONFIGURATION
    if isinstance(error, PartnerRateLimited):
        return BatchStop.RATE_LIMITED
    return BatchStop.HELD if error.code == ErrorCode.BUSY else None
