"""How partners fare, for operators."""

from __future__ import annotations

from datetime import datetime

import strawberry

from clients.breaker import BreakerState
from models.enums import Partner
from resolvers.context import context_of
from resolvers.errors import Forbidden
from resolvers.viewer import Scope
from schema.info import Info
from services.partner_health import read_partner_health

strawberry.enum(BreakerState, description="CLOSED: calls go through. HALF_OPEN: one may try. OPEN: none is made.")


@strawberry.type(
    description="A partner as all processes of this server saw it, at most some seconds ago. Rates are of 15 minutes."
)
class PartnerHealth:
    partner: Partner
    breaker: BreakerState = strawberry.field(description="The worst of its operations, over all processes.")
    last_success_at: datetime | None = strawberry.field(
        description=(
            "Its last usable answer, also a refusal, of the last 7 days. Of Tally, which is never called: the last form"
            " that it sent. Of Diagoriente: the last mail that the relay took, whatever it was about."
        )
    )
    last_failure_at: datetime | None = strawberry.field(
        description="When it last did not answer usably, or limited our rate, within 7 days."
    )
    p95_ms: float | None = strawberry.field(
        description="95 of 100 calls of the last 15 minutes were shorter, in milliseconds; null when none was answered."
    )
    error_rate: float | None = strawberry.field(
        description="The part of the calls of the last 15 minutes that failed, 0 to 1; null without calls."
    )


@strawberry.type
class PartnerQueries:
    @strawberry.field(description="All partners. For staff who operate the server.")
    async def partner_health(self, info: Info) -> list[PartnerHealth] | None:
        context = context_of(info.raw)
        if context.signed_in().scope is not Scope.OPERATOR:
            raise Forbidden("partnerHealth: for staff who operate the server")
        return [
            PartnerHealth(
                partner=health.partner,
                breaker=health.breaker,
                last_success_at=health.last_success_at,
                last_failure_at=health.last_failure_at,
                p95_ms=health.p95_ms,
                error_rate=health.error_rate,
            )
            for health in await read_partner_health(now=context.now)
        ]
