"""What one Metabase instance is made of: address, embedding secret, bounds."""

from dataclasses import dataclass, field

import httpx

from clients.breaker import BreakerPolicy
from clients.repeat import Repeat
from clients.transport import build_http_client

PARTNER = "metabase"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetabaseConfig:
    """`secret_key`: the embedding secret as the text that Metabase shows. All times in seconds."""

    site_url: str
    secret_key: str = field(repr=False)
    token_seconds: int = 3600
    connect_seconds: float = 5.0
    read_seconds: float = 60.0
    listing_seconds: float = 60.0
    export_seconds: float = 600.0  # a whole export, to the last byte that its reader takes
    max_export_bytes: int = 2_000_000_000
    max_concurrent_listings: int = 6
    max_concurrent_exports: int = 4
    queue_seconds: float = 5.0
    # For what is JSON; a file that is handed on is never asked for twice.
    repeat: Repeat = field(default_factory=lambda: Repeat(failure_pause_seconds=0.5, patience_seconds=2.0))
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)


def build_metabase_http(config: MetabaseConfig) -> httpx.AsyncClient:
    """The HTTP client with this partner's bounds; whoever builds it closes it."""
    return build_http_client(
        config.site_url,
        connect=config.connect_seconds,
        read=config.read_seconds,
        max_connections=config.max_concurrent_listings + config.max_concurrent_exports,
    )
