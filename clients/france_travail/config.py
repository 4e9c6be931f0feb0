"""What one France Travail application is made of: addresses, credentials, bounds."""

from dataclasses import dataclass, field
from types import MappingProxyType

import httpx

from clients.breaker import BreakerPolicy
from clients.transport import build_http_client

PARTNER = "france_travail"

TOKEN_OPERATION = "token"  # noqa: S105 - the name of an operation
SEARCH_OPERATION = "search_identity"
UPDATE_OPERATION = "update_pass_iae"

# France Travail publishes no quota for these two; the pace is kept an endpoint, a 429 closes both.
PACE_KEYS = MappingProxyType(
    {
        SEARCH_OPERATION: f"{PARTNER}:{SEARCH_OPERATION}",
        UPDATE_OPERATION: f"{PARTNER}:{UPDATE_OPERATION}",
    }
)

# What the two calls of this client need. Still a setting: asking for a scope without subscription fails every token.
NEEDED_SCOPES = ("api_rechercheindividucertifiev1", "rechercherIndividuCertifie", "api_maj-pass-iaev1", "passIAE")


@dataclass(frozen=True, slots=True, kw_only=True)
class FranceTravailConfig:
    """`base_url` and `auth_base_url` without a slash at the end are read like with one. All times in seconds."""

    base_url: str
    auth_base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = NEEDED_SCOPES
    realm: str = "/partenaire"
    timeout_seconds: float = 60.0  # these APIs are slow
    token_timeout_seconds: float = 10.0
    token_margin_seconds: float = 10.0
    max_rps: float = 1.0
    max_concurrency: int = 4
    queue_seconds: float = 60.0  # the callers are jobs: at one call a second they may well wait their turn
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    def pace_rates(self) -> dict[str, float]:
        """Calls a second for each key that this client gives to its Pacer."""
        return dict.fromkeys(PACE_KEYS.values(), self.max_rps)


def build_france_travail_http(config: FranceTravailConfig) -> httpx.AsyncClient:
    """The HTTP client with this partner's bounds; whoever builds it closes it."""
    return build_http_client(
        config.base_url,
        connect=5.0,
        # Silence is this partner's habit: the deadline of the call ends it, not the time between two chunks.
        read=config.timeout_seconds,
        max_connections=config.max_concurrency + 1,  # one for the token call
    )
