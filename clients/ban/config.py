"""Where the geocoder is, and the bounds of every call to it. It knows no key and no account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import httpx

from clients.breaker import BreakerPolicy
from clients.transport import build_http_client

PARTNER = "ban"

GEOCODE_OPERATION = "geocode"
SUGGEST_OPERATION = "suggest"
BATCH_OPERATION = "geocode_batch"

# One limit for all of them, counted by IP address.
_GATE = f"{PARTNER}:geocoding"
PACE_KEYS: Mapping[str, str] = MappingProxyType(
    {operation: _GATE for operation in (GEOCODE_OPERATION, SUGGEST_OPERATION, BATCH_OPERATION)}
)

# Beyond its limit the service refuses everything for so long.
PENALTY_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BANConfig:
    """All times in seconds. The service allows 50 calls a second and IP address: `max_rps` stays below."""

    base_url: str = "https://data.geopf.fr"
    timeout_seconds: float = 5.0
    batch_timeout_seconds: float = 120.0
    max_rps: float = 40.0
    max_concurrency: int = 20
    queue_seconds: float = 1.0
    failure_pause_seconds: float = 0.5
    patience_seconds: float = PENALTY_SECONDS
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    def pace_rates(self) -> dict[str, float]:
        """Calls a second for each key that this client gives to its Pacer."""
        return {_GATE: self.max_rps}


def build_ban_http(config: BANConfig) -> httpx.AsyncClient:
    """The HTTP client with this partner's bounds; whoever builds it closes it."""
    return build_http_client(
        config.base_url,
        # A batch is silent while it is worked on: the deadline of the call ends that, not the time between two chunks.
        read=config.batch_timeout_seconds,
        max_connections=config.max_concurrency + 1,  # one for the batch
    )
