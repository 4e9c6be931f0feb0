"""Every way into the server, and the policy that counts who comes by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from services.rate_limits.buckets import Limiter, Policy

# One point an operation, and one more for each so many fields that it may resolve.
FIELDS_PER_POINT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """What one client may take in a minute."""

    address_requests: int = 12_000
    account_points: int = 1_200
    partner_points: int = 3_000
    anonymous_points: int = 600
    partner_tokens: int = 30
    ops_sign_ins: int = 20
    refused_webhooks: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysIn:
    """The limiters of a process. `addresses` counts every request of a network address, whatever it asks."""

    addresses: Limiter
    accounts: Limiter
    partners: Limiter
    anonymous: Limiter
    partner_tokens: Limiter
    ops_sign_ins: Limiter
    refused_webhooks: Limiter

    @property
    def all(self) -> Sequence[Limiter]:
        return (
            self.addresses,
            self.accounts,
            self.partners,
            self.anonymous,
            self.partner_tokens,
            self.ops_sign_ins,
            self.refused_webhooks,
        )


def ways_in(quotas: Quotas, *, clock: Callable[[], float] = monotonic) -> WaysIn:
    """Return limiters that have counted nothing yet."""

    def limiter(name: str, quota: int, unit: str = "requests") -> Limiter:
        return Limiter(Policy(name=name, quota=quota, unit=unit), clock=clock)

    return WaysIn(
        addresses=limiter("address", quotas.address_requests),
        accounts=limiter("account", quotas.account_points, "points"),
        partners=limiter("partner", quotas.partner_points, "points"),
        anonymous=limiter("anonymous", quotas.anonymous_points, "points"),
        partner_tokens=limiter("partner-tokens", quotas.partner_tokens),
        ops_sign_ins=limiter("ops-sign-ins", quotas.ops_sign_ins),
        refused_webhooks=limiter("refused-webhooks", quotas.refused_webhooks),
    )


def points_of(cost: int) -> int:
    """Return what an operation of that cost takes of its viewer's points."""
    return 1 + cost // FIELDS_PER_POINT
