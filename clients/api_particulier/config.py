"""What one habilitation of API Particulier is made of: address, token, bounds."""

from dataclasses import dataclass, field
from types import MappingProxyType

import httpx

from clients.api_particulier.outcomes import OPERATIONS
from clients.breaker import BreakerPolicy
from clients.transport import build_http_client

PARTNER = "api_particulier"

# The limit is the token's, so the three operations share one gate.
PACE_KEYS = MappingProxyType(dict.fromkeys(OPERATIONS.values(), f"{PARTNER}:identity"))

# Calling on after a 429 bans our address for twelve hours, so no wait that is asked for is cut short.
LONGEST_WAIT_SECONDS = 43_200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParticulierConfig:
    """`recipient`: SIRET of the public body that holds the habilitation. All times in seconds."""

    base_url: str
    token: str = field(repr=False)
    recipient: str
    connect_seconds: float = 5.0
    read_seconds: float = 12.0  # the API waits 10 s for its own sources, and its 504 says more than our timeout
    deadline_seconds: float = 18.0
    # Below both limits, 20 a second for the token and 1,000 a minute for the address.
    max_rps: float = 10.0
    max_concurrency: int = 4
    queue_seconds: float = 60.0
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    def pace_rates(self) -> dict[str, float]:
        """Calls a second for each key that this client gives to its Pacer."""
        return dict.fromkeys(PACE_KEYS.values(), self.max_rps)


def build_api_particulier_http(config: ApiParticulierConfig) -> httpx.AsyncClient:
    """The HTTP client with this partner's bounds; whoever builds it closes it."""
    return build_http_client(
        config.base_url,
        connect=config.connect_seconds,
        read=config.read_seconds,
        max_connections=config.max_concurrency,
    )
