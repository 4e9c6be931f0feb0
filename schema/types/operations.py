"""What operators look at."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.enums import Partner, WebhookEventStatus
from schema.types.node import Node


@strawberry.type(description="A webhook that was acknowledged. Its body is not readable here.")
class WebhookEvent(Node):
    source: Partner
    received_at: datetime
    status: WebhookEventStatus
    model: str | None = strawberry.field(description="What it is about, in the partner's words.")
    event: str | None
    attempts: int
    error: str | None = strawberry.field(description="Why it was not applied, as a code.")
    processed_at: datetime | None
