"""What a caller can act on: members of result unions that implement Error."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import strawberry

from models.enums import CertificationAuthority, ConsentPurpose, Partner
from schema.enums import ProfileField


@strawberry.enum
class ErrorCode(StrEnum):
    INVALID_INPUT = "INVALID_INPUT"
    NOT_FOUND = "NOT_FOUND"
    AMBIGUOUS = "AMBIGUOUS"
    CONSENT_REQUIRED = "CONSENT_REQUIRED"
    FIELD_LOCKED = "FIELD_LOCKED"
    CONFLICT = "CONFLICT"
    TOO_SOON = "TOO_SOON"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    PARTNER_REJECTED = "PARTNER_REJECTED"
    PARTNER_UNAVAILABLE = "PARTNER_UNAVAILABLE"
    RATE_LIMITED = "RATE_LIMITED"


@strawberry.interface(
    description="Something the caller can act on. `message` is in French, for the person at the screen."
)
class Error:
    message: str
    code: ErrorCode


@strawberry.type(description="`path` is the path inside the input object.")
class FieldProblem:
    path: list[str]
    message: str


@strawberry.type
class InvalidInput(Error):
    problems: list[FieldProblem]


@strawberry.type(
    description=(
        "A partner did not answer, or answered with a fault;"
        " `retryAfterSeconds` when it said so or when the breaker knows."
    )
)
class PartnerUnavailable(Error):
    partner: Partner
    retry_after_seconds: int | None


@strawberry.type(description="A partner understood and refused; `partnerCode` is its own code.")
class PartnerRejected(Error):
    partner: Partner
    partner_code: str | None


@strawberry.type
class FieldLocked(Error):
    fields: list[ProfileField]
    certified_by: CertificationAuthority


@strawberry.type
class ConsentRequired(Error):
    purpose: ConsentPurpose


@strawberry.type(description="It was done a short while ago; it can be done again from `availableAt` on.")
class TooSoon(Error):
    available_at: datetime


@strawberry.type(description="What this needs is not set up, on this server or for this company.")
class NotConfigured(Error):
    pass


@strawberry.type
class NotFound(Error):
    pass


@strawberry.type
class Conflict(Error):
    pass


@strawberry.type
class IdentityNotFound(Error):
    partner_code: str | None


@strawberry.type
class IdentityAmbiguous(Error):
    partner_code: str | None


def not_found() -> NotFound:
    return NotFound(message="Introuvable, ou hors de votre périmètre.", code=ErrorCode.NOT_FOUND)
