"""What access to data·inclusion is made of: address, token, bounds."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from clients.breaker import BreakerPolicy
from clients.repeat import Repeat
from clients.transport import build_http_client

PARTNER = "data_inclusion"
# The platform's own records, which it publishes there itself.
OWN_SOURCE = "emplois-de-linclusion"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataInclusionConfig:
    """`token`: of scope `api`. `timeout_seconds`: of each page, all of it."""

    base_url: str
    token: str = field(repr=False)
    connect_seconds: float = 5.0
    timeout_seconds: float = 60.0
    max_concurrency: int = 4
    queue_seconds: float = 5.0
    repeat: Repeat = field(default_factory=lambda: Repeat(failure_pause_seconds=1.0))
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)


def build_data_inclusion_http(config: DataInclusionConfig) -> httpx.AsyncClient:
    """The HTTP client with this partner's bounds; whoever builds it closes it."""
    return build_http_client(
        config.base_url,
        connect=config.connect_seconds,
        read=config.timeout_seconds,
        max_connections=config.max_concurrency,
    )


def foreign_sources(slugs: Sequence[str]) -> list[str]:
    """The sources that are not the platform's own, in their order."""
    return [slug for slug in slugs if slug != OWN_SOURCE]
