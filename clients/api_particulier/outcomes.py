"""What a call can come to, and what it tells."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType


class Criterion(StrEnum):
    """The eligibility criteria that a benefit proves."""

    RSA = "rsa"
    AAH = "aah"
    PI = "pi"  # parent isolé: proven by the allocation de soutien familial


PATHS = MappingProxyType(
    {
        Criterion.RSA: "/v3/dss/revenu_solidarite_active/identite",
        Criterion.AAH: "/v3/dss/allocation_adulte_handicape/identite",
        Criterion.PI: "/v3/dss/allocation_soutien_familial/identite",
    }
)
OPERATIONS = MappingProxyType({criterion: f"certify_{criterion}" for criterion in Criterion})


class Outcome(StrEnum):
    """How a call ended. The first four are answers, the last two reach the caller as errors."""

    CERTIFIED = "certified"  # recognised; the benefit says yes or no
    IDENTITY_ONLY = "identity_only"  # recognised, and no fund has a file: no benefit
    IDENTITY_NOT_FOUND = "identity_not_found"
    PROVIDER_UNKNOWN = "provider_unknown"  # nothing certified, and repeating does not help
    RETRYABLE = "retryable"
    CONFIG_ERROR = "config_error"  # ours: an alarm, no repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitRight:
    """The benefit on the day of the call. None: not told, which the scopes of the token may be the reason of."""

    is_beneficiary: bool | None
    has_increase: bool | None  # RSA majoré
    started_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """An answer. `request_id` is what the support of API Particulier asks for."""

    outcome: Outcome
    benefit: BenefitRight | None = field(default=None, repr=False)  # with CERTIFIED only
    http_status: int
    code: str | None = None
    provider: str | None = None
    request_id: str | None = None

    @property
    def proves_identity(self) -> bool:
        """True also without a benefit: only somebody whom the national register knows can be without a file."""
        return self.outcome in {Outcome.CERTIFIED, Outcome.IDENTITY_ONLY}

    @property
    def is_beneficiary(self) -> bool | None:
        """None: this answer does not say."""
        if self.outcome is Outcome.IDENTITY_ONLY:
            return False
        return self.benefit.is_beneficiary if self.benefit else None
